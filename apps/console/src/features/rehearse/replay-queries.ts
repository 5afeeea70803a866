import type { AgentsPage, Replay, ReplayDetail } from '@countersign/wire'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'

/** How often a replay that goes on is asked how far it is. */
const watchedEveryMs = 1_000

export function isOpen({ status }: Pick<Replay, 'status'>): boolean {
  return status === 'queued' || status === 'running'
}

export function replaysQuery(ruleset: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ['replays', 'list', ruleset],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Replay>>('/replays', {
        query: { ruleset, limit: 50, cursor: pageParam },
        signal,
        isBackground: true,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: ({ state }) =>
      state.data?.pages.some(({ items }) => items.some(isOpen)) ? watchedEveryMs * 2 : false,
  })
}

export function replayQuery(id: string) {
  return queryOptions({
    queryKey: ['replays', 'one', id],
    queryFn: ({ signal }) =>
      api.get<ReplayDetail>(`/replays/${encodeURIComponent(id)}`, { signal, isBackground: true }),
    refetchInterval: ({ state }) => (state.data && isOpen(state.data) ? watchedEveryMs : false),
  })
}

/** Who follows a ruleset, where they are few enough to be named one by one. */
export function followersQuery(ruleset: string, environment: string | null) {
  const agentsMax = 50
  return queryOptions({
    queryKey: ['agents', 'followers', ruleset, environment],
    queryFn: async ({ signal }): Promise<readonly string[]> => {
      const query = { ruleset, environment, limit: agentsMax }
      const { items, next_cursor } = await api.get<AgentsPage>('/agents', { query, signal })
      return next_cursor === null ? [...new Set(items.map(({ agent_id }) => agent_id))] : []
    },
  })
}

/** The last rehearsal of a revision, for those who are about to roll it out. */
export function newestReplayQuery(ruleset: string, version: number) {
  return queryOptions({
    queryKey: ['replays', 'newest', ruleset, version],
    queryFn: async ({ signal }) => {
      const query = { ruleset, version, limit: 1 }
      const { items } = await api.get<Page<Replay>>('/replays', { query, signal, isBackground: true })
      return items[0] ?? null
    },
    refetchInterval: ({ state }) => (state.data && isOpen(state.data) ? watchedEveryMs : false),
  })
}
