export type Stop = () => void

/** The one source of time. `now` is the database's clock, so that replicas agree; tests move it. */
export type Clock = {
  readonly now: () => Date
  /** Runs `work` every so many milliseconds until stopped; the wait begins anew when `work` has ended. */
  readonly every: (milliseconds: number, work: () => unknown) => Stop
  readonly after: (milliseconds: number, work: () => unknown) => Stop
}

/** The machine's clock, corrected by an offset that `adjust` sets. */
export function systemClock(): Clock & {
  readonly adjust: (offsetMs: number) => void
  readonly offsetMs: () => number
} {
  let offset = 0
  return {
    now: () => new Date(Date.now() + offset),
    every: (milliseconds, work) => {
      let isStopped = false
      let timer: NodeJS.Timeout
      const next = (): void => {
        timer = setTimeout(run, milliseconds)
      }
      const run = (): void => {
        void Promise.resolve(work()).finally(() => {
          if (!isStopped) next()
        })
      }
      next()
      return () => {
        isStopped = true
        clearTimeout(timer)
      }
    },
    after: (milliseconds, work) => {
      const timer = setTimeout(work, milliseconds)
      return () => {
        clearTimeout(timer)
      }
    },
    adjust: (offsetMs) => {
      offset = offsetMs
    },
    offsetMs: () => offset,
  }
}

type Timer = { at: number; readonly period: number | undefined; readonly work: () => unknown }

/** A clock that stands still until a test moves it; what falls due on the way runs in order. */
export function testClock(start = '2026-01-01T00:00:00.000Z'): Clock & {
  readonly moveBy: (milliseconds: number) => Promise<void>
  /** As a machine that slept: what fell due meanwhile runs once, at the end. */
  readonly jumpBy: (milliseconds: number) => Promise<void>
} {
  let now = Date.parse(start)
  const timers = new Set<Timer>()
  const add = (timer: Timer): Stop => {
    timers.add(timer)
    return () => timers.delete(timer)
  }
  return {
    now: () => new Date(now),
    every: (period, work) => add({ at: now + period, period, work }),
    after: (delay, work) => add({ at: now + delay, period: undefined, work }),
    jumpBy: async (milliseconds) => {
      now += milliseconds
      for (const due of [...timers].filter(({ at }) => at <= now)) {
        if (due.period === undefined) timers.delete(due)
        else due.at = now + due.period
        await due.work()
      }
    },
    moveBy: async (milliseconds) => {
      const end = now + milliseconds
      for (;;) {
        const due = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        if (!due) break
        now = Math.max(now, due.at)
        if (due.period === undefined) timers.delete(due)
        else due.at = now + due.period
        await due.work()
      }
      now = end
    },
  }
}
