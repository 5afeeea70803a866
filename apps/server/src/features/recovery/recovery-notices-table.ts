import type { Sql, Tx } from '../../kernel/db.ts'

export type RecoveryStage = 'made' | 'used'

export type RecoveryNotice = {
  readonly id: string
  /** Whom the link lets in. */
  readonly person: string
  readonly email: string
  readonly stage: RecoveryStage
  readonly at: Date
}

type News = {
  readonly tenant: string
  readonly recovered: string
  readonly stage: RecoveryStage
  readonly at: Date
}

/** Everybody who is in charge learns of it, the one concerned included: it may not have been them. */
export async function tellAdministrators(tx: Tx, { tenant, recovered, stage, at }: News): Promise<number> {
  const told = await tx.query(
    `insert into recovery_notices (tenant_id, person_id, recovered_id, stage, at)
     select distinct g.tenant_id, g.person_id, $2::uuid, $3, $4::timestamptz
       from role_grants as g join people as p on p.tenant_id = g.tenant_id and p.id = g.person_id
      where g.tenant_id = $1 and g.role = 'admin' and g.environment is null and g.rack is null and p.removed_at is null
     returning recovery_notices.id`,
    [tenant, recovered, stage, at],
  )
  return told.length
}

/** Oldest first. Nobody needs more than a page of them at once to know that something is up. */
export function listRecoveryNotices(db: Sql, tenant: string, person: string): Promise<RecoveryNotice[]> {
  return db.query<RecoveryNotice>(
    `select n.id, n.recovered_id as person, p.email, n.stage, n.at
       from recovery_notices as n join people as p on p.tenant_id = n.tenant_id and p.id = n.recovered_id
      where n.tenant_id = $1 and n.person_id = $2
      order by n.at, n.id limit 20`,
    [tenant, person],
  )
}

/** False when this person has no such notice. */
export async function takeNote(db: Sql, tenant: string, person: string, id: string): Promise<boolean> {
  const rows = await db.query(
    `delete from recovery_notices as n where n.tenant_id = $1 and n.person_id = $2 and n.id = $3 returning n.id`,
    [tenant, person, id],
  )
  return rows.length > 0
}

/** Who could be let back in, of all tenants: for whoever is at the server's machine, and for nobody over the network. */
export function listAdministrators(db: Sql): Promise<{ readonly email: string }[]> {
  return db.query<{ email: string }>(
    `select distinct p.email from role_grants as g
       join people as p on p.tenant_id = g.tenant_id and p.id = g.person_id
      where g.role = 'admin' and g.environment is null and g.rack is null
        and p.removed_at is null and p.suspended_at is null
      order by p.email limit 10`,
  )
}
