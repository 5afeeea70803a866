import { environmentName, identifier, instant, nullable } from './list.ts'
import { type Static, Type } from './type.ts'

/** `enforced`: a rule that may stop or change its calls; `observed`: such a rule only takes notes; else `ungoverned`. */
export const toolStatuses = ['enforced', 'observed', 'ungoverned'] as const
export const toolStatus = Type.Union([Type.Literal('enforced'), Type.Literal('observed'), Type.Literal('ungoverned')])
export type ToolStatus = (typeof toolStatuses)[number]

/** Where an agent's rules are known from: a stored revision it runs, its own report, or nowhere. */
export const coverageSource = Type.Union([Type.Literal('revision'), Type.Literal('manifest'), Type.Literal('nothing')])

export const coverageQuery = Type.Object({
  environment: Type.Optional(environmentName),
  since: Type.Optional(instant),
})
export const agentCoverageQuery = Type.Object({ environment: environmentName, since: Type.Optional(instant) })

export const coveredTool = Type.Object({
  tool: Type.String(),
  status: toolStatus,
  is_used: Type.Boolean({ description: 'It was called in the window; otherwise only declared' }),
  calls: Type.Integer(),
  last_used_at: nullable(instant),
  rules: Type.Array(
    Type.Object({ id: Type.String(), type: Type.String(), action: Type.String(), mode: Type.String() }),
    { description: 'The rules about it, in the order they speak' },
  ),
})
export type CoveredTool = Static<typeof coveredTool>

const tally = {
  tools: Type.Integer(),
  enforced: Type.Integer(),
  observed: Type.Integer(),
  ungoverned: Type.Integer(),
}

export const agentCoverageRow = Type.Object({
  agent_id: Type.String(),
  environment: Type.String(),
  display_name: nullable(Type.String()),
  source: coverageSource,
  running: nullable(
    Type.Object({ ruleset: nullable(Type.String()), version: nullable(Type.Integer()), revision_hash: Type.String() }),
  ),
  ...tally,
  calls: Type.Integer(),
  last_seen_at: instant,
})
export type AgentCoverageRow = Static<typeof agentCoverageRow>

export const agentCoverage = Type.Object({
  ...agentCoverageRow.properties,
  since: instant,
  until: instant,
  items: Type.Array(coveredTool, { description: 'Ungoverned ones first' }),
  /** Limits that hold for the session as a whole. They count calls and govern no tool by itself. */
  session_limits: Type.Array(Type.Object({ name: Type.String(), max: Type.Integer() })),
})
export type AgentCoverage = Static<typeof agentCoverage>

export const fleetCoverage = Type.Object({
  since: instant,
  until: instant,
  agents: Type.Array(agentCoverageRow, { description: 'Those with ungoverned tools first, at most 1,000' }),
  total_agents: Type.Integer(),
  fully_enforced: Type.Integer(),
  with_ungoverned: Type.Integer(),
  ungoverned: Type.Array(
    Type.Object({
      tool: Type.String(),
      agent_count: Type.Integer(),
      calls: Type.Integer(),
      agents: Type.Array(Type.Object({ agent_id: Type.String(), environment: Type.String() }), {
        description: 'At most 20',
      }),
    }),
    { description: 'Tools no rule is about, most agents first, at most 200' },
  ),
})
export type FleetCoverage = Static<typeof fleetCoverage>

/** A rule that asks a human about every call of a tool, added to the newest revision of a ruleset. Nothing is kept. */
export const draftRuleBody = Type.Object(
  {
    tool: Type.String({ minLength: 1, maxLength: 255 }),
    action: Type.Optional(Type.Union([Type.Literal('ask'), Type.Literal('block')])),
    mode: Type.Optional(Type.Union([Type.Literal('enforce'), Type.Literal('observe')])),
  },
  { additionalProperties: false },
)
export const draftRule = Type.Object({
  ruleset: identifier,
  based_on_version: Type.Integer(),
  rule_id: Type.String(),
  yaml: Type.String({ description: 'The whole document with the new rule, to be edited and uploaded' }),
  line: Type.Integer({ description: 'Where the new rule begins' }),
  end_line: Type.Integer(),
})
export type DraftRule = Static<typeof draftRule>
