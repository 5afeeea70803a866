import type { AgentSort, AgentStatus } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { type AssignmentSource, type Dialect, type EvidenceSource, type Tags, updatingMs } from './agent.ts'

/** What is live in one place, as far as status needs it. */
export type LiveRollout = {
  readonly environment: string
  readonly ruleset: string
  readonly version: number
  readonly hashes: readonly [string, string]
  readonly rolledOutAt: Date
}

export type FleetFilter = {
  readonly environment?: string | undefined
  readonly ruleset?: string | undefined
  readonly isConnected?: boolean | undefined
  readonly q?: string | undefined
  readonly agentId?: string | undefined
}

export type FleetRow = {
  readonly environment: string
  readonly agentId: string
  readonly displayName: string | null
  readonly status: AgentStatus
  readonly streams: number
  readonly onlineSince: Date | null
  readonly connectedAt: Date | null
  readonly ruleset: string | null
  readonly rulesetSource: AssignmentSource
  readonly expectedVersion: number | null
  readonly expectedAt: Date | null
  readonly runningHash: string | null
  readonly runningSource: EvidenceSource | null
  readonly runningAt: Date | null
  readonly fetchedRuleset: string | null
  readonly cannotFollow: boolean
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
  readonly lastEventAt: Date | null
  /** What the row's place in the order asked for depends on, without a space; null comes last. */
  readonly sortedBy: string | null
}

export type FleetOrder = { readonly by: AgentSort; readonly isDescending: boolean }

/** The last row of the page before. */
export type FleetPlace = Pick<FleetRow, 'agentId' | 'environment'> & Partial<Pick<FleetRow, 'sortedBy'>>

export type FleetPage = {
  readonly status?: AgentStatus | undefined
  /** By agent and environment unless told otherwise; these decide between equals too. */
  readonly order?: FleetOrder | undefined
  readonly after?: FleetPlace | undefined
  readonly limit: number
}

export type FleetCounts = Readonly<Record<AgentStatus | 'total' | 'connected', number>>

type Moment = { readonly now: Date; readonly silentMs: number }

/**
 * Every agent that fits the filter with its status, as a table `seen` that the page and the counts are both taken from:
 * the counts are those of the rows. `$1` to `$13` are `valuesOf`.
 */
const seen = `with live as (
    select l.environment, l.ruleset, l.version, l.one, l.other, l.at
      from unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::text[], $7::timestamptz[])
        as l (environment, ruleset, version, one, other, at)
  ), open as (
    select s.environment, s.agent_id, count(*)::integer as streams, min(s.connected_at) as connected_at
      from agent_streams as s where s.tenant_id = $1
     group by s.environment, s.agent_id
  ), known as (
    select a.environment, a.agent_id as "agentId", a.display_name as "displayName",
           coalesce(o.streams, 0) as streams, a.online_since as "onlineSince", o.connected_at as "connectedAt",
           a.ruleset, a.ruleset_source as "rulesetSource", l.version as "expectedVersion", l.at as "expectedAt",
           a.running_hash as "runningHash", a.running_source as "runningSource", a.running_at as "runningAt",
           a.fetched_ruleset as "fetchedRuleset", l.one, l.other,
           (a.client = 'typescript' and a.fetched_ruleset is not null and a.ruleset_source in ('explicit', 'rule')
             and a.fetched_ruleset is distinct from a.ruleset) is true as "cannotFollow",
           a.first_seen_at as "firstSeenAt",
           case when o.streams is null then a.last_seen_at else greatest(a.last_seen_at, $8::timestamptz) end as "lastSeenAt",
           a.last_event_at as "lastEventAt"
      from agents as a
      left join open as o on o.environment = a.environment and o.agent_id = a.agent_id
      left join live as l on l.environment = a.environment and l.ruleset = a.ruleset
     where a.tenant_id = $1
       and ($9::text is null or a.environment = $9)
       and ($10::text is null or a.ruleset = $10)
       and ($11::boolean is null or (o.streams is not null) = $11)
       and ($12::text is null or a.agent_id = $12)
       and ($13::text is null or strpos(lower(a.agent_id), $13) > 0 or strpos(lower(a.display_name), $13) > 0
            or exists (select from jsonb_each_text(a.reported_tags || a.tags) as t (name, value)
                        where strpos(lower(t.name || '=' || t.value), $13) > 0))
  ), seen as (
    select k.*, case
        when k.streams = 0 and k."lastSeenAt" < $14::timestamptz then 'silent'
        when k."cannotFollow" then 'drifting'
        when k."expectedVersion" is null or k."runningHash" is null then 'unknown'
        when k."runningHash" in (k.one, k.other) then 'current'
        when k."expectedAt" > $15::timestamptz then 'updating'
        else 'drifting' end as status
      from known as k
  )`

