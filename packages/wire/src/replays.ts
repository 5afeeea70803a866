import { environmentName, identifier, idText, instant, nullable, pageOf, pageQuery, principalRef } from './list.ts'
import { rulesetVersion, yamlCharactersMax } from './rulesets.ts'
import { type Static, Type } from './type.ts'

/** A replay runs in the background; `queued` and `running` ones can be cancelled. */
export const replayStatuses = ['queued', 'running', 'done', 'cancelled', 'failed'] as const
export const replayStatus = Type.Union([
  Type.Literal('queued'),
  Type.Literal('running'),
  Type.Literal('done'),
  Type.Literal('cancelled'),
  Type.Literal('failed'),
])
export type ReplayStatus = (typeof replayStatuses)[number]

/** What becomes of a recorded call. `undecided`: a condition reads a value that was redacted or cut before it was stored. */
export const replayChanges = ['newly_blocked', 'newly_held', 'newly_allowed', 'same', 'undecided'] as const
export const replayChange = Type.Union([
  Type.Literal('newly_blocked'),
  Type.Literal('newly_held'),
  Type.Literal('newly_allowed'),
  Type.Literal('same'),
  Type.Literal('undecided'),
])
export type ReplayChange = (typeof replayChanges)[number]

const count = Type.Integer({ minimum: 0 })
const changeCounts = {
  newly_blocked: count,
  newly_held: count,
  newly_allowed: count,
  same: count,
  undecided: count,
}

/** Either a text or a revision that is stored. Compared with what was recorded, or with a revision given as baseline. */
export const replayBody = Type.Object(
  {
    yaml: Type.Optional(Type.String({ maxLength: yamlCharactersMax })),
    ruleset: Type.Optional(identifier),
    version: Type.Optional(rulesetVersion),
    baseline: Type.Optional(
      nullable(Type.Object({ ruleset: identifier, version: rulesetVersion }, { additionalProperties: false })),
    ),
    since: Type.String({ format: 'date-time', description: 'Calls at or after' }),
    until: Type.Optional(
      Type.String({ format: 'date-time', description: 'Calls before; the moment it is asked for unless told' }),
    ),
    environment: Type.Optional(environmentName),
    agents: Type.Optional(
      Type.Array(Type.String({ maxLength: 500 }), {
        maxItems: 50,
        description: 'Agent ids, or patterns such as build-*',
      }),
    ),
    tools: Type.Optional(
      Type.Array(Type.String({ maxLength: 500 }), {
        maxItems: 50,
        description: 'Tool names, or patterns such as kubectl_*',
      }),
    ),
  },
  { additionalProperties: false },
)

export const replayCounts = Type.Object({
  calls: count,
  distinct_calls: count,
  ...changeCounts,
})
export type ReplayCounts = Static<typeof replayCounts>

export const replay = Type.Object({
  id: idText,
  ruleset: Type.String({ description: 'The name the document gives itself' }),
  version: nullable(Type.Integer({ description: 'Null for a draft' })),
  draft_hash: Type.String({ description: 'SHA-256 of the text that was replayed' }),
  baseline: nullable(Type.Object({ ruleset: identifier, version: Type.Integer() })),
  since: instant,
  until: instant,
  environment: nullable(environmentName),
  agents: Type.Array(Type.String()),
  tools: Type.Array(Type.String()),
  status: replayStatus,
  progress: Type.Object({
    rows_read: count,
    rows_total: nullable(Type.Integer({ description: 'As far as the counts tell; null until it began' })),
    distinct_calls: count,
  }),
  /** Null until it is done. */
  counts: nullable(replayCounts),
  failure: nullable(Type.String()),
  made_by: principalRef,
  made_at: instant,
  started_at: nullable(instant),
  ended_at: nullable(instant),
  is_cancelling: Type.Boolean(),
})
export type Replay = Static<typeof replay>

export const replayRule = Type.Object({
  rule: Type.String({
    description:
      'The rule or limit that makes the difference: the draft’s, or for newly allowed the one that stopped it',
  }),
  newly_blocked: count,
  newly_held: count,
  newly_allowed: count,
  undecided: count,
  observed: Type.Integer({ description: 'How often it would have fired and is only observed' }),
})
export type ReplayRule = Static<typeof replayRule>

const verdictThen = Type.Object({ verdict: Type.String(), rule: nullable(Type.String()) })
export const replaySample = Type.Object({
  change: replayChange,
  rule: nullable(Type.String()),
  event_id: idText,
  at: instant,
  agent_id: Type.String(),
  environment: Type.String(),
  tool: Type.String(),
  args: Type.Unknown({ description: 'As recorded: redacted' }),
  was: verdictThen,
  now: Type.Object({ ...verdictThen.properties, message: nullable(Type.String()) }),
  why: nullable(Type.String({ description: 'For undecided calls: which value was not recorded' })),
  count: Type.Integer({ description: 'How many recorded calls were the same' }),
})
export type ReplaySample = Static<typeof replaySample>

export const replayResult = Type.Object({
  counts: replayCounts,
  rules: Type.Array(replayRule, { description: 'Most changes first, at most 500' }),
  tools: Type.Array(Type.Object({ tool: Type.String(), ...changeCounts }), { description: 'At most 200' }),
  samples: Type.Array(replaySample, { description: 'At most 200: some for each change and rule' }),
  histogram: Type.Object({
    bucket_seconds: Type.Integer(),
    buckets: Type.Array(Type.Object({ at: instant, ...changeCounts })),
  }),
  assumptions: Type.Array(Type.String(), { description: 'What the replay took for granted' }),
  skipped: Type.Integer({ description: 'Recorded calls that cannot be replayed, such as those decided by a workflow' }),
  rows_per_second: Type.Number(),
  distinct_per_second: Type.Number(),
})
export type ReplayResult = Static<typeof replayResult>

export const replayDetail = Type.Object({ ...replay.properties, result: nullable(replayResult) })
export type ReplayDetail = Static<typeof replayDetail>

export const replayList = pageOf(replay)
export const replayListQuery = Type.Object({
  ruleset: Type.Optional(identifier),
  version: Type.Optional(rulesetVersion),
  ...pageQuery,
})
export const replayParams = Type.Object({ id: idText })
