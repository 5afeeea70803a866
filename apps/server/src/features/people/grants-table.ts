import type { Permission } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { type Authority, authorityOf, type GrantRow, permissionsOf } from '../roles/index.ts'
import { isActiveSql } from './people-table.ts'

/** A role a person holds: everywhere, in one environment, on one rack. */
export type Grant = { readonly role: string; readonly environment: string | null; readonly rack: string | null }

type NewGrant = Grant & { readonly tenant: string; readonly id: string; readonly person: string; readonly by: string }

export async function insertGrant(tx: Sql, grant: NewGrant, at: Date): Promise<void> {
  await tx.query(
    `insert into role_grants (tenant_id, id, person_id, role, environment, rack, granted_by, granted_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [grant.tenant, grant.id, grant.person, grant.role, grant.environment, grant.rack, grant.by, at],
  )
}

export function listGrants(db: Sql, tenant: string, person: string): Promise<Grant[]> {
  return db.query<Grant>(
    `select g.role, g.environment, g.rack from role_grants as g where g.tenant_id = $1 and g.person_id = $2
      order by g.role, g.environment nulls first, g.rack nulls first`,
    [tenant, person],
  )
}

export async function deleteGrants(tx: Sql, tenant: string, person: string): Promise<void> {
  await tx.query(`delete from role_grants as g where g.tenant_id = $1 and g.person_id = $2`, [tenant, person])
}

/** Changes of who may do what go one after the other within a tenant; nobody else waits for them. */
export async function holdAccess(tx: Sql, tenant: string): Promise<void> {
  await tx.query(`select t.id from tenants as t where t.id = $1 for no key update`, [tenant])
}

/**
 * People who could put everything right again: they hold `admin` everywhere and may sign in, by what the tenant lets
 * in: where passwords are switched off, only who is known to an identity provider.
 */
export async function countAdministrators(db: Sql, tenant: string, now: Date): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*) as count
       from role_grants as g join people as p on p.tenant_id = g.tenant_id and p.id = g.person_id
      where g.tenant_id = $1 and g.role = 'admin' and g.environment is null and g.rack is null and ${isActiveSql('p', '$2')}
        and (exists (select from person_identities as i where i.tenant_id = g.tenant_id and i.person_id = g.person_id)
             or not exists (select from settings as s
                             where s.tenant_id = $1 and s.name = 'sign_in.password' and s.value = 'false'::jsonb))`,
    [tenant, now],
  )
  return row?.count ?? 0
}

/** Whether somebody holds `admin` everywhere, whatever lets them sign in. */
export async function isAdministrator(db: Sql, tenant: string, person: string): Promise<boolean> {
  const grants = await listGrants(db, tenant, person)
  return grants.some(({ role, environment, rack }) => role === 'admin' && environment === null && rack === null)
}

/** What a person may do as of this statement. */
export async function findAuthority(db: Sql, tenant: string, person: string): Promise<Authority> {
  const grants = await db.query<GrantRow>(
    `select g.role, g.environment, g.rack, r.permissions
       from role_grants as g left join roles as r on r.tenant_id = g.tenant_id and r.name = g.role
      where g.tenant_id = $1 and g.person_id = $2`,
    [tenant, person],
  )
  const guarded = await db.query<{ name: string }>(
    `select e.name from environments as e where e.tenant_id = $1 and e.is_protected`,
    [tenant],
  )
  return authorityOf(
    grants,
    guarded.map(({ name }) => name),
  )
}

type Able = {
  readonly tenant: string
  readonly permission: Permission
  readonly environment: string
  readonly now: Date
}

/** People who may sign in and do this everywhere there as of this statement; not who may on one rack of it. */
export async function listPeopleWho(db: Sql, { tenant, permission, environment, now }: Able): Promise<string[]> {
  const rows = await db.query<GrantRow & { person: string }>(
    `select g.person_id as person, g.role, g.environment, g.rack, r.permissions
       from role_grants as g
       join people as p on p.tenant_id = g.tenant_id and p.id = g.person_id
       left join roles as r on r.tenant_id = g.tenant_id and r.name = g.role
      where g.tenant_id = $1 and (g.environment is null or g.environment = $2) and g.rack is null and ${isActiveSql('p', '$3')}`,
    [tenant, environment, now],
  )
  const able = rows.filter(({ role, permissions = null }) => permissionsOf(role, permissions).has(permission))
  return [...new Set(able.map(({ person }) => person))]
}
