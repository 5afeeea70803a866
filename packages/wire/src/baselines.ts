import { environmentName, identifier, nullable } from './list.ts'
import { rulesetVersion, semanticDiff } from './rulesets.ts'
import { type Static, Type } from './type.ts'

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
const wanted = Type.Array(baseline, { maxItems: 10 })
export const environmentBaselinesBody = Type.Object(
  {
    baselines: wanted,
    expected: Type.Optional(
      Type.Array(baseline, { maxItems: 10, description: 'What was shown before; others by now answer 409' }),
    ),
  },
  { additionalProperties: false },
)

export const previewBaselinesBody = Type.Object({ baselines: wanted }, { additionalProperties: false })
/** What these baselines would change for each ruleset that is live in the environment. Nothing is written. */
export const baselinesPreview = Type.Object({
  environment: environmentName,
  /** Why they can be baselines of nothing, such as a version that is not there. */
  problem: nullable(Type.String()),
  rulesets: Type.Array(
    Type.Object({
      ruleset: identifier,
      version: Type.Integer({ description: 'What is live' }),
      from_version: Type.Integer({ description: 'The revision as its author uploaded it' }),
      is_changed: Type.Boolean(),
      semantic: nullable(semanticDiff),
      problem: nullable(Type.String({ description: 'Why it cannot include them: then nothing at all is changed' })),
    }),
  ),
})
export type BaselinesPreview = Static<typeof baselinesPreview>
