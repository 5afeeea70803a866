import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { RevisionOfHash } from '../rulesets/index.ts'
import type { ReadCurrentRollout } from './keep-current-rollouts.ts'
import { isOfRollout } from './rollout.ts'
import { type Step, writeSteps } from './rollout-agents-table.ts'

type Needs = {
  readonly db: Db
  readonly bus: Pick<Bus, 'announce'>
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  readonly know: { readonly currentRollout: ReadCurrentRollout; readonly revisionOfHash: RevisionOfHash }
}

type OfRollout = { readonly tenant: string; readonly rolloutId: string; readonly agentId: string; readonly at: Date }
type OfAgent = {
  readonly tenant: string
  readonly environment: string
  readonly agentId: string
  readonly revisionHash: string
  readonly at: Date
}

export type RolloutProgress = {
  /** The three cost a look into a map; what is new is written a moment later, many at a time. */
  readonly noteSent: (sent: OfRollout) => void
  readonly noteFetched: (fetched: OfRollout) => void
  /** An event or a reconnect carried the hash; if it is of what is live, the agent runs it. */
  readonly noteRunning: (evidence: OfAgent) => void
  /** Writes what is left; called when the server stops. */
  readonly flush: () => Promise<void>
}

/** Gone by without another step, so that what is sent to thousands is not held up by writing down that it was; not for ever. */
const gatherMs = 250
const gathersMax = 4
const retryMs = 2_000
/** Steps that were written already and come again with every event and fetch. */
const knownMax = 100_000
const waitingMax = 200_000

/** Follows agents through rollouts: what was pushed to them, what they fetched, what they were seen to run. */
export function noteProgress({ db, bus, clock, log, know }: Needs): RolloutProgress {
  const known = new Set<string>()
  let waiting = new Map<string, Step>()
  let timer: (() => void) | undefined
  let writing: Promise<void> = Promise.resolve()

  const schedule = (delayMs: number, gathers = 1): void => {
    if (timer) return
    const before = waiting.size
    timer = clock.after(delayMs, () => {
      timer = undefined
      if (waiting.size > before && gathers < gathersMax) {
        schedule(gatherMs, gathers + 1)
        return
      }
      writing = write()
      return writing
    })
  }

  const add = (kind: 'sentAt' | 'fetchedAt' | 'runningAt', { tenant, rolloutId, agentId, at }: OfRollout): void => {
    const step = `${kind} ${rolloutId} ${agentId}`
    if (known.has(step) || waiting.size >= waitingMax) return
    if (known.size >= knownMax) known.clear()
    known.add(step)
    const key = `${rolloutId} ${agentId}`
    const before = waiting.get(key) ?? { tenant, rolloutId, agentId, sentAt: null, fetchedAt: null, runningAt: null }
    waiting.set(key, { ...before, [kind]: at })
    schedule(gatherMs)
  }

  const write = async (): Promise<void> => {
    if (waiting.size === 0) return
    const batch = waiting
    waiting = new Map()
    try {
      await db.inTx(async (tx) => {
        for (const { tenant, rolloutId, environment, ruleset } of await writeSteps(tx, [...batch.values()])) {
          const body = { rollout_id: rolloutId, environment, ruleset }
          await bus.announce(tx, { topic: 'rollout.progress', tenant, body })
        }
      })
    } catch (err) {
      log.warn({ err, steps: batch.size }, 'The progress of rollouts could not be written and is tried again')
      for (const [key, step] of batch) {
        const later = waiting.get(key)
        waiting.set(key, later ? merged(step, later) : step)
      }
      schedule(retryMs)
    }
  }

  const running = async ({ tenant, environment, agentId, revisionHash, at }: OfAgent): Promise<void> => {
    const revision = await know.revisionOfHash(tenant, revisionHash)
    if (!revision) return
    const rollout = await know.currentRollout(tenant, environment, revision.ruleset)
    if (!rollout || !isOfRollout(rollout, revisionHash)) return
    // What is live for the first time cannot have been run before, however wrong the agent's clock is. After a step
    // back, an event from the last time it was live proves nothing.
    if (rollout.wasLiveBefore && at < rollout.rolledOutAt) return
    const isEarly = at < rollout.rolledOutAt
    add('runningAt', { tenant, rolloutId: rollout.rolloutId, agentId, at: isEarly ? rollout.rolledOutAt : at })
  }

  return {
    noteSent: (sent) => {
      add('sentAt', sent)
    },
    noteFetched: (fetched) => {
      add('fetchedAt', fetched)
    },
    noteRunning: (evidence) => {
      running(evidence).catch((err: unknown) => {
        // The agent says it again with its next event.
        log.debug({ err }, 'Evidence of a running revision could not be looked up')
      })
    },
    flush: async () => {
      timer?.()
      timer = undefined
      await writing
      await write()
    },
  }
}

function merged(earlier: Step, later: Step): Step {
  return {
    ...earlier,
    sentAt: earlier.sentAt ?? later.sentAt,
    fetchedAt: earlier.fetchedAt ?? later.fetchedAt,
    runningAt: earlier.runningAt ?? later.runningAt,
  }
}
