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

/** Whether somebody was ever known by this address, removed people included. */
export async function hasHeldAddress(db: Sql, tenant: string, email: string): Promise<boolean> {
  const rows = await db.query<{ id: string }>(
    `select p.id from people as p where p.tenant_id = $1 and p.email_folded = lower($2) limit 1`,
    [tenant, email],
  )
  return rows.length > 0
}

export async function findPerson(db: Sql, tenant: string, id: string): Promise<PersonRow | undefined> {
  const [row] = await db.query<PersonRow>(
    `select ${columns} from people as p where p.tenant_id = $1 and p.id = $2 and p.removed_at is null`,
    [tenant, id],
  )
  return row
}

/** No browser stays trusted: whoever knew the password before may sit at one. */
export async function setPassword(tx: Sql, tenant: string, id: string, hash: string): Promise<void> {
  await tx.query(`delete from trusted_devices as d where d.tenant_id = $1 and d.person_id = $2`, [tenant, id])
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

export type PersonChange = { readonly name?: string | undefined; readonly email?: string | undefined }

export async function updatePerson(tx: Sql, tenant: string, id: string, { name, email }: PersonChange): Promise<void> {
  await tx.query(
    `update people as p set name = coalesce($3, p.name), email = coalesce($4, p.email)
      where p.tenant_id = $1 and p.id = $2`,
    [tenant, id, name ?? null, email ?? null],
  )
}

export async function suspendRow(
  tx: Sql,
  tenant: string,
  id: string,
  by: string,
  reason: string,
  at: Date,
): Promise<void> {
  await tx.query(
    `update people as p set suspended_at = $5, suspended_by = $3, suspended_reason = $4
      where p.tenant_id = $1 and p.id = $2`,
    [tenant, id, by, reason, at],
  )
}

export async function liftSuspension(tx: Sql, tenant: string, id: string): Promise<void> {
  await tx.query(
    `update people as p set suspended_at = null, suspended_by = null, suspended_reason = null
      where p.tenant_id = $1 and p.id = $2`,
    [tenant, id],
  )
}

/** Without `until` it stays until somebody lifts it; without `by` the server did it. */
export async function lockRow(
  tx: Sql,
  tenant: string,
  id: string,
  lock: { readonly by: string | null; readonly reason: string; readonly at: Date; readonly until: Date | null },
): Promise<void> {
  await tx.query(
    `update people as p set locked_at = $5, locked_by = $3, locked_reason = $4, locked_until = $6
      where p.tenant_id = $1 and p.id = $2`,
    [tenant, id, lock.by, lock.reason, lock.at, lock.until],
  )
}

export async function liftLock(tx: Sql, tenant: string, id: string): Promise<void> {
  await tx.query(
    `update people as p set locked_at = null, locked_by = null, locked_reason = null, locked_until = null
      where p.tenant_id = $1 and p.id = $2`,
    [tenant, id],
  )
}

/** The row stays, since what the person did names it; the address is free for somebody else. */
export async function removeRow(tx: Sql, tenant: string, id: string, by: string, at: Date): Promise<void> {
  await tx.query(
    `update people as p set removed_at = $4, removed_by = $3, password_hash = null where p.tenant_id = $1 and p.id = $2`,
    [tenant, id, by, at],
  )
  await tx.query(`delete from person_identities as i where i.tenant_id = $1 and i.person_id = $2`, [tenant, id])
}
