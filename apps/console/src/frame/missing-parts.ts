import { useSyncExternalStore } from 'react'

/**
 * Parts of the console are fetched when they are first needed, and now and then one cannot be: the server is away, or a
 * newer one no longer has it. What failed once stays failed in this document (the bundler's loader does not ask for a
 * style sheet again, React not for a component), so the document is loaded anew, and never before the server answers.
 */
type Parts = 'whole' | 'missing' | 'to be had again'

let parts: Parts = 'whole'
const listeners = new Set<() => void>()
const lookMs = 2000

/** A page whose code could not be fetched. */
export class PageNotLoaded extends Error {
  constructor(cause: unknown) {
    super('A part of this page could not be fetched.', { cause })
    this.name = 'PageNotLoaded'
  }
}

export function watchForMissingParts(): void {
  window.addEventListener('vite:preloadError', () => {
    if (parts !== 'whole') return
    become('missing')
    void lookForServer()
  })
}

export function useParts(): Parts {
  return useSyncExternalStore(subscribe, whatParts)
}

export function whatParts(): Parts {
  return parts
}

const reloadedKey = 'countersign-reloaded-at'
const reloadAgainMs = 30_000

/** Loads the document anew, unless that was tried a moment ago and did not help; whether it does. */
export function reloadOnce(): boolean {
  const last = Number(sessionStorage.getItem(reloadedKey) ?? 0)
  if (Date.now() - last < reloadAgainMs) return false
  sessionStorage.setItem(reloadedKey, String(Date.now()))
  window.location.reload()
  return true
}

async function lookForServer(): Promise<void> {
  while (!(await isServerThere())) await new Promise((resolve) => setTimeout(resolve, lookMs))
  become('to be had again')
}

async function isServerThere(): Promise<boolean> {
  try {
    return (await fetch('/api/v1/health/live', { cache: 'no-store' })).ok
  } catch {
    return false
  }
}

function become(next: Parts): void {
  parts = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
