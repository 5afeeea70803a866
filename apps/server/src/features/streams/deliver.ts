import { type Connection, send } from './connection.ts'
import type { HubNeeds } from './hub-needs.ts'
import type { Rollout } from './rollout.ts'
import { assignmentFrame, makeRulesetFrames, updatedFrame } from './ruleset-frames.ts'
import { whatNext } from './what-next.ts'

/** Sends connections what they lack. */
export type Deliver = {
  /** The ruleset it follows, if it was not sent this rollout yet; answers whether bytes went out. */
  readonly content: (connection: Connection, rollout: Rollout) => boolean
  /** The hint that something it may run changed, for clients that fetch by themselves. */
  readonly hint: (connection: Connection, rollout: Rollout) => void
}

export function makeDeliver(
  { clock, fleet }: Pick<HubNeeds, 'clock' | 'fleet'>,
  onCaughtUp: (connection: Connection) => void,
): Deliver {
  const frameOf = makeRulesetFrames()
  return {
    content: (connection, rollout) => {
      const { caller, rendering, knownName, hasMoved, sentRolloutId } = connection
      const next = whatNext({ reported: caller.reported, knownName, hasMoved, sentRolloutId }, rollout)
      if (next === 'nothing') return false
      if (next === 'noted') {
        connection.sentRolloutId = rollout.rolloutId
        return false
      }
      const isPointer = next === 'move'
      const reading = { rendering, signingKeyId: caller.signingKeyId, isPointer }
      const now = clock.now().getTime()
      if (!send(connection, frameOf(rollout, reading), now, onCaughtUp)) return false
      connection.sentRolloutId = rollout.rolloutId
      connection.hasMoved = false
      if (isPointer) {
        connection.knownName = rollout.ruleset
        // Clients that knew the pointer form ignore it by now; those that did not fetch at this word.
        const { agentId } = caller
        send(connection, assignmentFrame(agentId, rollout.ruleset, connection.source), now, onCaughtUp)
      }
      fleet.sent(connection, rollout)
      return true
    },
    hint: (connection, rollout) => {
      const { prefix, environment } = connection.caller
      if (prefix !== '/v1') return
      const frame = updatedFrame(rollout, connection.rendering, environment)
      const isOut = send(connection, frame, clock.now().getTime(), onCaughtUp)
      if (isOut && connection.fetched?.ruleset === rollout.ruleset) {
        connection.fetched = { ruleset: rollout.ruleset, version: rollout.version }
      }
    },
  }
}
