import type { Sql, Tx } from '../../kernel/db.ts'
import {
  type Agent,
  type AgentName,
  type AssignmentSource,
  type Dialect,
  type HistoryEntry,
  runningOf,
  type Tags,
} from './agent.ts'
import type { Manifest } from './manifest.ts'

type Row = Omit<Agent, 'event' | 'stream' | 'fetch'> & {
  readonly eventHash: string | null
  readonly eventAt: Date | null
  readonly streamHash: string | null
  readonly streamAt: Date | null
  readonly fetchHash: string | null
  readonly fetchAt: Date | null
}

const stored = `a.tenant_id as tenant, a.environment, a.agent_id as "agentId", a.id, a.client, a.dialect,
  a.reported_tags as "reportedTags", a.asked_ruleset as "askedRuleset", a.fetched_ruleset as "fetchedRuleset",
  a.ruleset, a.ruleset_source as "rulesetSource", a.rule_id as "ruleId",
  a.event_hash as "eventHash", a.event_at as "eventAt", a.stream_hash as "streamHash", a.stream_at as "streamAt",
  a.fetch_hash as "fetchHash", a.fetch_at as "fetchAt", a.online_since as "onlineSince", a.left_at as "leftAt",
  a.first_seen_at as "firstSeenAt", a.last_seen_at as "lastSeenAt", a.last_event_at as "lastEventAt"`

function toAgent({ eventHash, eventAt, streamHash, streamAt, fetchHash, fetchAt, ...row }: Row): Agent {
  const sighting = (hash: string | null, at: Date | null) => (hash !== null && at ? { hash, at } : null)
  return {
    ...row,
    event: sighting(eventHash, eventAt),
    stream: sighting(streamHash, streamAt),
    fetch: sighting(fetchHash, fetchAt),
  }
}

/** The rows of these agents, locked in one order by everybody who writes them, so that nobody waits in a circle. */
export async function lockAgents(tx: Tx, names: readonly AgentName[]): Promise<readonly Agent[]> {
  const rows = await tx.query<Row>(
    `select ${stored} from agents as a
       join unnest($1::uuid[], $2::text[], $3::text[]) as n (tenant_id, environment, agent_id)
         on a.tenant_id = n.tenant_id and a.environment = n.environment and a.agent_id = n.agent_id
      order by a.tenant_id, a.environment, a.agent_id for update of a`,
    columnsOf(names),
  )
  return rows.map(toAgent)
}

function columnsOf(names: readonly AgentName[]): [string[], string[], string[]] {
  return [
    names.map(({ tenant }) => tenant),
    names.map(({ environment }) => environment),
    names.map(({ agentId }) => agentId),
  ]
}

const written = [
  ['client', 'text'],
  ['dialect', 'text'],
  ['reported_tags', 'jsonb'],
  ['asked_ruleset', 'text'],
  ['fetched_ruleset', 'text'],
  ['ruleset', 'text'],
  ['ruleset_source', 'text'],
  ['rule_id', 'uuid'],
  ['event_hash', 'text'],
  ['event_at', 'timestamptz'],
  ['stream_hash', 'text'],
  ['stream_at', 'timestamptz'],
  ['fetch_hash', 'text'],
  ['fetch_at', 'timestamptz'],
  ['running_hash', 'text'],
  ['running_source', 'text'],
  ['running_at', 'timestamptz'],
  ['online_since', 'timestamptz'],
  ['left_at', 'timestamptz'],
  ['last_seen_at', 'timestamptz'],
  ['last_event_at', 'timestamptz'],
] as const

const names = written.map(([name]) => name)
const upsert = `insert into agents as a (tenant_id, environment, agent_id, id, first_seen_at, ${names.join(', ')})
  select n.tenant_id, n.environment, n.agent_id, n.id, n.first_seen_at, ${names.map((name) => `n.${name}`).join(', ')}
    from json_to_recordset($1::json) as n (tenant_id uuid, environment text, agent_id text, id uuid,
      first_seen_at timestamptz, ${written.map(([name, type]) => `${name} ${type}`).join(', ')})
   order by n.tenant_id, n.environment, n.agent_id
  on conflict (tenant_id, environment, agent_id) do update
     set ${names.map((name) => `${name} = excluded.${name}`).join(', ')}, is_told_silent = a.is_told_silent and a.last_seen_at >= excluded.last_seen_at
   where a.id = excluded.id
  returning a.tenant_id as tenant, a.environment, a.agent_id as "agentId"`

