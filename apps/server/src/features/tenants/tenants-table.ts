import type { Sql } from '../../kernel/db.ts'

export type Tenant = { readonly id: string; readonly name: string; readonly madeAt: Date }

export async function insertTenant(tx: Sql, { id, name, madeAt }: Tenant): Promise<void> {
  await tx.query(`insert into tenants (id, name, made_at) values ($1, $2, $3)`, [id, name, madeAt])
}

export async function findTenantName(db: Sql, id: string): Promise<string | undefined> {
  const [row] = await db.query<{ name: string }>(`select t.name from tenants as t where t.id = $1`, [id])
  return row?.name
}

export type TenantSize = Tenant & { readonly people: number }

/** All of the installation, oldest first: for whoever is at the server's machine, and for nobody over the network. */
export function listTenants(db: Sql): Promise<TenantSize[]> {
  return db.query<TenantSize>(
    `select t.id, t.name, t.made_at as "madeAt", (select count(*) from people as p where p.tenant_id = t.id) as people
       from tenants as t order by t.made_at, t.id`,
  )
}

/** Set-up is done as soon as there is a person; nothing else remembers it. */
export async function countPeople(db: Sql): Promise<number> {
  const [row] = await db.query<{ count: number }>(`select count(*) as count from people as p`)
  return row?.count ?? 0
}

export async function findOldestTenant(db: Sql): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(`select t.id from tenants as t order by t.made_at, t.id limit 1`)
  return row?.id
}
