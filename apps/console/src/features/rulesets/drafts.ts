import { useCallback, useSyncExternalStore } from 'react'

/** A text somebody changed and has not saved, and the version it began from; null for a new ruleset. */
export type Draft = { readonly text: string; readonly base: number | null }

/** The key of the text of a ruleset that has no name yet. */
export const unnamed = ''

const drafts = new Map<string, Draft>()
const listeners = new Set<() => void>()

/** Kept while the console is open, so that looking at another tab or page loses nothing. */
export function useDraft(key: string): readonly [Draft | undefined, (draft: Draft | undefined) => void] {
  const draft = useSyncExternalStore(subscribe, () => drafts.get(key))
  const change = useCallback((next: Draft | undefined) => keepDraft(key, next), [key])
  return [draft, change]
}

export function keepDraft(key: string, draft: Draft | undefined): void {
  if (draft) drafts.set(key, draft)
  else drafts.delete(key)
  if (drafts.size > 0) window.addEventListener('beforeunload', ask)
  else window.removeEventListener('beforeunload', ask)
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/** Closing the browser's tab would lose the text; the browser asks in its own words. */
function ask(event: BeforeUnloadEvent): void {
  event.preventDefault()
}
