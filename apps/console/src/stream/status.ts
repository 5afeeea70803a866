import { useSyncExternalStore } from 'react'

export type StreamStatus = {
  readonly is: 'connecting' | 'connected' | 'reconnecting'
  /** When this became so; while reconnecting, what is shown may be stale since then. */
  readonly since: number
}

let status: StreamStatus = { is: 'connecting', since: Date.now() }
const listeners = new Set<() => void>()

export function setStreamStatus(next: StreamStatus): void {
  if (next.is === status.is) return
  status = next
  for (const listener of listeners) listener()
}

export function useStreamStatus(): StreamStatus {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => status,
  )
}