function valuesOf(
  tenant: string,
  live: readonly LiveRollout[],
  { environment, ruleset, isConnected, agentId, q }: FleetFilter,
  { now, silentMs }: Moment,
): readonly unknown[] {
  return [
    tenant,
    live.map((one) => one.environment),
    live.map((one) => one.ruleset),
    live.map(({ version }) => version),
    live.map(({ hashes: [hash] }) => hash),
    live.map(({ hashes: [, hash] }) => hash),
    live.map(({ rolledOutAt }) => rolledOutAt),
    now,
    environment ?? null,
    ruleset ?? null,
    isConnected ?? null,
    agentId ?? null,
    q === undefined || q.trim() === '' ? null : q.trim().toLowerCase(),
    new Date(now.getTime() - silentMs),
    new Date(now.getTime() - updatingMs),
  ]
}

export type FleetAsk = {
  readonly live: readonly LiveRollout[]
  readonly filter: FleetFilter
  readonly moment: Moment
}

type Order = { readonly by: string; readonly is: keyof typeof placeForms }

/** How a place is written down between two pages, and read again. */
const placeForms = {
  text: { form: /^[^\s]*$/, write: 'p.place', read: '$19::text' },
  rank: { form: /^\d$/, write: 'p.place::text', read: '$19::integer' },
  instant: {
    form: /^(?:Infinity|\d{1,12}(?:\.\d{1,6})?)$/,
    write: 'extract(epoch from p.place)::text',
    read: 'to_timestamp($19::float8)',
  },
} as const

const orders: Readonly<Record<AgentSort, Order>> = {
  agent: { by: 's."agentId" collate "C"', is: 'text' },
  environment: { by: 's.environment collate "C"', is: 'text' },
  // What needs somebody is first.
  status: { by: `array_position(array['drifting', 'silent', 'unknown', 'updating', 'current'], s.status)`, is: 'rank' },
  ruleset: { by: 's.ruleset collate "C"', is: 'text' },
  event: { by: 's."lastEventAt"', is: 'instant' },
  // Who is connected is seen now, whenever that is: behind every date, and the same on each page.
  seen: { by: `case when s.streams > 0 then 'infinity' else s."lastSeenAt" end`, is: 'instant' },
  first: { by: 's."firstSeenAt"', is: 'instant' },
}

const inOrderOfNames: Order = { by: 'null::text', is: 'text' }

/** Whether a place that somebody sent can be one in this order. */
export function isPlaceIn(order: FleetOrder | undefined, { sortedBy }: FleetPlace): boolean {
  const { is } = order ? orders[order.by] : inOrderOfNames
  return sortedBy == null || placeForms[is].form.test(sortedBy)
}

export function listFleet(
  db: Sql,
  tenant: string,
  { live, filter, moment }: FleetAsk,
  { status, order, after, limit }: FleetPage,
): Promise<FleetRow[]> {
  const { by, is } = order ? orders[order.by] : inOrderOfNames
  const { write, read } = placeForms[is]
  const [way, beyond] = order?.isDescending ? ['desc', '<'] : ['asc', '>']
  return db.query<FleetRow>(
    `${seen}, placed as (
       select s.*, ${by} as place from seen as s where $16::text is null or s.status = $16
     ), page as (
       select p.* from placed as p
        where $17::text is null
           or (p.place is null and $19::text is not null)
           or p.place ${beyond} ${read}
           or (p.place is not distinct from ${read} and (p."agentId", p.environment) > ($17, $18))
        order by p.place is null, p.place ${way}, p."agentId", p.environment limit $20
     )
     select p.*, ${write} as "sortedBy" from page as p
      order by p.place is null, p.place ${way}, p."agentId", p.environment`,
    [
      ...valuesOf(tenant, live, filter, moment),
      status ?? null,
      after?.agentId ?? null,
      after?.environment ?? null,
      after?.sortedBy ?? null,
      limit,
    ],
  )
}

