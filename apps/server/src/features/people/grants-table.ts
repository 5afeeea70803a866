import type { Sql } from '../../kernel/db.ts'

/** A role a person holds: everywhere, or in one environment. */
export type Grant = { readonly role: string; readonly environment: string | null }

type NewGrant = Grant & { readonly tenant: string; readonly id: string; readonly person: string; readonly by: string }

export async function insertGrant(tx: Sql, grant: NewGrant, at: Date): Promise<void> {
  await tx.query(
    `insert into role_grants (tenant_id, id, person_id, role, environment, granted_by, granted_at)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [grant.tenant, grant.id, grant.person, grant.role, grant.environment, grant.by, at],
  )
}
