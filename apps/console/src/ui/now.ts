import { useSyncExternalStore } from 'react'
import { serverNow } from '../api/server-time.ts'

/** One timer for every part on the page that shows passing time, and none while nobody looks. */
function ticker(everyMs: number) {
  let now = Math.floor(serverNow() / everyMs) * everyMs
  let timer: ReturnType<typeof setInterval> | undefined
  const listeners = new Set<() => void>()
  const tick = (): void => {
    now = serverNow()
    for (const listener of listeners) listener()
  }
  const subscribe = (listener: () => void): (() => void) => {
    listeners.add(listener)
    if (timer === undefined) {
      now = serverNow()
      timer = setInterval(tick, everyMs)
    }
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }
  return () => useSyncExternalStore(subscribe, () => now)
}

/** The server's time, to the second. */
export const useSecond = ticker(1000)

/** The server's time, good enough for `4m ago`. */
export const useMoment = ticker(10_000)
