import type { Sql } from '../../kernel/db.ts'

// The overview looks across features: what it reads here are their tables, and it never writes to them.

export type Change = {
  readonly number: number
  readonly at: Date
  readonly act: string
  readonly actorKind: string
  readonly actorId: string
  readonly actorLabel: string | null
  readonly subjectKind: string
  readonly subjectId: string
  readonly details: Record<string, unknown>
}

/** Of so many of the latest entries the changes are picked. */
const entriesLookedAt = 2_000
const changesShown = 10
// Underscores are LIKE's any character, which does no harm here.
const changeActs = [
  'ruleset%',
  'rollout%',
  'assignment%',
  'agent.%',
  'key.%',
  'signing_key.%',
  'setting.%',
  'environment.%',
]

/** The latest changes to what agents run under and who may speak for them. */
export function selectChanges(sql: Sql, tenant: string): Promise<Change[]> {
  return sql.query<Change>(
    `select c.number, c.at, c.act, c."actorKind", c."actorId", c."actorLabel", c."subjectKind", c."subjectId",
            coalesce(convert_from(c.bytes, 'UTF8')::jsonb -> 'details', '{}') as details
       from (
         select s.number, s.at, s.act, e.actor_kind as "actorKind", s.actor_id as "actorId",
                coalesce(nullif(p.name, ''), p.email) as "actorLabel", s.subject_kind as "subjectKind",
                s.subject_id as "subjectId", e.bytes
           from (
             select n.number, n.entry_id, n.at, n.act, n.outcome, n.actor_id, n.subject_kind, n.subject_id
               from trail_sequence as n where n.tenant_id = $1 order by n.number desc limit ${entriesLookedAt}
           ) as s
           join trail_entries as e on e.id = s.entry_id
           left join principals as p on p.tenant_id = $1 and p.id::text = s.actor_id
          where s.outcome = 'done' and s.act like any($2)
          order by s.number desc limit ${changesShown}
       ) as c
      order by c.number desc`,
    [tenant, changeActs],
  )
}

export type FirstSteps = {
  readonly hasKey: boolean
  readonly hasRollout: boolean
  readonly hasAgent: boolean
  readonly hasEvent: boolean
}

export async function selectFirstSteps(sql: Sql, tenant: string): Promise<FirstSteps> {
  const [row] = await sql.query<FirstSteps>(
    `select exists (select from agent_keys as k where k.tenant_id = $1 and k.revoked_at is null) as "hasKey",
            exists (select from current_rollouts as r where r.tenant_id = $1) as "hasRollout",
            exists (select from agents as a where a.tenant_id = $1) as "hasAgent",
            exists (select from event_keys as k where k.tenant_id = $1) as "hasEvent"`,
    [tenant],
  )
  return row ?? { hasKey: false, hasRollout: false, hasAgent: false, hasEvent: false }
}

export async function countAgents(sql: Sql, tenant: string, environment: string | undefined): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `select count(distinct a.agent_id)::int as count from agents as a
      where a.tenant_id = $1 and ($2::text is null or a.environment = $2)`,
    [tenant, environment ?? null],
  )
  return row?.count ?? 0
}
