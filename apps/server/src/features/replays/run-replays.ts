import { decidingActions } from '@countersign/rehearsal'
import type { Clock } from '../../kernel/clock.ts'
import type { Secret } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { Events } from '../events/index.ts'
import type { ClaimedReplay, ReplayEnd } from './replay.ts'
import type { ReplayOrder } from './replay-thread.ts'
import { type Pass, replayThreads } from './replay-threads.ts'
import { buryReplays, claimReplay, endReplay, noteProgress, type Progress, releaseReplay } from './replays-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: Clock
  readonly log: Pick<Log, 'warn' | 'error'>
  readonly events: Pick<Events, 'scope' | 'histogram'>
  /** Who runs them, and where their threads connect. */
  readonly place: { readonly runnerId: string; readonly databaseUrl: Secret }
}

/** Without a word for so long a runner counts as dead. */
const leaseMs = 20_000
const noteEveryMs = 500

type Running = { readonly claimed: ClaimedReplay; readonly stop: () => Promise<void>; ended: Promise<void> }

export type RunReplays = {
  /** One pass: takes up what waits, when nothing is under way here. Does not wait for it to end. */
  readonly look: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** Runs replays, one at a time in each process, in a thread. What it was at when it stopped is taken up by another. */
export function runReplays({ db, clock, log, events, place }: Needs): RunReplays {
  let running: Running | undefined
  let looking: Promise<void> | undefined
  let isStopped = false
  const threads = replayThreads(clock)
  const leaseUntil = (): Date => new Date(clock.now().getTime() + leaseMs)

  const lookOnce = async (): Promise<void> => {
    if (running || isStopped) return
    await buryReplays(db, clock.now())
    const claimed = await claimReplay(db, place.runnerId, clock.now(), leaseUntil())
    if (!claimed) return
    running = start(claimed)
    running.ended = running.ended
      .catch((err: unknown) => {
        // Its lease runs out and somebody takes it up again.
        log.warn({ err, replay: claimed.id }, 'A replay could not be brought to its end here')
      })
      .finally(() => {
        running = undefined
        if (!isStopped) void look().catch(() => undefined)
      })
  }

  const look = (): Promise<void> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined
    })
    return looking
  }

  const start = (claimed: ClaimedReplay): Running => {
    let pass: Pass | undefined
    let isReleased = false
    const progress: { -readonly [Name in keyof Progress]: Progress[Name] } = { rows: 0, distinct: 0, total: null }

    const run = async (): Promise<void> => {
      const { order, total } = await prepare(claimed)
      progress.total = total
      const ended = Promise.withResolvers<ReplayEnd | undefined>()
      const made = threads.run(order, (report) => {
        if (report.is === 'progress') Object.assign(progress, { rows: report.rows, distinct: report.distinct })
        else if (report.is === 'done') ended.resolve({ is: 'done', result: report.result })
        else ended.resolve(isReleased ? undefined : { is: 'failed', failure: report.message })
      })
      pass = made
      const stopNoting = clock.every(noteEveryMs, async () => {
        const answer = await noteProgress(db, claimed, place.runnerId, progress, leaseUntil()).catch(() => 'go on')
        if (answer === 'cancel') ended.resolve({ is: 'cancelled' })
        if (answer === 'lost') ended.resolve(undefined)
      })
      try {
        const end = await ended.promise
        stopNoting()
        await made.stop()
        await noteProgress(db, claimed, place.runnerId, progress, leaseUntil())
        if (end) await endReplay(db, claimed, place.runnerId, end, clock.now())
        if (end?.is === 'failed') log.error({ replay: claimed.id, cause: end.failure }, 'A replay failed')
      } finally {
        stopNoting()
      }
    }

    return {
      claimed,
      ended: run(),
      stop: async () => {
        isReleased = true
        await pass?.stop()
        await releaseReplay(db, claimed, place.runnerId, clock.now())
      },
    }
  }

  const prepare = async (claimed: ClaimedReplay): Promise<{ order: ReplayOrder; total: number }> => {
    const { tenant, environment, agents, tools } = claimed
    const found = await events.scope(tenant, {
      verdict: decidingActions,
      ...(environment === null ? {} : { environment: [environment] }),
      ...(agents.length === 0 ? {} : { agent: agents }),
      ...(tools.length === 0 ? {} : { tool: tools }),
    })
    const scope = { ...found, since: claimed.since.getTime() * 1_000, until: claimed.until.getTime() * 1_000 }
    const { total } = await events.histogram(scope, 4)
    return {
      total,
      order: {
        databaseUrl: place.databaseUrl.reveal(),
        scope,
        draftText: claimed.draftText,
        baselineText: claimed.baselineText,
      },
    }
  }

  return {
    look,
    stop: async () => {
      isStopped = true
      await looking?.catch(() => undefined)
      const under = running
      await under?.stop().catch(() => undefined)
      await under?.ended
      await threads.close()
    },
  }
}
