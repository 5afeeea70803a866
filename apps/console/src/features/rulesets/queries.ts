import type {
  CheckedRuleset,
  RulesetDiffAnswer,
  RulesetRevision,
  RulesetRevisionDetail,
  RulesetSummary,
} from '@countersign/wire'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'

export const rulesetsQuery = queryOptions({
  queryKey: ['rulesets', 'list'],
  queryFn: ({ signal }) => api.get<Page<RulesetSummary>>('/rulesets', { signal }),
})

export function rulesetQuery(name: string) {
  return queryOptions({
    queryKey: ['rulesets', 'one', name],
    queryFn: ({ signal }) => api.get<RulesetSummary>(pathOf(name), { signal }),
  })
}

export function revisionsQuery(name: string) {
  return infiniteQueryOptions({
    queryKey: ['rulesets', 'revisions', name],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<RulesetRevision>>(`${pathOf(name)}/revisions`, { query: { limit: 100, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}

export function revisionQuery(name: string, version: number) {
  return queryOptions({
    queryKey: ['rulesets', 'revision', name, version],
    queryFn: ({ signal }) => api.get<RulesetRevisionDetail>(`${pathOf(name)}/revisions/${version}`, { signal }),
  })
}

export function diffQuery(name: string, from: number, to: number) {
  return queryOptions({
    queryKey: ['ruleset-diff', name, from, to],
    queryFn: ({ signal }) => api.get<RulesetDiffAnswer>(`${pathOf(name)}/diff`, { query: { from, to }, signal }),
    // Revisions never change, so neither does what lies between two of them.
    staleTime: Number.POSITIVE_INFINITY,
  })
}

export function checkQuery(yaml: string) {
  return queryOptions({
    queryKey: ['ruleset-check', yaml],
    queryFn: ({ signal }) => api.post<CheckedRuleset>('/rulesets/check', { yaml }, { signal }),
    staleTime: 60_000,
    gcTime: 10_000,
    // What could not be checked is checked once the server is back, without another letter typed.
    refetchInterval: ({ state }) => (state.status === 'error' ? 3000 : false),
  })
}

export function pathOf(name: string): string {
  return `/rulesets/${encodeURIComponent(name)}`
}
