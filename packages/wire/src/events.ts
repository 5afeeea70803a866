import { idText, instant, nullable, pageQuery } from './list.ts'
import { Type } from './type.ts'

/**
 * What can be filtered by and counted. Values of one are alternatives, different ones narrow each other; `not_` and the
 * name leaves values out. In agents, tools and rules an asterisk stands for any characters: `build-*`.
 */
export const eventDimensions = ['agent', 'tool', 'environment', 'verdict', 'mode', 'rule'] as const
export type EventDimension = (typeof eventDimensions)[number]

/** Every event falls into exactly one; `observed` is what would have been blocked. */
export const eventSeries = ['allowed', 'blocked', 'held', 'observed', 'failed', 'other'] as const
export type EventSeries = (typeof eventSeries)[number]

const eventSeriesWord = Type.Union([
  Type.Literal('allowed'),
  Type.Literal('blocked'),
  Type.Literal('held'),
  Type.Literal('observed'),
  Type.Literal('failed'),
  Type.Literal('other'),
])

const choices = (description: string) =>
  Type.Optional(Type.Array(Type.String({ maxLength: 1_024 }), { maxItems: 50, description }))

export const eventFilter = {
  q: Type.Optional(
    Type.String({ maxLength: 500, description: 'Text that occurs anywhere in the event, in any letter case' }),
  ),
  agent: choices('Agent ids, or patterns such as build-*; repeat for several'),
  tool: choices('Tool names, or patterns such as kubectl_*; repeat for several'),
  environment: choices('Environments; repeat for several'),
  verdict: choices('Actions such as call_blocked, in new or old words; repeat for several'),
  mode: choices('enforce or observe; repeat for several'),
  rule: choices('Rule ids; repeat for several; empty means events that name no rule'),
  not_agent: choices('Agent ids to leave out'),
  not_tool: choices('Tool names to leave out'),
  not_environment: choices('Environments to leave out'),
  not_verdict: choices('Actions to leave out'),
  not_mode: choices('Modes to leave out'),
  not_rule: choices('Rule ids to leave out; empty leaves out events that name no rule'),
  since: Type.Optional(Type.String({ format: 'date-time', description: 'At or after, by the time the agent gave' })),
  until: Type.Optional(Type.String({ format: 'date-time', description: 'Before, by the time the agent gave' })),
}

export const eventListQuery = Type.Object({ ...eventFilter, ...pageQuery })
export const eventFacetsQuery = Type.Object(eventFilter)
export const eventHistogramQuery = Type.Object({
  ...eventFilter,
  buckets: Type.Optional(Type.Integer({ minimum: 4, maximum: 200, description: 'About how many; 48 unless told' })),
})
export const eventExportQuery = Type.Object({
  ...eventFilter,
  format: Type.Union([Type.Literal('csv'), Type.Literal('jsonl')]),
})

/** What was odd about an event when it arrived. */
export const eventFlags = ['time_unreadable', 'clock_off', 'odd_text', 'redacted', 'cut', 'exact_numbers'] as const

const eventFields = {
  id: idText,
  at: Type.String({ format: 'date-time', description: 'By the agent’s clock' }),
  received_at: instant,
  environment: Type.String(),
  agent_id: Type.String(),
  tool: Type.String(),
  verdict: Type.String({
    description: 'Canonical action: call_allowed, call_blocked, call_asked … or whatever was sent',
  }),
  series: eventSeriesWord,
  mode: Type.String(),
  rule: nullable(Type.String()),
  reason: nullable(Type.String()),
  call_id: Type.String(),
  session_id: nullable(Type.String()),
  side_effect: nullable(Type.String()),
  revision: nullable(Type.String({ description: 'Hash of the ruleset revision the agent ran' })),
  ruleset: nullable(Type.String()),
  duration_ms: nullable(Type.Number()),
  key_prefix: nullable(Type.String({ description: 'Of the agent key that delivered it' })),
  flags: Type.Array(Type.String()),
}

export const event = Type.Object(eventFields)

export const eventPage = Type.Object({
  items: Type.Array(event),
  next_cursor: nullable(Type.String()),
  searched_to: nullable(
    Type.String({
      format: 'date-time',
      description: 'Set when the search took too long and stopped here; next_cursor goes on from there',
    }),
  ),
})

export const countedTotal = Type.Object({
  count: Type.Integer(),
  is_exact: Type.Boolean({ description: 'When false there are more than `count`: show "10,000+"' }),
})

export const eventFacet = Type.Object({
  values: Type.Array(
    Type.Object({ value: nullable(Type.String({ description: 'Null: events without one' })), count: Type.Integer() }),
  ),
  more: Type.Integer({ description: 'How many further values there are' }),
})

/** Each facet is counted under the filters of the others, so that its own values stay visible. */
export const eventFacets = Type.Object({
  total: countedTotal,
  is_exact: Type.Boolean({ description: 'When false the facets count the newest 10,000 matches' }),
  facets: Type.Object({
    agent: eventFacet,
    tool: eventFacet,
    environment: eventFacet,
    verdict: eventFacet,
    mode: eventFacet,
    rule: eventFacet,
  }),
})

export const eventHistogram = Type.Object({
  since: instant,
  until: instant,
  bucket_seconds: Type.Integer(),
  is_exact: Type.Boolean(),
  total: Type.Integer(),
  buckets: Type.Array(
    Type.Object({
      at: instant,
      allowed: Type.Integer(),
      blocked: Type.Integer(),
      held: Type.Integer(),
      observed: Type.Integer(),
      failed: Type.Integer(),
      other: Type.Integer(),
    }),
  ),
})

/** The approval a held call waited for, when it can be told. `is_certain` is false when it was matched by likeness. */
export const eventApproval = Type.Object({
  id: idText,
  status: Type.String(),
  decided_by: nullable(Type.String()),
  asked_at: instant,
  decided_at: nullable(instant),
  is_certain: Type.Boolean(),
})

export const eventDetail = Type.Object({
  ...eventFields,
  args: Type.Unknown({ description: 'The call’s arguments, redacted' }),
  principal: Type.Unknown(),
  rules_evaluated: Type.Unknown(),
  workflow: Type.Unknown(),
  payload: Type.Unknown({ description: 'The whole event as it came, redacted' }),
  story: Type.Array(event, { description: 'Every event of the same call, in order, this one among them' }),
  approval: nullable(eventApproval),
})

export const purgeWords = 'purge events'
export const eventPurge = Type.Object({
  older_than_days: Type.Integer({ minimum: 1, maximum: 36_500 }),
  confirm: Type.String({ description: `Must be "${purgeWords}"` }),
})
export const eventPurged = Type.Object({ deleted_count: Type.Integer(), cutoff: instant })
