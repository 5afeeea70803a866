import type { AgentDetail, AgentHistoryEntry, AgentsPage } from '@countersign/wire'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'
import type { FleetSearch } from './search.ts'

export function agentsQuery(environment: string | undefined, { status, q, ruleset, sort }: FleetSearch) {
  const query = { environment, status, q, ruleset, sort }
  return infiniteQueryOptions({
    queryKey: ['agents', 'list', query],
    queryFn: ({ signal, pageParam }) =>
      api.get<AgentsPage>('/agents', { query: { ...query, limit: 100, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    // Events prove what an agent runs, and each of them is announced to nobody.
    refetchInterval: 15_000,
    placeholderData: (before) => before,
  })
}

export function agentQuery(environment: string, agent: string) {
  return queryOptions({
    queryKey: ['agents', 'one', environment, agent],
    queryFn: ({ signal }) =>
      api.get<AgentDetail>(`/agents/${encodeURIComponent(agent)}`, { query: { environment }, signal }),
    refetchInterval: 15_000,
  })
}

export function agentHistoryQuery(environment: string, agent: string) {
  return infiniteQueryOptions({
    queryKey: ['agents', 'history', environment, agent],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<AgentHistoryEntry>>(`/agents/${encodeURIComponent(agent)}/history`, {
        query: { environment, limit: 50, cursor: pageParam },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}
