import type { Rollout, RolloutDetail, RolloutPreview } from '@countersign/wire'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'
import { pathOf } from './queries.ts'

export function rolloutsQuery(ruleset: string, environment: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ['rollouts', 'list', ruleset, environment],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Rollout>>('/rollouts', { query: { ruleset, environment, limit: 50, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}

export function rolloutQuery(id: string) {
  return queryOptions({
    queryKey: ['rollouts', 'one', id],
    queryFn: ({ signal }) => api.get<RolloutDetail>(`/rollouts/${encodeURIComponent(id)}`, { signal }),
    // Progress is announced; that an agent is overdue comes with time alone and is told by nobody.
    refetchInterval: ({ state }) => (state.data && isUnderWay(state.data) ? 10_000 : false),
  })
}

export function previewQuery(name: string, version: number, environment: string) {
  return queryOptions({
    queryKey: ['rollouts', 'preview', name, version, environment],
    queryFn: ({ signal }) =>
      api.post<RolloutPreview>(`${pathOf(name)}/rollouts/preview`, { version, environment }, { signal }),
    staleTime: 0,
  })
}

export function isUnderWay({ is_current, counts }: Pick<RolloutDetail, 'is_current' | 'counts'>): boolean {
  return is_current && counts.waiting + counts.sent + counts.fetched + counts.overdue > 0
}
