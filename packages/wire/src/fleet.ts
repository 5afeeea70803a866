import { assignmentSource } from './assignments.ts'
import { environmentName, identifier, idText, instant, nullable, pageOf, pageQuery } from './list.ts'
import { type Static, Type } from './type.ts'

/**
 * `current` runs what is rolled out for it; `updating` was sent it less than five minutes ago; `drifting` runs something
 * else, or cannot follow its assignment; `silent` has no stream and has not been heard for a while; `unknown` has never
 * said what it runs, or nothing is rolled out for it.
 */
export const agentStatuses = ['current', 'updating', 'drifting', 'silent', 'unknown'] as const
export const agentStatus = Type.Union([
  Type.Literal('current'),
  Type.Literal('updating'),
  Type.Literal('drifting'),
  Type.Literal('silent'),
  Type.Literal('unknown'),
])
export type AgentStatus = (typeof agentStatuses)[number]

/** How we know what an agent runs: its events say it, it said so when it connected, or it fetched it (weakest). */
export const evidenceSource = Type.Union([Type.Literal('event'), Type.Literal('stream'), Type.Literal('fetch')])

const tags = Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
  maxProperties: 64,
})

export const agentRow = Type.Object({
  agent_id: Type.String(),
  environment: Type.String(),
  display_name: nullable(Type.String()),
  status: agentStatus,
  is_connected: Type.Boolean(),
  /** Since when it has had a stream without a break worth mentioning; null while it has none. */
  connected_since: nullable(instant),
  streams: Type.Integer(),
  ruleset: nullable(Type.String()),
  ruleset_source: assignmentSource,
  /** What is rolled out of that ruleset in this environment; null when nothing is. */
  expected: nullable(Type.Object({ version: Type.Integer(), rolled_out_at: instant })),
  /** The newest evidence of what it runs; `ruleset` and `version` are null when the hash is of no revision of ours. */
  running: nullable(
    Type.Object({
      revision_hash: Type.String(),
      ruleset: nullable(Type.String()),
      version: nullable(Type.Integer()),
      source: evidenceSource,
      at: instant,
    }),
  ),
  /** Set when the agent runs a ruleset named in its own code and cannot be told another one. */
  cannot_follow: nullable(Type.Object({ asks_for: Type.String(), assigned: Type.String(), remedy: Type.String() })),
  first_seen_at: instant,
  last_seen_at: instant,
  last_event_at: nullable(instant),
})
export type AgentRow = Static<typeof agentRow>

const count = Type.Integer({ minimum: 0 })
/** How many agents each filter would show: of all that fit the other filters, whatever status was asked for. */
export const fleetSummary = Type.Object({
  total: count,
  connected: count,
  current: count,
  updating: count,
  drifting: count,
  silent: count,
  unknown: count,
})
export type FleetSummary = Static<typeof fleetSummary>

/** `-` before one turns the order round; who has nothing to be put in order by comes last either way. */
export const agentSorts = ['agent', 'environment', 'status', 'ruleset', 'event', 'seen', 'first'] as const
export type AgentSort = (typeof agentSorts)[number]
const agentSort = Type.String({
  title: `one of ${agentSorts.join(', ')}, with - before it for the other way round`,
  pattern: `^-?(${agentSorts.join('|')})$`,
})

export const agentsQuery = Type.Object({
  ...pageQuery,
  environment: Type.Optional(environmentName),
  status: Type.Optional(agentStatus),
  ruleset: Type.Optional(identifier),
  connected: Type.Optional(Type.Boolean()),
  sort: Type.Optional(agentSort),
  q: Type.Optional(Type.String({ maxLength: 200, description: 'Part of the agent id, display name or a tag' })),
})
export const agentsPage = Type.Object({ ...pageOf(agentRow).properties, summary: fleetSummary })
export type AgentsPage = Static<typeof agentsPage>

export const agentOfEnvironment = Type.Object({ environment: environmentName })

export const agentStream = Type.Object({
  id: idText,
  connected_at: instant,
  key_id: idText,
  key_label: nullable(Type.String()),
  address: Type.String(),
  client: Type.String(),
})

export const manifestRule = Type.Object({
  id: Type.String(),
  type: nullable(Type.String()),
  tools: Type.Array(Type.String()),
  mode: nullable(Type.String()),
})

export const agentDetail = Type.Object({
  ...agentRow.properties,
  /** Set by operators; they win over those the agent reports. */
  tags: Type.Record(Type.String(), Type.String()),
  reported_tags: Type.Record(Type.String(), Type.String()),
  /** The ruleset it named itself, on its stream or by fetching. */
  asks_for: nullable(Type.String()),
  rule_id: nullable(Type.String()),
  rule_pattern: nullable(Type.String()),
  client: nullable(Type.String()),
  dialect: nullable(Type.Union([Type.Literal('contract_bundle'), Type.Literal('ruleset')])),
  live_streams: Type.Array(agentStream),
  /** As the agent reported it; not proof. */
  manifest: nullable(
    Type.Object({ at: instant, revision_hash: nullable(Type.String()), rules: Type.Array(manifestRule) }),
  ),
  /** The other environments this agent id is known in. */
  other_environments: Type.Array(Type.String()),
})
export type AgentDetail = Static<typeof agentDetail>

/** What the timeline of an agent tells. `facts` hold what the kind needs and nothing else. */
export const agentHistoryKind = Type.Union([
  Type.Literal('first_seen'),
  Type.Literal('connected'),
  Type.Literal('disconnected'),
  Type.Literal('revision'),
  Type.Literal('assignment'),
  Type.Literal('silent'),
])
export const agentHistoryEntry = Type.Object({
  id: Type.String(),
  at: instant,
  kind: agentHistoryKind,
  facts: Type.Object({
    ruleset: Type.Optional(nullable(Type.String())),
    version: Type.Optional(nullable(Type.Integer())),
    revision_hash: Type.Optional(nullable(Type.String())),
    source: Type.Optional(Type.String()),
    previous: Type.Optional(nullable(Type.String())),
  }),
})
export type AgentHistoryEntry = Static<typeof agentHistoryEntry>
export const agentHistoryQuery = Type.Object({ ...pageQuery, environment: environmentName })
export const agentHistoryPage = pageOf(agentHistoryEntry)

export const agentChange = Type.Object(
  { display_name: Type.Optional(nullable(Type.String({ minLength: 1, maxLength: 255 }))), tags: Type.Optional(tags) },
  { additionalProperties: false, minProperties: 1 },
)
