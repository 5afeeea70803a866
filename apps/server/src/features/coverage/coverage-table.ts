import type { Sql } from '../../kernel/db.ts'
import type { ReportedRule } from '../rulesets/index.ts'

export type KnownAgent = {
  readonly agentId: string
  readonly environment: string
  readonly displayName: string | null
  readonly runningHash: string | null
  readonly manifest: { readonly rules: readonly ReportedRule[] } | null
  readonly lastSeenAt: Date
}

/** Every agent that is known, also those that did nothing lately; the last seen first. */
export function listKnownAgents(
  db: Sql,
  tenant: string,
  environment: string | undefined,
  agentId: string | undefined,
  limit: number,
): Promise<KnownAgent[]> {
  return db.query<KnownAgent>(
    `select a.agent_id as "agentId", a.environment, a.display_name as "displayName", a.running_hash as "runningHash",
            a.manifest, a.last_seen_at as "lastSeenAt"
       from agents as a
      where a.tenant_id = $1 and ($2::text is null or a.environment = $2) and ($3::text is null or a.agent_id = $3)
      order by a.last_seen_at desc, a.agent_id limit $4`,
    [tenant, environment ?? null, agentId ?? null, limit],
  )
}

export type RunRevision = {
  readonly hash: string
  readonly ruleset: string
  readonly version: number
  readonly text: string
}

/** The revisions of these hashes, in the words agents run them; of equal texts the newest. */
export function listRunRevisions(db: Sql, tenant: string, hashes: readonly string[]): Promise<RunRevision[]> {
  return db.query<RunRevision>(
    `select distinct on (h.hash) h.hash, r.ruleset, r.version,
            case when r.ruleset_hash = h.hash then r.ruleset_text else r.contract_bundle_text end as text
       from unnest($2::text[]) as h (hash)
       join revisions as r on r.tenant_id = $1 and (r.ruleset_hash = h.hash or r.contract_bundle_hash = h.hash)
      order by h.hash, r.uploaded_at desc, r.version desc`,
    [tenant, hashes],
  )
}
