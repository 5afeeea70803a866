import { environmentName, identifier, idText, instant, nullable, pageOf, pageQuery, principalRef } from './list.ts'
import { type Static, Type } from './type.ts'

/** A glob on the agent's id: `*`, `?`, `[abc]`, `[!abc]`. Printable ASCII without slashes. */
export const agentPattern = Type.String({
  minLength: 1,
  maxLength: 200,
  title: 'printable ASCII without slashes, such as build-* or worker-[0-9]',
  pattern: '^[ -.0-\\[\\]-~]+$',
})
export const tagMatch = Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
  maxProperties: 64,
})

const draft = {
  priority: Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'The lowest that matches wins' }),
  pattern: agentPattern,
  tag_match: nullable(tagMatch),
  environment: environmentName,
  ruleset: identifier,
}

export const assignmentRule = Type.Object({
  id: idText,
  ...draft,
  made_by: principalRef,
  made_at: instant,
  changed_at: instant,
  is_rolled_out: Type.Boolean({
    description: 'False: the ruleset is not live in that environment, so agents get nothing',
  }),
})
export type AssignmentRule = Static<typeof assignmentRule>
export const assignmentRuleList = pageOf(assignmentRule)
export const assignmentRuleQuery = Type.Object({ environment: Type.Optional(environmentName) })
export const assignmentRuleParams = Type.Object({ id: idText })

export const assignmentRuleBody = Type.Object(
  { ...draft, tag_match: Type.Optional(nullable(tagMatch)) },
  { additionalProperties: false },
)
/** Absent fields stay as they are; `tag_match: null` clears it. */
export const changeAssignmentRuleBody = Type.Partial(Type.Object(draft), { additionalProperties: false })

export const assignmentSource = Type.Union([
  Type.Literal('explicit'),
  Type.Literal('rule'),
  Type.Literal('agent_provided'),
  Type.Literal('none'),
])
export const assignmentResolution = Type.Object({
  ruleset: nullable(Type.String()),
  source: assignmentSource,
  rule_id: nullable(idText),
  rule_pattern: nullable(Type.String()),
})
export type AssignmentResolution = Static<typeof assignmentResolution>

/** With `rule` and no `id`: as if it were added. With both: as if that one were changed. With `id` alone: as if it were deleted. */
export const previewAssignmentBody = Type.Object(
  { id: Type.Optional(idText), rule: Type.Optional(assignmentRuleBody) },
  { additionalProperties: false },
)
export const assignmentPreview = Type.Object({
  items: Type.Array(
    Type.Object({
      agent_id: Type.String(),
      environment: environmentName,
      is_connected: Type.Boolean(),
      before: assignmentResolution,
      after: assignmentResolution,
    }),
    { description: 'Agents that would change, connected ones first, at most 1,000' },
  ),
  changed_count: Type.Integer(),
  matched_count: Type.Integer({ description: 'Known agents that the rule would match, won by it or not' }),
})
export type AssignmentPreview = Static<typeof assignmentPreview>

export const resolveAssignmentQuery = Type.Object({
  agent: Type.String({ minLength: 1, maxLength: 128 }),
  environment: environmentName,
})
export const resolvedAssignment = Type.Object({
  agent_id: Type.String(),
  environment: environmentName,
  order: Type.Union([Type.Literal('operator_first'), Type.Literal('agent_first')]),
  asked: nullable(Type.String({ description: 'What the agent itself named when it last connected' })),
  ...assignmentResolution.properties,
})
export type ResolvedAssignment = Static<typeof resolvedAssignment>

export const explicitAssignment = Type.Object({
  agent_id: Type.String(),
  environment: environmentName,
  ruleset: identifier,
  assigned_by: principalRef,
  assigned_at: instant,
  is_rolled_out: Type.Boolean(),
})
export type ExplicitAssignment = Static<typeof explicitAssignment>
export const explicitAssignmentList = pageOf(explicitAssignment)
export const explicitAssignmentQuery = Type.Object({
  environment: Type.Optional(environmentName),
  ruleset: Type.Optional(identifier),
  ...pageQuery,
})

/** `ruleset: null` clears; the agents then follow the rules again. */
export const assignBody = Type.Object(
  {
    agent_ids: Type.Array(identifier, { minItems: 1, maxItems: 1_000, uniqueItems: true }),
    environment: environmentName,
    ruleset: nullable(identifier),
  },
  { additionalProperties: false },
)
export const assignAnswer = Type.Object({ changed: Type.Integer() })
