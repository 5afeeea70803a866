import type { Evaluation, TriedCall } from '@countersign/wire'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'

/** What a text says about a call. Nothing is carried out and nothing is kept. */
export function evaluationQuery(yaml: string, call: TriedCall | null) {
  return queryOptions({
    queryKey: ['evaluation', yaml, call],
    queryFn: ({ signal }) => api.post<Evaluation>('/rulesets/evaluate', { yaml, call }, { signal }),
    enabled: call !== null,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    gcTime: 10_000,
  })
}
