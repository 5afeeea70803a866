import type { Sql } from '../../kernel/db.ts'

export type Tenant = { readonly id: string; readonly name: string; readonly madeAt: Date }

export async function insertTenant(tx: Sql, { id, name, madeAt }: Tenant): Promise<void> {
  await tx.query(`insert into tenants (id, name, made_at) values ($1, $2, $3)`, [id, name, madeAt])
}

export function listTenants(db: Sql): Promise<Tenant[]> {
  return db.query<Tenant>(`select t.id, t.name, t.made_at as "madeAt" from tenants as t order by t.made_at, t.id`)
}

/** Set-up is done as soon as there is a person; nothing else remembers it. */
export async function countPeople(db: Sql): Promise<number> {
  const [row] = await db.query<{ count: number }>(`select count(*) as count from people as p`)
  return row?.count ?? 0
}