/**
 * Writes rows that were locked, and new ones. Answers what was written: a new agent that another replica wrote at the
 * same moment is missing, and its news must be learned again over that row.
 */
export async function writeAgents(tx: Tx, agents: readonly Agent[]): Promise<readonly AgentName[]> {
  const rows = agents.map((agent) => {
    const running = runningOf(agent)
    return {
      tenant_id: agent.tenant,
      environment: agent.environment,
      agent_id: agent.agentId,
      id: agent.id,
      first_seen_at: agent.firstSeenAt,
      client: agent.client,
      dialect: agent.dialect,
      reported_tags: agent.reportedTags,
      asked_ruleset: agent.askedRuleset,
      fetched_ruleset: agent.fetchedRuleset,
      ruleset: agent.ruleset,
      ruleset_source: agent.rulesetSource,
      rule_id: agent.ruleId,
      event_hash: agent.event?.hash,
      event_at: agent.event?.at,
      stream_hash: agent.stream?.hash,
      stream_at: agent.stream?.at,
      fetch_hash: agent.fetch?.hash,
      fetch_at: agent.fetch?.at,
      running_hash: running?.hash,
      running_source: running?.source,
      running_at: running?.at,
      online_since: agent.onlineSince,
      left_at: agent.leftAt,
      last_seen_at: agent.lastSeenAt,
      last_event_at: agent.lastEventAt,
    }
  })
  return tx.query<AgentName>(upsert, [JSON.stringify(rows)])
}

export async function writeHistory(tx: Tx, entries: readonly (AgentName & HistoryEntry)[]): Promise<void> {
  if (entries.length === 0) return
  await tx.query(
    `insert into agent_history (tenant_id, environment, agent_id, at, kind, facts)
     select n.tenant_id, n.environment, n.agent_id, n.at, n.kind, n.facts
       from json_to_recordset($1::json) as n (tenant_id uuid, environment text, agent_id text, at timestamptz, kind text, facts jsonb)`,
    [
      JSON.stringify(
        entries.map(({ tenant, environment, agentId, at, kind, facts }) => ({
          tenant_id: tenant,
          environment,
          agent_id: agentId,
          at,
          kind,
          facts,
        })),
      ),
    ],
  )
}

export async function writeManifests(
  tx: Tx,
  manifests: readonly (AgentName & { readonly manifest: Manifest; readonly at: Date })[],
): Promise<void> {
  for (const { tenant, environment, agentId, manifest, at } of manifests) {
    await tx.query(
      `update agents as a set manifest = $4, manifest_at = $5
        where a.tenant_id = $1 and a.environment = $2 and a.agent_id = $3`,
      [tenant, environment, agentId, JSON.stringify(manifest), at],
    )
  }
}

export type OpenStream = AgentName & {
  readonly id: string
  readonly keyId: string
  readonly client: string
  readonly address: string
  readonly connectedAt: Date
}

export async function insertStreams(tx: Tx, replicaId: string, streams: readonly OpenStream[]): Promise<void> {
  if (streams.length === 0) return
  await tx.query(
    `insert into agent_streams (tenant_id, id, replica_id, environment, agent_id, key_id, client, address, connected_at)
     select n.tenant_id, n.id, $1, n.environment, n.agent_id, n.key_id, n.client, n.address, n.connected_at
       from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::text[], $9::timestamptz[])
         as n (tenant_id, id, environment, agent_id, key_id, client, address, connected_at)
     on conflict (tenant_id, id) do nothing`,
    [
      replicaId,
      streams.map(({ tenant }) => tenant),
      streams.map(({ id }) => id),
      streams.map(({ environment }) => environment),
      streams.map(({ agentId }) => agentId),
      streams.map(({ keyId }) => keyId),
      streams.map(({ client }) => client),
      streams.map(({ address }) => address),
      streams.map(({ connectedAt }) => connectedAt),
    ],
  )
}

export async function deleteStreams(
  tx: Tx,
  streams: readonly { readonly tenant: string; readonly id: string }[],
): Promise<void> {
  if (streams.length === 0) return
  await tx.query(
    `delete from agent_streams as s using unnest($1::uuid[], $2::uuid[]) as n (tenant_id, id)
      where s.tenant_id = n.tenant_id and s.id = n.id`,
    [streams.map(({ tenant }) => tenant), streams.map(({ id }) => id)],
  )
}

export type Fetch = {
  readonly tenant: string
  readonly keyId: string
  readonly agentId: string
  readonly ruleset: string
  readonly version: number
  readonly at: Date
}

