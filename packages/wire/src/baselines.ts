import { type Static, Type } from 'typebox'
import { environmentName, identifier } from './list.ts'
import { rulesetVersion } from './rulesets.ts'

/** A revision whose rules stand in front of every ruleset of an environment. */
export const baseline = Type.Object({ ruleset: identifier, version: rulesetVersion }, { additionalProperties: false })
export type Baseline = Static<typeof baseline>

export const environmentBaselines = Type.Object({
  environment: environmentName,
  baselines: Type.Array(baseline),
  /** What is live there, and whether it includes them as they are now. */
  rulesets: Type.Array(
    Type.Object({
      ruleset: identifier,
      version: Type.Integer(),
      from_version: Type.Integer({ description: 'The revision as its author uploaded it' }),
      is_included: Type.Boolean(),
    }),
  ),
})
export type EnvironmentBaselines = Static<typeof environmentBaselines>

export const environmentBaselinesParams = Type.Object({ name: environmentName })
/** Replaces all of them, in the order given; what is live is rolled out anew with them. */
export const environmentBaselinesBody = Type.Object(
  { baselines: Type.Array(baseline, { maxItems: 10 }) },
  { additionalProperties: false },
)
