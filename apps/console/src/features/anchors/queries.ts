import type { AnchorShown, AnchorState, HoldList, RemovedSpan, RetentionState } from '@countersign/wire'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'

/** Nobody is told of a new anchor; a checkpoint comes with every entry. */
const lookAgainMs = 15_000

export const anchoringQuery = queryOptions({
  queryKey: ['anchors', 'state'],
  queryFn: ({ signal }) => api.get<AnchorState>('/trail/anchoring', { signal }),
  refetchInterval: lookAgainMs,
})

export const anchorsQuery = infiniteQueryOptions({
  queryKey: ['anchors', 'list'],
  queryFn: ({ signal, pageParam }) =>
    api.get<Page<AnchorShown>>('/trail/anchors', { query: { limit: 100, cursor: pageParam }, signal }),
  initialPageParam: '',
  getNextPageParam: ({ next_cursor }) => next_cursor,
  refetchInterval: lookAgainMs,
})

export const retentionQuery = queryOptions({
  queryKey: ['anchors', 'retention'],
  queryFn: ({ signal }) => api.get<RetentionState>('/trail/retention', { signal }),
  refetchInterval: 4 * lookAgainMs,
})

/** What was removed last. */
export const removalsQuery = queryOptions({
  queryKey: ['anchors', 'removals'],
  queryFn: ({ signal }) => api.get<Page<RemovedSpan>>('/trail/removals', { query: { limit: 3 }, signal }),
})

export const holdsQuery = queryOptions({
  queryKey: ['anchors', 'holds'],
  queryFn: ({ signal }) => api.get<HoldList>('/trail/holds', { signal }),
})
