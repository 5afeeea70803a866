import type { QueryClient } from '@tanstack/react-query'

/** What the server tells on its stream; `data` carries ids only, pages fetch what they show. */
export const announcementNames = [
  'approval.created',
  'approval.decided',
  'approval.timed_out',
  'events.arrived',
  'rollout.created',
  'rollout.progress',
  'ruleset.uploaded',
  'agent.connected',
  'agent.disconnected',
  'assignment.changed',
  'key.created',
  'key.revoked',
  'settings.changed',
  'session.ended',
  'reset',
] as const

export type AnnouncementName = (typeof announcementNames)[number]
export type Announcement = { readonly name: AnnouncementName; readonly data: Readonly<Record<string, unknown>> }

/**
 * The first word of the query keys that an announcement makes stale. A page joins by naming its queries so:
 * `['approvals', …]`, `['agents', …]`. Events are counted by their page, which decides when to fetch.
 */
const staleBy: Readonly<Record<AnnouncementName, readonly string[]>> = {
  'approval.created': ['approvals', 'overview', 'trail'],
  'approval.decided': ['approvals', 'overview', 'trail'],
  'approval.timed_out': ['approvals', 'overview', 'trail'],
  'events.arrived': ['overview', 'approval'],
  'rollout.created': ['rulesets', 'rollouts', 'agents', 'overview', 'trail'],
  'rollout.progress': ['rollouts', 'agents'],
  'ruleset.uploaded': ['rulesets', 'overview', 'trail'],
  'agent.connected': ['agents', 'overview', 'rollouts'],
  'agent.disconnected': ['agents', 'overview', 'rollouts'],
  'assignment.changed': ['assignments', 'agents', 'overview', 'trail'],
  'key.created': ['keys', 'environments', 'overview', 'trail'],
  'key.revoked': ['keys', 'environments', 'agents', 'overview', 'trail'],
  'settings.changed': ['settings', 'environments', 'signing-keys', 'session', 'trail'],
  'session.ended': ['session', 'sessions'],
  reset: [],
}

/** How long announcements are gathered before pages fetch, so that a burst is one refresh. */
const gatherMs = 150

/** Applies announcements to the cache, gathered, so that a thousand agents coming back are not a thousand fetches. */
export function startRefreshing(client: QueryClient): (announcement: Announcement) => void {
  const stale = new Set<string>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let everything = false
  const refresh = (): void => {
    timer = undefined
    const keys = new Set(stale)
    stale.clear()
    if (everything) {
      everything = false
      void client.invalidateQueries()
      return
    }
    void client.invalidateQueries({ predicate: ({ queryKey }) => keys.has(String(queryKey[0])) })
  }
  return ({ name }) => {
    if (name === 'reset') everything = true
    for (const key of staleKeys(name)) stale.add(key)
    timer ??= setTimeout(refresh, gatherMs)
  }
}

export function staleKeys(name: AnnouncementName): readonly string[] {
  return staleBy[name]
}

/** Reads one message of the stream; what it does not know it leaves alone. */
export function readAnnouncement(name: string, text: string): Announcement | null {
  const known = announcementNames.find((candidate) => candidate === name)
  if (!known) return null
  try {
    const data: unknown = JSON.parse(text)
    return { name: known, data: typeof data === 'object' && data !== null ? { ...data } : {} }
  } catch {
    // The name alone says what to refresh.
    return { name: known, data: {} }
  }
}
