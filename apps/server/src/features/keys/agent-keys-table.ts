import type { Sql } from '../../kernel/db.ts'

export type Rendering = 'auto' | 'contract_bundle' | 'ruleset'

export type AgentKeyRow = {
  readonly id: string
  readonly environment: string
  readonly label: string
  readonly prefix: string
  readonly rendering: Rendering
  readonly signingKeyId: string | null
  readonly mayDecide: boolean
  readonly madeAt: Date
  readonly madeBy: string
  readonly madeByEmail: string
  readonly lastUsedAt: Date | null
  readonly revokedAt: Date | null
}

const columns = `k.id, k.environment, k.label, k.prefix, k.rendering, k.signing_key_id as "signingKeyId",
  k.may_decide as "mayDecide", k.made_at as "madeAt", k.made_by as "madeBy", coalesce(p.email, '') as "madeByEmail", k.last_used_at as "lastUsedAt", k.revoked_at as "revokedAt"`
const from = `agent_keys as k left join principals as p on p.tenant_id = k.tenant_id and p.id = k.made_by`

export type NewAgentKey = {
  readonly tenant: string
  readonly id: string
  readonly environment: string
  readonly label: string
  readonly prefix: string
  readonly digest: string
  readonly rendering: Rendering
  readonly signingKeyId: string | null
  /** May decide approvals that other keys of its environment asked for. */
  readonly mayDecide: boolean
  readonly madeBy: string
  readonly madeAt: Date
}

export async function insertAgentKey(tx: Sql, key: NewAgentKey): Promise<void> {
  await tx.query(
    `insert into agent_keys (tenant_id, id, environment, label, prefix, digest, rendering, signing_key_id, made_by, made_at, may_decide)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      key.tenant,
      key.id,
      key.environment,
      key.label,
      key.prefix,
      key.digest,
      key.rendering,
      key.signingKeyId,
      key.madeBy,
      key.madeAt,
      key.mayDecide,
    ],
  )
}

export type LiveKey = {
  readonly tenant: string
  /** As it is stored: perhaps under an older secret. */
  readonly digest: string
  readonly id: string
  readonly environment: string
  readonly prefix: string
  readonly rendering: Rendering
  readonly signingKeyId: string | null
  readonly mayDecide: boolean
}

/** Looks by digest, since the tenant is what we want to learn. */
export async function findLiveKey(db: Sql, digests: readonly string[]): Promise<LiveKey | undefined> {
  const [row] = await db.query<LiveKey>(
    `select k.tenant_id as tenant, k.digest, k.id, k.environment, k.prefix, k.rendering, k.signing_key_id as "signingKeyId",
            k.may_decide as "mayDecide"
       from agent_keys as k where k.digest = any($1) and k.revoked_at is null`,
    [digests],
  )
  return row
}

export function listAgentKeys(
  db: Sql,
  tenant: string,
  environment: string | undefined,
  withRevoked: boolean,
): Promise<AgentKeyRow[]> {
  return db.query<AgentKeyRow>(
    `select ${columns} from ${from}
      where k.tenant_id = $1 and ($2::text is null or k.environment = $2) and ($3 or k.revoked_at is null)
      order by k.revoked_at is not null, k.made_at desc, k.id desc`,
    [tenant, environment ?? null, withRevoked],
  )
}

export async function findAgentKey(db: Sql, tenant: string, id: string): Promise<AgentKeyRow | undefined> {
  const [row] = await db.query<AgentKeyRow>(`select ${columns} from ${from} where k.tenant_id = $1 and k.id = $2`, [
    tenant,
    id,
  ])
  return row
}

export type AgentKeyChange = {
  readonly label?: string | undefined
  readonly rendering?: Rendering | undefined
  readonly signingKeyId?: string | undefined
}

export async function updateAgentKey(tx: Sql, tenant: string, id: string, change: AgentKeyChange): Promise<boolean> {
  const rows = await tx.query(
    `update agent_keys as k
        set label = coalesce($3, k.label), rendering = coalesce($4, k.rendering), signing_key_id = coalesce($5, k.signing_key_id)
      where k.tenant_id = $1 and k.id = $2 and k.revoked_at is null
      returning k.id`,
    [tenant, id, change.label ?? null, change.rendering ?? null, change.signingKeyId ?? null],
  )
  return rows.length > 0
}

export async function revokeAgentKeyRow(
  tx: Sql,
  tenant: string,
  id: string,
  by: string,
  at: Date,
): Promise<{ environment: string; prefix: string } | undefined> {
  const [row] = await tx.query<{ environment: string; prefix: string }>(
    `update agent_keys as k set revoked_at = $4, revoked_by = $3
      where k.tenant_id = $1 and k.id = $2 and k.revoked_at is null
      returning k.environment, k.prefix`,
    [tenant, id, by, at],
  )
  return row
}

/** Many keys at once, now and then: last use is a hint for people, not a record. */
export async function noteKeyUses(
  db: Sql,
  uses: readonly { readonly tenant: string; readonly id: string; readonly at: Date }[],
): Promise<void> {
  await db.query(
    `update agent_keys as k set last_used_at = u.at
       from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u (tenant_id, id, at)
      where k.tenant_id = u.tenant_id and k.id = u.id and (k.last_used_at is null or k.last_used_at < u.at)`,
    [uses.map(({ tenant }) => tenant), uses.map(({ id }) => id), uses.map(({ at }) => at)],
  )
}
