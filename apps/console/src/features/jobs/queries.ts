import type { Job, JobKind, JobStatus, RecurringJobs } from '@countersign/wire'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'

/** Jobs go on without anybody being told: looked at again while one of them may have moved. */
const lookAgainMs = 5_000

export function jobsQuery(status: JobStatus | undefined, kind: JobKind | undefined) {
  return infiniteQueryOptions({
    queryKey: ['jobs', 'list', status, kind],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Job>>('/jobs', { query: { status, kind, limit: 100, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    refetchInterval: lookAgainMs,
  })
}

export function jobQuery(id: string) {
  return queryOptions({
    queryKey: ['jobs', 'one', id],
    queryFn: ({ signal }) => api.get<Job>(`/jobs/${encodeURIComponent(id)}`, { signal }),
    refetchInterval: ({ state }) => (state.data && state.data.ended_at === null ? lookAgainMs : false),
  })
}

export const recurringQuery = queryOptions({
  queryKey: ['jobs', 'recurring'],
  queryFn: ({ signal }) => api.get<RecurringJobs>('/jobs/recurring', { signal }),
  refetchInterval: lookAgainMs,
})
