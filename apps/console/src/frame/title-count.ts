import { useEffect, useSyncExternalStore } from 'react'
import markUrl from '../theme/mark.svg'
import markWaitingUrl from '../theme/mark-waiting.svg'

let count = 0
const listeners = new Set<() => void>()

/** How many calls wait for somebody: in the tab's title and, as a dot, in its icon. */
export function useTitleCount(): number {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => count,
  )
}

export function useCountInTab(next: number): void {
  useEffect(() => {
    if (next === count) return
    count = next
    for (const listener of listeners) listener()
    document.querySelector('link[rel="icon"]')?.setAttribute('href', next > 0 ? markWaitingUrl : markUrl)
  }, [next])
}