export async function writeFetches(tx: Tx, fetches: readonly Fetch[]): Promise<void> {
  if (fetches.length === 0) return
  await tx.query(
    `insert into agent_fetches as f (tenant_id, key_id, agent_id, ruleset, version, fetched_at)
     select n.tenant_id, n.key_id, n.agent_id, n.ruleset, n.version, n.fetched_at
       from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::integer[], $6::timestamptz[])
         as n (tenant_id, key_id, agent_id, ruleset, version, fetched_at)
      order by n.tenant_id, n.key_id, n.agent_id
     on conflict (tenant_id, key_id, agent_id) do update
        set ruleset = excluded.ruleset, version = excluded.version, fetched_at = excluded.fetched_at
      where f.fetched_at <= excluded.fetched_at`,
    [
      fetches.map(({ tenant }) => tenant),
      fetches.map(({ keyId }) => keyId),
      fetches.map(({ agentId }) => agentId),
      fetches.map(({ ruleset }) => ruleset),
      fetches.map(({ version }) => version),
      fetches.map(({ at }) => at),
    ],
  )
}

export type Asked = AgentName & { readonly keyId: string }
export type Recalled = {
  readonly tags: Tags | null
  readonly dialect: Dialect | null
  readonly ruleset: string | null
  readonly version: number | null
}

/** What streams need to know of agents that connect, in the order they were asked for. */
export async function recallAgents(db: Sql, asked: readonly Asked[]): Promise<readonly Recalled[]> {
  return db.query<Recalled>(
    `select a.tags, a.dialect, f.ruleset, f.version
       from unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) with ordinality
              as n (tenant_id, environment, agent_id, key_id, place)
       left join agents as a
              on a.tenant_id = n.tenant_id and a.environment = n.environment and a.agent_id = n.agent_id
       left join agent_fetches as f
              on f.tenant_id = n.tenant_id and f.key_id = n.key_id and f.agent_id = n.agent_id
      order by n.place`,
    [...columnsOf(asked), asked.map(({ keyId }) => keyId)],
  )
}

/** Those whose last stream ended a while ago and who did not come back. One replica gets each of them. */
export async function endPresence(tx: Tx, before: Date): Promise<readonly (AgentName & { leftAt: Date })[]> {
  return tx.query<AgentName & { leftAt: Date }>(
    `update agents as a set online_since = null
      where a.online_since is not null and coalesce(a.left_at, a.online_since) < $1
        and not exists (select from agent_streams as s where s.tenant_id = a.tenant_id
                          and s.environment = a.environment and s.agent_id = a.agent_id)
      returning a.tenant_id as tenant, a.environment, a.agent_id as "agentId", coalesce(a.left_at, a.last_seen_at) as "leftAt"`,
    [before],
  )
}

/** Those not heard of since then, each told once. */
export async function markSilent(
  tx: Tx,
  tenant: string,
  before: Date,
): Promise<readonly (AgentName & { lastSeenAt: Date })[]> {
  return tx.query<AgentName & { lastSeenAt: Date }>(
    `update agents as a set is_told_silent = true
      where a.tenant_id = $1 and not a.is_told_silent and a.online_since is null and a.last_seen_at < $2
      returning a.tenant_id as tenant, a.environment, a.agent_id as "agentId", a.last_seen_at as "lastSeenAt"`,
    [tenant, before],
  )
}

export type Resolvable = AgentName & {
  readonly tags: Tags
  readonly reportedTags: Tags
  readonly client: string | null
  readonly askedRuleset: string | null
  readonly fetchedRuleset: string | null
  readonly ruleset: string | null
  readonly rulesetSource: AssignmentSource
}

/** All of a tenant, or those named. */
export async function listForAssignment(
  db: Sql,
  tenant: string,
  environment?: string,
  agentIds?: readonly string[],
): Promise<readonly Resolvable[]> {
  return db.query<Resolvable>(
    `select a.tenant_id as tenant, a.environment, a.agent_id as "agentId", a.tags, a.reported_tags as "reportedTags",
            a.client, a.asked_ruleset as "askedRuleset", a.fetched_ruleset as "fetchedRuleset", a.ruleset,
            a.ruleset_source as "rulesetSource"
       from agents as a
      where a.tenant_id = $1 and ($2::text is null or a.environment = $2)
        and ($3::text[] is null or a.agent_id = any($3))
      order by a.environment, a.agent_id`,
    [tenant, environment ?? null, agentIds ?? null],
  )
}
