import type { Sql } from '../../kernel/db.ts'

export type PersonRow = {
  readonly tenant: string
  readonly id: string
  readonly email: string
  readonly name: string
  readonly role: string
  readonly passwordHash: string | null
  readonly suspendedAt: Date | null
}

const columns = `p.tenant_id as tenant, p.id, p.email, p.name, p.role, p.password_hash as "passwordHash", p.suspended_at as "suspendedAt"`

export async function insertPerson(tx: Sql, person: PersonRow, madeAt: Date): Promise<void> {
  await tx.query(
    `insert into people (tenant_id, id, email, name, role, password_hash, made_at) values ($1, $2, $3, $4, $5, $6, $7)`,
    [person.tenant, person.id, person.email, person.name, person.role, person.passwordHash, madeAt],
  )
}

/** At sign-in the tenant is not known yet: an address belongs to one person in the whole installation. */
export async function findByEmail(db: Sql, email: string): Promise<PersonRow | undefined> {
  const [row] = await db.query<PersonRow>(`select ${columns} from people as p where p.email_folded = lower($1)`, [
    email,
  ])
  return row
}

export async function findPerson(db: Sql, tenant: string, id: string): Promise<PersonRow | undefined> {
  const [row] = await db.query<PersonRow>(`select ${columns} from people as p where p.tenant_id = $1 and p.id = $2`, [
    tenant,
    id,
  ])
  return row
}

export async function setPassword(tx: Sql, tenant: string, id: string, hash: string): Promise<void> {
  await tx.query(`update people as p set password_hash = $3 where p.tenant_id = $1 and p.id = $2`, [tenant, id, hash])
}
