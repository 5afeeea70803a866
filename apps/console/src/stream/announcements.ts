import type { Query, QueryClient } from '@tanstack/react-query'
import type { StreamEventName } from '../api/types.ts'

export type Announcement = { readonly name: StreamEventName; readonly data: Readonly<Record<string, unknown>> }

/**
 * The first word of the query keys that an announcement makes stale. A page joins by naming its queries so:
 * `['approvals', …]`, `['agents', …]`. Events are counted by their page, which decides when to fetch: its query says so
 * with `readByItsPage`.
 */
const staleBy: Readonly<Record<StreamEventName, readonly string[]>> = {
  'approval.created': ['approvals', 'overview'],
  'approval.voted': ['approvals', 'trail'],
  'approval.decided': ['approvals', 'overview', 'trail'],
  'approval.timed_out': ['approvals', 'overview'],
  'approval.cancelled': ['approvals', 'overview', 'trail'],
  'events.arrived': ['overview', 'approval'],
  'rollout.created': ['rulesets', 'rollouts', 'trials', 'baselines', 'agents', 'overview', 'trail'],
  'rollout.progress': ['rollouts', 'agents', 'overview'],
  'rollout_trial.changed': ['trials', 'trail'],
  'ruleset.uploaded': ['rulesets', 'overview', 'trail'],
  'agent.connected': ['agents', 'overview', 'rollouts'],
  'agent.disconnected': ['agents', 'overview', 'rollouts'],
  'agent.changed': ['agents', 'assignments'],
  'agent.silent': ['agents', 'overview'],
  'agent.drifting': ['agents', 'overview'],
  'assignment.changed': ['assignments', 'agents', 'overview', 'trail'],
  'key.created': ['keys', 'environments', 'overview', 'trail'],
  'key.revoked': ['keys', 'environments', 'agents', 'overview', 'trail'],
  'key.changed': ['keys', 'trail'],
  'signing_key.rotated': ['signing-keys', 'keys', 'trail'],
  'signing_key.retired': ['signing-keys', 'keys', 'trail'],
  'person.changed': ['people', 'roles', 'session', 'trail'],
  'role.changed': ['roles', 'people', 'session', 'trail'],
  'token.changed': ['tokens', 'trail'],
  'environment.changed': ['environments', 'baselines', 'session', 'overview', 'trail'],
  'settings.changed': ['settings', 'trail'],
  'session.ended': ['session', 'sessions'],
  reset: [],
}

export const announcementNames = Object.keys(staleBy).filter(isAnnouncementName)

function isAnnouncementName(name: string): name is StreamEventName {
  return Object.hasOwn(staleBy, name)
}

/** In a query's `meta`: only its page fetches it again, also after a gap in the stream. */
export const readByItsPage = 'readByItsPage'

/** What could not be read is no page's to keep still. */
function isLeftToItsPage({ meta, state }: Query): boolean {
  return meta?.[readByItsPage] === true && state.status === 'success'
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
      void client.invalidateQueries({ predicate: (query) => !isLeftToItsPage(query) })
      // Stale for whoever opens it next; under somebody who reads it nothing moves.
      void client.invalidateQueries({ predicate: isLeftToItsPage, refetchType: 'none' })
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

export function staleKeys(name: StreamEventName): readonly string[] {
  return staleBy[name]
}

/** Reads one message of the stream; what it does not know it leaves alone. */
export function readAnnouncement(name: string, text: string): Announcement | null {
  if (!isAnnouncementName(name)) return null
  try {
    const data: unknown = JSON.parse(text)
    return { name, data: typeof data === 'object' && data !== null ? { ...data } : {} }
  } catch {
    // The name alone says what to refresh.
    return { name, data: {} }
  }
}
