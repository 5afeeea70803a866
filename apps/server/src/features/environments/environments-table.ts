import type { Sql } from '../../kernel/db.ts'

export type Environment = {
  readonly name: string
  readonly color: string
  readonly position: number
  readonly isProtected: boolean
}

/** What every tenant begins with; production is the one that shouts. */
export const firstEnvironments: readonly Environment[] = [
  { name: 'production', color: 'red', position: 1, isProtected: true },
  { name: 'staging', color: 'yellow', position: 2, isProtected: false },
  { name: 'development', color: 'teal', position: 3, isProtected: false },
]

export async function insertEnvironment(
  tx: Sql,
  tenant: string,
  environment: Environment,
  madeAt: Date,
): Promise<void> {
  await tx.query(
    `insert into environments (tenant_id, name, color, position, is_protected, made_at) values ($1, $2, $3, $4, $5, $6)`,
    [tenant, environment.name, environment.color, environment.position, environment.isProtected, madeAt],
  )
}

export function listEnvironments(db: Sql, tenant: string): Promise<(Environment & { readonly keyCount: number })[]> {
  return db.query(
    `select e.name, e.color, e.position, e.is_protected as "isProtected",
            (select count(*) from agent_keys as k where k.tenant_id = e.tenant_id and k.environment = e.name and k.revoked_at is null) as "keyCount"
       from environments as e
      where e.tenant_id = $1
      order by e.position, e.name`,
    [tenant],
  )
}

/** Whether changes of what is live there need a fresh proof; an unknown environment has nothing to protect. */
export async function isProtectedEnvironment(db: Sql, tenant: string, name: string): Promise<boolean> {
  const [row] = await db.query<{ isProtected: boolean }>(
    `select e.is_protected as "isProtected" from environments as e where e.tenant_id = $1 and e.name = $2`,
    [tenant, name],
  )
  return row?.isProtected ?? false
}

export async function updateEnvironment(
  tx: Sql,
  tenant: string,
  name: string,
  change: Partial<Omit<Environment, 'name'>>,
): Promise<boolean> {
  const rows = await tx.query(
    `update environments as e
        set color = coalesce($3, e.color), position = coalesce($4, e.position), is_protected = coalesce($5, e.is_protected)
      where e.tenant_id = $1 and e.name = $2
      returning e.name`,
    [tenant, name, change.color ?? null, change.position ?? null, change.isProtected ?? null],
  )
  return rows.length > 0
}

export async function deleteEnvironment(tx: Sql, tenant: string, name: string): Promise<boolean> {
  const rows = await tx.query(`delete from environments as e where e.tenant_id = $1 and e.name = $2 returning e.name`, [
    tenant,
    name,
  ])
  return rows.length > 0
}
