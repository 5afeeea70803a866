import { setImmediate as anotherTurn } from 'node:timers/promises'
import type { Clock, Stop } from './clock.ts'
import type { Log } from './log.ts'

export type WorkerState = 'running' | 'stopped' | 'crashed'

export type WorkerHealth = {
  readonly state: WorkerState
  readonly everyMs: number
  readonly lastSuccessAt: Date | undefined
  readonly consecutiveFailures: number
  /** Passes that failed since the process began. */
  readonly failuresInAll: number
  readonly restarts: number
}

type Worker = {
  readonly name: string
  readonly everyMs: number
  readonly work: () => Promise<unknown>
  /** Tends what is in this process's memory, so that every process runs it, whatever its roles. */
  readonly isOwn?: boolean
}

export type Workers = {
  /** Declares periodic work; it starts with `start`. Names are told by health, so they are words an operator knows. */
  readonly add: (worker: Worker) => void
  readonly start: (which?: 'all' | 'own') => void
  /** Ends the loops and waits for the passes under way. */
  readonly stop: () => Promise<void>
  readonly health: () => Readonly<Record<string, WorkerHealth>>
}

type Loop = {
  readonly worker: Worker
  lastSuccessAt: Date | undefined
  startedAt: Date
  failures: number
  failuresInAll: number
  restarts: number
  pass: Promise<void> | undefined
  passStartedAt: Date | undefined
  generation: number
  stop: Stop | undefined
  stopRetry: Stop | undefined
}

/** What comes once an hour does not wait an hour after a pass that failed. */
const retryMs = 10_000

/** A pass that hangs this long, or three periods if that is longer, is given up and the loop begun anew. */
const hungMs = 45_000
/** How often that is looked for: a crashed worker is begun anew within a minute. */
const watchMs = 10_000

/**
 * Runs periodic work. A worker that has not succeeded for three periods is `crashed`, whatever its loop says of
 * itself; one whose pass hangs is restarted.
 */
export function makeWorkers({ clock, log }: { readonly clock: Clock; readonly log: Log }): Workers {
  const loops: Loop[] = []
  let running: 'none' | 'all' | 'own' = 'none'
  let stopWatch: Stop | undefined

  const isMeantToRun = ({ worker }: Loop): boolean => running === 'all' || (running === 'own' && worker.isOwn === true)

  const run = (loop: Loop): Promise<void> => {
    if (loop.pass) return loop.pass
    const { generation } = loop
    loop.passStartedAt = clock.now()
    // Work that throws before its first wait must not end the process either.
    loop.pass = (async () => loop.worker.work())()
      .then(() => {
        if (generation !== loop.generation) return
        loop.lastSuccessAt = clock.now()
        loop.failures = 0
      })
      .catch((err: unknown) => {
        if (generation !== loop.generation) return
        loop.failures += 1
        loop.failuresInAll += 1
        if (isMeantToRun(loop) && (loop.failures & (loop.failures - 1)) === 0) {
          log.warn({ err, worker: loop.worker.name, failures: loop.failures }, 'A worker failed and will try again')
        }
        if (isMeantToRun(loop) && loop.worker.everyMs > retryMs) {
          loop.stopRetry?.()
          loop.stopRetry = clock.after(retryMs, () => {
            if (isMeantToRun(loop) && generation === loop.generation) void run(loop)
          })
        }
      })
      .finally(() => {
        if (generation === loop.generation) loop.pass = undefined
      })
    return loop.pass
  }

  const begin = (loop: Loop): void => {
    loop.startedAt = clock.now()
    void run(loop)
    loop.stop = clock.every(loop.worker.everyMs, async () => {
      // One that has just ended is let end; behind one that hangs nobody waits.
      if (loop.pass) await Promise.race([loop.pass, anotherTurn()])
      if (loop.pass) return
      await run(loop)
    })
  }

  const isCrashed = (loop: Loop): boolean => {
    const since = loop.lastSuccessAt ?? loop.startedAt
    return clock.now().getTime() - since.getTime() > Math.max(3 * loop.worker.everyMs, 5_000)
  }

  return {
    add: (worker) => {
      const loop: Loop = {
        worker,
        lastSuccessAt: undefined,
        startedAt: clock.now(),
        failures: 0,
        failuresInAll: 0,
        restarts: 0,
        pass: undefined,
        passStartedAt: undefined,
        generation: 0,
        stop: undefined,
        stopRetry: undefined,
      }
      loops.push(loop)
      if (isMeantToRun(loop)) begin(loop)
    },
    start: (which = 'all') => {
      running = which
      for (const loop of loops) if (isMeantToRun(loop)) begin(loop)
      stopWatch = clock.every(watchMs, () => {
        for (const loop of loops) {
          const { pass, passStartedAt } = loop
          const patience = Math.max(hungMs, 3 * loop.worker.everyMs)
          if (!pass || !passStartedAt || clock.now().getTime() - passStartedAt.getTime() < patience) continue
          log.error({ worker: loop.worker.name }, 'A worker hangs and is restarted')
          loop.stop?.()
          loop.generation += 1
          loop.restarts += 1
          loop.pass = undefined
          begin(loop)
        }
      })
    },
    stop: async () => {
      running = 'none'
      stopWatch?.()
      for (const loop of loops) {
        loop.stop?.()
        loop.stopRetry?.()
      }
      for (const { pass } of loops) await pass
    },
    health: () =>
      Object.fromEntries(
        loops.map((loop) => [
          loop.worker.name,
          {
            state: !isMeantToRun(loop) ? 'stopped' : isCrashed(loop) ? 'crashed' : 'running',
            everyMs: loop.worker.everyMs,
            lastSuccessAt: loop.lastSuccessAt,
            consecutiveFailures: loop.failures,
            failuresInAll: loop.failuresInAll,
            restarts: loop.restarts,
          },
        ]),
      ),
  }
}
