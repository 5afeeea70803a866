import { useSyncExternalStore } from 'react'

/**
 * What is loaded of the console. Parts are fetched when they are first needed, and now and then one cannot be: the server
 * is away, or a newer one no longer has it. What failed once stays failed in this document (the bundler's loader does not
 * ask for a style sheet again, React not for a component), so the document is replaced as a whole, and never before the
 * server answers. `replaceable` is also one that is older than the server's.
 */
type DocumentState = 'whole' | 'broken' | 'replaceable'

let state: DocumentState = 'whole'
const listeners = new Set<() => void>()
const lookMs = 2000

/** A page whose code could not be fetched. */
export class PageNotLoaded extends Error {
  constructor(cause: unknown) {
    super('A part of this page could not be fetched.', { cause })
    this.name = 'PageNotLoaded'
  }
}

/** Notices when a part of the console cannot be fetched. */
export function watchForMissingParts(): void {
  window.addEventListener('vite:preloadError', () => {
    if (state !== 'whole') return
    become('broken')
    void lookForServer()
  })
}

export function useDocumentState(): DocumentState {
  return useSyncExternalStore(subscribe, documentState)
}

export function documentState(): DocumentState {
  return state
}

/** After a gap in the stream the server may be another one: whether its console is the one that is loaded here. */
export async function lookForNewerConsole(): Promise<void> {
  const entry = document.querySelector('script[type=module][src]')?.getAttribute('src') ?? ''
  try {
    const answer = await fetch('/', { cache: 'no-store', headers: { accept: 'text/html' } })
    const page = await answer.text()
    if (answer.ok && page.includes('src="/assets/') && !page.includes(`src="${entry}"`)) become('replaceable')
  } catch {
    // Away again: the next connection looks again.
  }
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
  become('replaceable')
}

async function isServerThere(): Promise<boolean> {
  try {
    return (await fetch('/api/v1/health/live', { cache: 'no-store' })).ok
  } catch {
    return false
  }
}

function become(next: DocumentState): void {
  state = next
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
