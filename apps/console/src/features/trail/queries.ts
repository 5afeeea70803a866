import type { RemovedSpan } from '@countersign/wire'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page, TrailEntryWithBytes, TrailFacets, TrailHead, TrailPage } from '../../api/types.ts'
import { queryOf, type TrailSearch } from './search.ts'

export function trailQuery(search: TrailSearch) {
  const query = { ...queryOf(search), fold: search.all ? undefined : true }
  return infiniteQueryOptions({
    queryKey: ['trail', 'list', query],
    queryFn: ({ signal, pageParam }) =>
      api.get<TrailPage>('/trail', { query: { ...query, limit: 100, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}

/** What was removed after its time, the newest first. */
export const removedQuery = queryOptions({
  queryKey: ['trail', 'removed'],
  queryFn: ({ signal }) => api.get<Page<RemovedSpan>>('/trail/removals', { query: { limit: 20 }, signal }),
})

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

/** Addresses are sealed, so they are not among what is counted by. */
export function trailFacetsQuery(search: TrailSearch) {
  const { address: _address, ...query } = queryOf(search)
  return queryOptions({
    queryKey: ['trail', 'facets', query],
    queryFn: ({ signal }) => api.get<TrailFacets>('/trail/facets', { query, signal }),
    placeholderData: keepPreviousData,
  })
}

/** The public part of the log lies outside the API, where verifiers look for it. */
async function readPublic(path: 'checkpoint' | 'key', signal?: AbortSignal): Promise<string> {
  const response = await fetch(`/trail/${path}`, { ...(signal && { signal }) })
  if (!response.ok)
    throw new Error('Nothing is signed yet; the first checkpoint follows the first entry within a second.')
  return response.text()
}

export const checkpointQuery = queryOptions({
  queryKey: ['trail', 'checkpoint'],
  queryFn: ({ signal }) => readPublic('checkpoint', signal),
})

export const logKeyQuery = {
  read: () => readPublic('key'),
  options: queryOptions({ queryKey: ['trail', 'key'], queryFn: ({ signal }) => readPublic('key', signal) }),
}
