import type { AnchorShown, AnchorState } from '@countersign/wire'
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
