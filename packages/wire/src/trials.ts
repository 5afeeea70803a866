import { environmentName, identifier, idText, instant, nullable, pageOf, pageQuery, principalRef } from './list.ts'
import { rulesetVersion } from './rulesets.ts'
import { type Static, Type } from './type.ts'

/**
 * A rollout that observes first. `observing` until the time is over; then `enforced` when few enough calls would have been
 * blocked or held. `stopped`: there were more, so it goes on observing until a person decides. `superseded`: something else
 * was rolled out meanwhile.
 */
export const trialStatus = Type.Union([
  Type.Literal('observing'),
  Type.Literal('enforcing'),
  Type.Literal('enforced'),
  Type.Literal('stopped'),
  Type.Literal('superseded'),
  Type.Literal('cancelled'),
])
export type TrialStatus = Static<typeof trialStatus>

export const rolloutTrial = Type.Object({
  id: idText,
  ruleset: identifier,
  environment: environmentName,
  version: Type.Integer({ description: 'What becomes live at the end' }),
  trial_version: Type.Integer({ description: 'What is live meanwhile: the same with some rules only observing' }),
  rollout_id: idText,
  rules: Type.Array(Type.String(), { description: 'The rules that only observe: those that are new or changed' }),
  would_block_max: Type.Integer(),
  would_blocks: Type.Integer({ description: 'Calls that these rules would have stopped so far' }),
  ends_at: instant,
  status: trialStatus,
  made_by: principalRef,
  made_at: instant,
  ended_at: nullable(instant),
})
export type RolloutTrial = Static<typeof rolloutTrial>

export const rolloutTrialBody = Type.Object(
  {
    version: rulesetVersion,
    environment: environmentName,
    minutes: Type.Integer({ minimum: 1, maximum: 43_200, description: 'How long it observes' }),
    would_block_max: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description: 'It enforces when no more calls would have been stopped; 0 unless told',
      }),
    ),
  },
  { additionalProperties: false },
)
export const rolloutTrialList = pageOf(rolloutTrial)
export const rolloutTrialListQuery = Type.Object({ ruleset: Type.Optional(identifier), ...pageQuery })
export const rolloutTrialParams = Type.Object({ id: idText })
export const promoteTrialBody = Type.Object(
  { note: Type.Optional(Type.String({ maxLength: 2_000, description: 'Why, for the history and the trail' })) },
  { additionalProperties: false },
)