export async function countFleet(db: Sql, tenant: string, { live, filter, moment }: FleetAsk): Promise<FleetCounts> {
  const [row] = await db.query<FleetCounts>(
    `${seen} select count(*)::integer as total,
        count(*) filter (where s.streams > 0)::integer as connected,
        count(*) filter (where s.status = 'current')::integer as current,
        count(*) filter (where s.status = 'updating')::integer as updating,
        count(*) filter (where s.status = 'drifting')::integer as drifting,
        count(*) filter (where s.status = 'silent')::integer as silent,
        count(*) filter (where s.status = 'unknown')::integer as unknown
       from seen as s`,
    [...valuesOf(tenant, live, filter, moment)],
  )
  return row ?? { total: 0, connected: 0, current: 0, updating: 0, drifting: 0, silent: 0, unknown: 0 }
}

/** The places something is meant to be live in for somebody. */
export function listFollowedPlaces(
  db: Sql,
  tenant: string,
): Promise<{ readonly environment: string; readonly ruleset: string }[]> {
  return db.query(
    `select distinct a.environment, a.ruleset from agents as a where a.tenant_id = $1 and a.ruleset is not null`,
    [tenant],
  )
}

export type AgentFile = {
  readonly id: string
  readonly tags: Tags
  readonly reportedTags: Tags
  readonly askedRuleset: string | null
  readonly ruleId: string | null
  readonly client: string | null
  readonly dialect: Dialect | null
  readonly manifest: unknown
  readonly manifestAt: Date | null
  readonly otherEnvironments: readonly string[]
}

export async function findAgentFile(
  db: Sql,
  tenant: string,
  environment: string,
  agentId: string,
): Promise<AgentFile | undefined> {
  const [row] = await db.query<AgentFile>(
    `select a.id, a.tags, a.reported_tags as "reportedTags", a.asked_ruleset as "askedRuleset", a.rule_id as "ruleId",
            a.client, a.dialect, a.manifest, a.manifest_at as "manifestAt",
            array(select b.environment from agents as b
                   where b.tenant_id = a.tenant_id and b.agent_id = a.agent_id and b.environment <> a.environment
                   order by b.environment) as "otherEnvironments"
       from agents as a where a.tenant_id = $1 and a.environment = $2 and a.agent_id = $3`,
    [tenant, environment, agentId],
  )
  return row
}

export type LiveStream = {
  readonly id: string
  readonly connectedAt: Date
  readonly keyId: string
  readonly keyLabel: string | null
  readonly address: string
  readonly client: string
}

export function listLiveStreams(db: Sql, tenant: string, environment: string, agentId: string): Promise<LiveStream[]> {
  return db.query<LiveStream>(
    `select s.id, s.connected_at as "connectedAt", s.key_id as "keyId", k.label as "keyLabel", s.address, s.client
       from agent_streams as s left join agent_keys as k on k.tenant_id = s.tenant_id and k.id = s.key_id
      where s.tenant_id = $1 and s.environment = $2 and s.agent_id = $3
      order by s.connected_at, s.id limit 200`,
    [tenant, environment, agentId],
  )
}

export type HistoryRow = {
  readonly number: number
  readonly at: Date
  readonly kind: 'first_seen' | 'connected' | 'disconnected' | 'revision' | 'assignment' | 'silent'
  readonly facts: Readonly<Record<string, string | null>>
}

export function listAgentHistory(
  db: Sql,
  tenant: string,
  environment: string,
  agentId: string,
  { before, limit }: { readonly before?: number | undefined; readonly limit: number },
): Promise<HistoryRow[]> {
  return db.query<HistoryRow>(
    `select h.number, h.at, h.kind, h.facts from agent_history as h
      where h.tenant_id = $1 and h.environment = $2 and h.agent_id = $3 and ($4::bigint is null or h.number < $4)
      order by h.number desc limit $5`,
    [tenant, environment, agentId, before ?? null, limit],
  )
}
