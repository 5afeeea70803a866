import { baseline } from './baselines.ts'
import { environmentName, identifier, idText, instant, nullable, pageOf, pageQuery, principalRef } from './list.ts'
import { replay } from './replays.ts'
import { rulesetVersion, semanticDiff } from './rulesets.ts'
import { type Static, Type } from './type.ts'

/** Told by whoever asks; `rollback` goes back to an older version, `promotion` brings one over from another environment. */
export const rolloutKind = Type.Union([Type.Literal('rollout'), Type.Literal('promotion'), Type.Literal('rollback')])
export type RolloutKind = Static<typeof rolloutKind>

/** `running`: an event or a reconnect carried the hash. Only that counts as acknowledged. `overdue`: five minutes without it. */
export const rolloutAgentState = Type.Union([
  Type.Literal('waiting'),
  Type.Literal('sent'),
  Type.Literal('fetched'),
  Type.Literal('running'),
  Type.Literal('overdue'),
  Type.Literal('offline'),
])
export type RolloutAgentState = Static<typeof rolloutAgentState>

export const rolloutCounts = Type.Object({
  total: Type.Integer(),
  waiting: Type.Integer(),
  sent: Type.Integer(),
  fetched: Type.Integer(),
  running: Type.Integer(),
  overdue: Type.Integer(),
  offline: Type.Integer(),
})
export type RolloutCounts = Static<typeof rolloutCounts>

export const rollout = Type.Object({
  id: idText,
  ruleset: identifier,
  environment: environmentName,
  version: Type.Integer(),
  revision_id: idText,
  hash: Type.String(),
  kind: rolloutKind,
  note: nullable(Type.String()),
  by: principalRef,
  at: instant,
  previous_version: nullable(Type.Integer()),
  is_current: Type.Boolean(),
})
export type Rollout = Static<typeof rollout>

export const rolloutList = pageOf(rollout)
export const rolloutListQuery = Type.Object({
  ruleset: Type.Optional(identifier),
  environment: Type.Optional(environmentName),
  by: Type.Optional(idText),
  since: Type.Optional(instant),
  until: Type.Optional(instant),
  ...pageQuery,
})
export const rolloutParams = Type.Object({ id: idText })

export const rolloutAgent = Type.Object({
  agent_id: Type.String(),
  state: rolloutAgentState,
  since: instant,
})
export type RolloutAgent = Static<typeof rolloutAgent>

export const rolloutDetail = Type.Object({
  ...rollout.properties,
  counts: rolloutCounts,
  agents: Type.Array(rolloutAgent, { description: 'At most 1,000, those that need a look first' }),
})
export type RolloutDetail = Static<typeof rolloutDetail>

const target = { version: rulesetVersion, environment: environmentName }
export const previewRolloutBody = Type.Object(target, { additionalProperties: false })
export const rolloutBody = Type.Object(
  {
    ...target,
    kind: Type.Optional(rolloutKind),
    note: Type.Optional(Type.String({ maxLength: 2_000 })),
    expected_current_version: Type.Optional(
      nullable(Type.Integer({ description: 'What the preview showed as live; another one by now answers 409' })),
    ),
  },
  { additionalProperties: false },
)

export const rolloutPreview = Type.Object({
  ruleset: identifier,
  environment: environmentName,
  version: Type.Integer(),
  kind: rolloutKind,
  is_protected: Type.Boolean(),
  current: nullable(Type.Object({ version: Type.Integer(), rollout_id: idText, rolled_out_at: instant })),
  agents: Type.Array(
    Type.Object({
      agent_id: Type.String(),
      is_connected: Type.Boolean(),
      is_running_it: Type.Boolean(),
    }),
    { description: 'Those it will reach: connected ones first, at most 1,000' },
  ),
  connected_count: Type.Integer(),
  agent_count: Type.Integer(),
  semantic: nullable(semanticDiff),
  before_yaml: nullable(Type.String()),
  after_yaml: Type.String(),
  signing_key_count: Type.Integer(),
  /** The newest finished replay of this very text; null when it was never replayed. */
  newest_replay: nullable(replay),
  /** Revisions whose rules the environment puts in front; they are part of `after_yaml`. */
  baselines: Type.Array(baseline),
})
export type RolloutPreview = Static<typeof rolloutPreview>
