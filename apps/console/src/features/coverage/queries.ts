import type { AgentCoverage, FleetCoverage } from '@countersign/wire'
import { keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { serverNow } from '../../api/server-time.ts'
import { type Span, sinceOf } from './search.ts'

export function fleetCoverageQuery(environment: string | undefined, span: Span) {
  return queryOptions({
    queryKey: ['agents', 'coverage', environment, span],
    queryFn: ({ signal }) =>
      api.get<FleetCoverage>('/coverage', { query: { environment, since: sinceOf(span, serverNow()) }, signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  })
}

export function agentCoverageQuery(environment: string, agent: string) {
  return queryOptions({
    queryKey: ['agents', 'coverage of', environment, agent],
    queryFn: ({ signal }) =>
      api.get<AgentCoverage>(`/agents/${encodeURIComponent(agent)}/coverage`, { query: { environment }, signal }),
    staleTime: 30_000,
  })
}
