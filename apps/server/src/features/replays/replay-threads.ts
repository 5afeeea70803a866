import { Worker } from 'node:worker_threads'
import type { Clock, Stop } from '../../kernel/clock.ts'
import type { ReplayOrder, ReplayReport } from './replay-thread.ts'

/** One replay in a thread. */
export type Pass = {
  /** Ends it wherever it is. Does nothing to one that has ended. */
  readonly stop: () => Promise<void>
}

/** A thread reads all code anew, which takes longer than most replays do, so one is kept for the next; not for ever. */
const idleMs = 60_000
const memoryMb = 1_024

/** Runs replays in a thread, one at a time. The last report of each is `done` or `failed`. */
export function replayThreads(clock: Pick<Clock, 'after'>) {
  let idle: { readonly thread: Worker; readonly forget: Stop } | undefined

  const take = (): Worker => {
    const kept = idle
    idle = undefined
    kept?.forget()
    return kept?.thread ?? startThread()
  }

  const keep = (thread: Worker): void => {
    const forget = clock.after(idleMs, () => {
      idle = undefined
      void thread.terminate()
    })
    idle = { thread, forget }
    thread.removeAllListeners()
    // One that dies while it waits is no failure of any replay.
    thread.on('error', () => undefined)
    thread.on('exit', () => {
      if (idle?.thread !== thread) return
      idle = undefined
      forget()
    })
  }

  return {
    run: (order: ReplayOrder, tell: (report: ReplayReport) => void): Pass => {
      const thread = take()
      let hasEnded = false
      let failure: unknown
      thread.removeAllListeners()
      thread.on('message', (report: ReplayReport) => {
        if (report.is !== 'progress') {
          hasEnded = true
          keep(thread)
        }
        tell(report)
      })
      thread.on('error', (cause) => {
        failure = cause
      })
      thread.on('exit', () => {
        hasEnded = true
        tell({ is: 'failed', message: failure instanceof Error ? failure.message : 'Its thread ended.' })
      })
      thread.postMessage(order)
      return {
        stop: async () => {
          if (!hasEnded) await thread.terminate()
        },
      }
    },
    close: async (): Promise<void> => {
      const kept = idle
      idle = undefined
      kept?.forget()
      await kept?.thread.terminate()
    },
  }
}

function startThread(): Worker {
  const thread = new Worker(new URL('./replay-thread.ts', import.meta.url), {
    name: 'replay',
    env: {},
    argv: [],
    execArgv: [],
    // Room for what is read and thrown away at once, or it is moved aside again and again.
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 128, stackSizeMb: 4 },
  })
  thread.unref()
  return thread
}
