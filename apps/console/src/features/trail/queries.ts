import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page, TrailEntryShown, TrailEntryWithBytes, TrailHead } from '../../api/types.ts'
import { queryOf, type TrailSearch } from './search.ts'

export function trailQuery(search: TrailSearch) {
  const query = queryOf(search)
  return infiniteQueryOptions({
    queryKey: ['trail', 'list', query],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<TrailEntryShown>>('/trail', { query: { ...query, limit: 100, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}

export const trailHeadQuery = queryOptions({
  queryKey: ['trail', 'head'],
  queryFn: ({ signal }) => api.get<TrailHead>('/trail/head', { signal }),
})

export function trailEntryQuery(number: number) {
  return queryOptions({
    queryKey: ['trail', 'one', number],
    queryFn: ({ signal }) => api.get<TrailEntryWithBytes>(`/trail/${number}`, { signal }),
    // An entry never changes; only its personal facts can be erased.
    staleTime: 300_000,
  })
}
