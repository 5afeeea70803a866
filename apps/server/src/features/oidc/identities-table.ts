import type { Sql, Tx } from '../../kernel/db.ts'
import { holdAccess } from '../people/index.ts'

type Owner = { readonly tenant: string; readonly person: string }

/** By what the provider calls them, which never changes, as addresses do. */
export async function findIdentity(db: Sql, issuer: string, subject: string): Promise<Owner | undefined> {
  const [row] = await db.query<Owner>(
    `select i.tenant_id as tenant, i.person_id as person from person_identities as i
      where i.issuer = $1 and i.subject = $2`,
    [issuer, subject],
  )
  return row
}

/** False when this person is known by this provider as somebody else already. */
export async function bindIdentity(
  tx: Sql,
  { tenant, person }: Owner,
  identity: { readonly provider: string; readonly issuer: string; readonly subject: string },
  at: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `insert into person_identities as i (tenant_id, person_id, provider, issuer, subject, made_at, last_used_at)
     values ($1, $2, $3, $4, $5, $6, $6)
     on conflict (tenant_id, person_id, provider) do update set last_used_at = excluded.last_used_at
       where i.issuer = excluded.issuer and i.subject = excluded.subject
     returning i.provider`,
    [tenant, person, identity.provider, identity.issuer, identity.subject, at],
  )
  return rows.length > 0
}

/**
 * Administrators who would still get in if passwords were refused. Until the transaction ends nobody's roles change, so
 * that the last of them is not demoted while passwords are being switched off.
 */
export async function countAdministratorsWithIdentity(db: Tx, tenant: string): Promise<number> {
  await holdAccess(db, tenant)
  const [row] = await db.query<{ count: number }>(
    `select count(distinct g.person_id) as count
       from role_grants as g
       join person_identities as i on i.tenant_id = g.tenant_id and i.person_id = g.person_id
       join people as p on p.tenant_id = g.tenant_id and p.id = g.person_id
      where g.tenant_id = $1 and g.role = 'admin' and g.environment is null and g.rack is null
        and p.suspended_at is null and p.removed_at is null and p.locked_at is null`,
    [tenant],
  )
  return row?.count ?? 0
}
