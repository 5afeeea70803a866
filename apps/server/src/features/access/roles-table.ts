import type { Sql } from '../../kernel/db.ts'

export type StoredRole = {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly permissions: readonly string[]
  readonly changedAt: Date
}

const columns = `r.name, r.title, r.description, r.permissions, r.changed_at as "changedAt"`

export function listStoredRoles(db: Sql, tenant: string): Promise<StoredRole[]> {
  return db.query<StoredRole>(`select ${columns} from roles as r where r.tenant_id = $1 order by r.name`, [tenant])
}

/** Held until the transaction ends, so that two who change it go one after the other. */
export async function findRoleForUpdate(tx: Sql, tenant: string, name: string): Promise<StoredRole | undefined> {
  const [row] = await tx.query<StoredRole>(
    `select ${columns} from roles as r where r.tenant_id = $1 and r.name = $2 for update`,
    [tenant, name],
  )
  return row
}

type NewRole = Omit<StoredRole, 'changedAt'> & { readonly tenant: string; readonly by: string; readonly at: Date }

export async function insertRole(tx: Sql, role: NewRole): Promise<void> {
  await tx.query(
    `insert into roles (tenant_id, name, title, description, permissions, made_by, made_at, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $7)`,
    [role.tenant, role.name, role.title, role.description, role.permissions, role.by, role.at],
  )
}

export async function updateRole(tx: Sql, tenant: string, role: StoredRole): Promise<void> {
  await tx.query(
    `update roles as r set title = $3, description = $4, permissions = $5, changed_at = $6
      where r.tenant_id = $1 and r.name = $2`,
    [tenant, role.name, role.title, role.description, role.permissions, role.changedAt],
  )
}

export async function deleteRole(tx: Sql, tenant: string, name: string): Promise<void> {
  await tx.query(`delete from roles as r where r.tenant_id = $1 and r.name = $2`, [tenant, name])
}

/** How many people hold each role, in whatever environment. */
export async function countHolders(db: Sql, tenant: string): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query<{ role: string; people: number }>(
    `select g.role, count(distinct g.person_id) as people
       from role_grants as g join people as p on p.tenant_id = g.tenant_id and p.id = g.person_id
      where g.tenant_id = $1 and p.removed_at is null group by g.role`,
    [tenant],
  )
  return new Map(rows.map(({ role, people }) => [role, people]))
}

export type Holder = {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly environment: string | null
  readonly rack: string | null
}

export function listHolders(db: Sql, tenant: string, role: string): Promise<Holder[]> {
  return db.query<Holder>(
    `select p.id, p.email, p.name, g.environment, g.rack
       from role_grants as g join people as p on p.tenant_id = g.tenant_id and p.id = g.person_id
      where g.tenant_id = $1 and g.role = $2 and p.removed_at is null
      order by p.email_folded, g.environment nulls first, g.rack nulls first`,
    [tenant, role],
  )
}
