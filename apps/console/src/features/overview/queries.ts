import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Overview } from '../../api/types.ts'

export function overviewQuery(environment: string | undefined) {
  return queryOptions({
    queryKey: ['overview', { environment }],
    queryFn: ({ signal }) => api.get<Overview>('/overview', { query: { environment }, signal }),
    // Counts of a day grow without an announcement for each event.
    refetchInterval: 60_000,
  })
}
