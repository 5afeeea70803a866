import { useSyncExternalStore } from 'react'
import { type CallDraft, emptyCall } from './call-draft.ts'

let current: CallDraft = { ...emptyCall, tool: 'read_file', args: '{\n  "path": "/srv/app/.env"\n}' }
const listeners = new Set<() => void>()

/** One call at a time, kept while the console is open, so that it can be tried on one ruleset after another. */
export function useCallDraft(): readonly [CallDraft, (change: Partial<CallDraft>) => void] {
  return [useSyncExternalStore(subscribe, () => current), changeCall]
}

export function changeCall(change: Partial<CallDraft>): void {
  current = { ...current, ...change }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
