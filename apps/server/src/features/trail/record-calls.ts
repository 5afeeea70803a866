import type { Clock } from '../../kernel/clock.ts'
import { type Db, isDatabaseFull, isDatabaseGone } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { Act } from './act.ts'
import { keepSealers } from './kept-sealers.ts'
import { type DatedAct, type EntryKeys, writeActsAlone } from './write-acts.ts'

type Needs = EntryKeys & {
  readonly db: Pick<Db, 'query' | 'inTx'>
  readonly clock: Pick<Clock, 'now' | 'after'>
  readonly newId: () => string
  readonly batchMax?: number
  readonly batchMin?: number
  readonly waitingMax?: number
}

export type CallRecorder = {
  /** Resolves when the entry is durable. Rejects with `trail_unavailable` when it is not, and then it never will be. */
  readonly record: (act: Act) => Promise<void>
  /** Takes nothing more and waits for what was taken. */
  readonly close: () => Promise<void>
}

type Waiting = DatedAct & { readonly resolve: () => void; readonly reject: (cause: unknown) => void }

/** While one batch waits for the disk the next is made and sent. */
const lanes = 2
/** Fewer than these are not worth a commit of their own. */
const worthACommit = 32

/**
 * For calls, which change nothing of ours besides their entry: those that come while others are being written are
 * written together, with one statement and one commit. Management acts use `recordAct` in their own transaction.
 */
export function callRecorder(needs: Needs): CallRecorder {
  const { db, clock, newId, batchMax = 500, batchMin = worthACommit, waitingMax = 20_000 } = needs
  const waiting: Waiting[] = []
  const running = new Set<Promise<void>>()
  let isClosed = false
  let beingWritten = 0

  const sealers = keepSealers(needs)
  const write = (batch: readonly Waiting[]): Promise<void> => writeActsAlone(db, { macOf: needs.macOf, sealers }, batch)

  const settle = async (batch: readonly Waiting[]): Promise<void> => {
    try {
      await write(batch)
      for (const one of batch) one.resolve()
    } catch (cause) {
      await settleApart(batch, cause)
    }
  }

  /** An entry that cannot be written must not take its neighbors with it. */
  const settleApart = async (batch: readonly Waiting[], cause: unknown): Promise<void> => {
    // Nothing would change by asking again, and whoever waits should know at once.
    const isForAll = batch.length === 1 || isDatabaseGone(cause) || isDatabaseFull(cause)
    if (isForAll) for (const one of batch) one.reject(unavailable(cause))
    else for (const one of batch) await settle([one])
  }

  const run = async (): Promise<void> => {
    // A lane that begins later in this turn finds what came in the same turn.
    await Promise.resolve()
    while (waiting.length > 0) {
      const batch = waiting.splice(0, batchSize())
      beingWritten += batch.length
      await settle(batch)
      beingWritten -= batch.length
    }
  }

  /** Its share of all that are under way: were one lane to take what there is, the other would never have any. */
  const batchSize = (): number => {
    const share = Math.ceil((waiting.length + beingWritten) / lanes)
    return Math.min(batchMax, Math.max(batchMin, share))
  }

  const start = (): void => {
    if (running.size >= lanes) return
    const lane = run().finally(() => {
      running.delete(lane)
      if (waiting.length > 0) start()
    })
    running.add(lane)
  }

  return {
    record: (act) =>
      new Promise((resolve, reject) => {
        if (isClosed || waiting.length >= waitingMax) {
          reject(unavailable(isClosed ? 'stopping' : 'too many wait'))
          return
        }
        waiting.push({ act, id: newId(), at: clock.now(), resolve, reject })
        start()
      }),
    close: async () => {
      isClosed = true
      while (running.size > 0) await Promise.all(running)
      sealers.forget()
    },
  }
}

function unavailable(cause: unknown): Problem {
  return new Problem(problems.trailUnavailable, 'The trail cannot be written at this moment, so nothing was done.', {
    cause,
    retryAfterSeconds: 2,
  })
}
