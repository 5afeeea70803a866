import type { Sql } from '../../kernel/db.ts'
import type { Progress } from './rollout.ts'

export type Step = Progress & { readonly tenant: string; readonly rolloutId: string; readonly agentId: string }

/** Many steps at once; the first time of each kind is the one that stays. Answers the rollouts that came further. */
export async function writeSteps(tx: Sql, steps: readonly Step[]): Promise<readonly Moved[]> {
  return tx.query<Moved>(
    `with moved as (
       insert into rollout_agents as a (tenant_id, rollout_id, agent_id, sent_at, fetched_at, running_at)
       select n.tenant_id, n.rollout_id, n.agent_id, n.sent_at, n.fetched_at, n.running_at
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[])
           as n (tenant_id, rollout_id, agent_id, sent_at, fetched_at, running_at)
        order by n.tenant_id, n.rollout_id, n.agent_id
       on conflict (tenant_id, rollout_id, agent_id) do update
          set sent_at = coalesce(a.sent_at, excluded.sent_at),
              fetched_at = coalesce(a.fetched_at, excluded.fetched_at),
              running_at = coalesce(a.running_at, excluded.running_at)
        where (a.sent_at is null and excluded.sent_at is not null)
           or (a.fetched_at is null and excluded.fetched_at is not null)
           or (a.running_at is null and excluded.running_at is not null)
       returning a.tenant_id, a.rollout_id)
     select distinct m.tenant_id as tenant, m.rollout_id as "rolloutId", o.environment, o.ruleset
       from moved as m join rollouts as o on o.tenant_id = m.tenant_id and o.id = m.rollout_id`,
    [
      steps.map(({ tenant }) => tenant),
      steps.map(({ rolloutId }) => rolloutId),
      steps.map(({ agentId }) => agentId),
      steps.map(({ sentAt }) => sentAt),
      steps.map(({ fetchedAt }) => fetchedAt),
      steps.map(({ runningAt }) => runningAt),
    ],
  )
}

export type Moved = {
  readonly tenant: string
  readonly rolloutId: string
  readonly environment: string
  readonly ruleset: string
}

export type AgentProgress = Progress & {
  readonly agentId: string
  readonly isConnected: boolean
  /** The ruleset meant for it by now, if the fleet knows. */
  readonly follows: string | null
}

export function listProgress(
  db: Sql,
  tenant: string,
  environment: string,
  rolloutId: string,
): Promise<AgentProgress[]> {
  return db.query<AgentProgress>(
    `select a.agent_id as "agentId", a.sent_at as "sentAt", a.fetched_at as "fetchedAt", a.running_at as "runningAt",
            g.online_since is not null as "isConnected", g.ruleset as follows
       from rollout_agents as a
       left join agents as g
         on g.tenant_id = a.tenant_id and g.environment = $2 and g.agent_id = a.agent_id
      where a.tenant_id = $1 and a.rollout_id = $3 order by a.agent_id`,
    [tenant, environment, rolloutId],
  )
}

export type Follower = {
  readonly agentId: string
  readonly isConnected: boolean
  /** What it was last seen to run. */
  readonly runningHash: string | null
  readonly runningSource: 'event' | 'stream' | 'fetch' | null
}

/** Agents for which this ruleset is meant in this environment, connected ones first. */
export function listFollowers(db: Sql, tenant: string, environment: string, ruleset: string): Promise<Follower[]> {
  return db.query<Follower>(
    `select g.agent_id as "agentId", g.online_since is not null as "isConnected", g.running_hash as "runningHash",
            g.running_source as "runningSource"
       from agents as g where g.tenant_id = $1 and g.environment = $2 and g.ruleset = $3
      order by g.online_since is null, g.agent_id`,
    [tenant, environment, ruleset],
  )
}
