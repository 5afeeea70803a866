import type { CurrentRollout } from '../rollouts/index.ts'

/** What the streams need to know of a ruleset that is live. */
export type Rollout = CurrentRollout
export type RenderingName = keyof CurrentRollout['renderings']

export type Prefix = '/v1' | '/api/v1'
export type AssignmentSource = 'explicit' | 'rule' | 'agent_provided' | 'none'

export type Assignment = {
  readonly ruleset: string | null
  readonly source: AssignmentSource
  readonly ruleId?: string | undefined
  readonly rulePattern?: string | undefined
}
