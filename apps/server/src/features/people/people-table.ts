import type { Sql } from '../../kernel/db.ts'

export type PersonStatus = 'invited' | 'active' | 'locked' | 'suspended' | 'removed'

export type PersonRow = {
  readonly tenant: string
  readonly id: string
  readonly email: string
  readonly name: string
  readonly passwordHash: string | null
  readonly joinedAt: Date | null
  readonly suspendedAt: Date | null
  readonly lockedAt: Date | null
  /** Null for a lock that somebody must lift. */
  readonly lockedUntil: Date | null
  readonly removedAt: Date | null
}

const columns = `p.tenant_id as tenant, p.id, p.email, p.name, p.password_hash as "passwordHash", p.joined_at as "joinedAt",
  p.suspended_at as "suspendedAt", p.locked_at as "lockedAt", p.locked_until as "lockedUntil", p.removed_at as "removedAt"`

type Standing = Pick<PersonRow, 'joinedAt' | 'suspendedAt' | 'lockedAt' | 'lockedUntil' | 'removedAt'>

/** The gravest that holds. */
export function statusOf(person: Standing, now: Date): PersonStatus {
  if (person.removedAt) return 'removed'
  if (person.suspendedAt) return 'suspended'
  if (person.lockedAt && (person.lockedUntil === null || person.lockedUntil > now)) return 'locked'
  return person.joinedAt ? 'active' : 'invited'
}

/** Whether any credential of theirs is worth something: passwords, identities, sessions, tokens they answer for. */
export function isActive(person: Standing, now: Date): boolean {
  return statusOf(person, now) === 'active'
}

/** The same in SQL, for the table's alias and the parameter that holds the present instant. */
export function isActiveSql(alias: string, now: string): string {
  return `(${alias}.removed_at is null and ${alias}.suspended_at is null and ${alias}.joined_at is not null
    and (${alias}.locked_at is null or ${alias}.locked_until <= ${now}))`
}

export type NewPerson = Pick<PersonRow, 'tenant' | 'id' | 'email' | 'name' | 'passwordHash'> & {
  /** Null for the first of a tenant. */
  readonly madeBy: string | null
  readonly hasJoined: boolean
}

export async function insertPerson(tx: Sql, person: NewPerson, madeAt: Date): Promise<void> {
  const { tenant, id, email, name, passwordHash, madeBy, hasJoined } = person
  await tx.query(
    `insert into people (tenant_id, id, email, name, password_hash, made_by, made_at, joined_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [tenant, id, email, name, passwordHash, madeBy, madeAt, hasJoined ? madeAt : null],
  )
}

/** At sign-in the tenant is not known yet: an address belongs to one person in the whole installation. */
export async function findByEmail(db: Sql, email: string): Promise<PersonRow | undefined> {
  const [row] = await db.query<PersonRow>(
    `select ${columns} from people as p where p.email_folded = lower($1) and p.removed_at is null`,
    [email],
  )
  return row
}

export async function findPerson(db: Sql, tenant: string, id: string): Promise<PersonRow | undefined> {
  const [row] = await db.query<PersonRow>(
    `select ${columns} from people as p where p.tenant_id = $1 and p.id = $2 and p.removed_at is null`,
    [tenant, id],
  )
  return row
}

export async function setPassword(tx: Sql, tenant: string, id: string, hash: string): Promise<void> {
  await tx.query(`update people as p set password_hash = $3 where p.tenant_id = $1 and p.id = $2`, [tenant, id, hash])
}

/** Whoever signs in has joined. */
export async function noteSignIn(tx: Sql, tenant: string, id: string, at: Date): Promise<void> {
  await tx.query(
    `update people as p set last_signed_in_at = $3, joined_at = coalesce(p.joined_at, $3)
      where p.tenant_id = $1 and p.id = $2`,
    [tenant, id, at],
  )
}
