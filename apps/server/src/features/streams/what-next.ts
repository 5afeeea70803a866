import { isOfRollout } from '../rollouts/index.ts'
import type { Rollout } from './rollout.ts'

/** What decides what a connection is sent next. */
export type Standing = {
  readonly reported: string | undefined
  readonly knownName: string | undefined
  readonly hasMoved: boolean
  readonly sentRolloutId: string | undefined
}

/**
 * `content`: the ruleset itself, under whatever name the client goes by. `move`: told by name, because the client goes
 * by another one. `noted`: it runs that already.
 */
export type Next = 'nothing' | 'noted' | 'content' | 'move'

/** Brings a connection from what it was sent to what is rolled out for it (agent-api §3.4, §3.5, §3.7). */
export function whatNext(standing: Standing, rollout: Rollout): Next {
  const { reported, knownName, hasMoved, sentRolloutId } = standing
  if (sentRolloutId === rollout.rolloutId) return 'nothing'
  // A client without a name keeps having none when it is sent content, so that it is resolved anew each time it comes.
  const goesByAnother = knownName !== rollout.ruleset && (knownName !== undefined || hasMoved)
  if (goesByAnother) return 'move'
  const isFirst = sentRolloutId === undefined && !hasMoved
  return isFirst && reported !== undefined && isOfRollout(rollout, reported) ? 'noted' : 'content'
}
