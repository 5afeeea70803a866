import type {
  AgentsPage,
  AssignmentPreview,
  AssignmentRule,
  ExplicitAssignment,
  ResolvedAssignment,
} from '@countersign/wire'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'

export type RuleDraft = {
  readonly priority: number
  readonly pattern: string
  readonly tag_match: Readonly<Record<string, string>> | null
  readonly environment: string
  readonly ruleset: string
}

export function rulesQuery(environment: string | undefined) {
  return queryOptions({
    queryKey: ['assignments', 'rules', environment],
    queryFn: ({ signal }) => api.get<Page<AssignmentRule>>('/assignment-rules', { query: { environment }, signal }),
  })
}

/** With a draft: as if it were saved. With an id alone: as if that rule were deleted. */
export function previewQuery(id: string | undefined, rule: RuleDraft | undefined) {
  return queryOptions({
    queryKey: ['assignments', 'preview', id, rule],
    queryFn: ({ signal }) => api.post<AssignmentPreview>('/assignment-rules/preview', { id, rule }, { signal }),
    staleTime: 0,
  })
}

export function resolveQuery(agent: string, environment: string) {
  return queryOptions({
    queryKey: ['assignments', 'resolve', agent, environment],
    queryFn: ({ signal }) =>
      api.get<ResolvedAssignment>('/assignments/resolve', { query: { agent, environment }, signal }),
  })
}

export function namedQuery(environment: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ['assignments', 'named', environment],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<ExplicitAssignment>>('/assignments', {
        query: { environment, limit: 200, cursor: pageParam },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}

/** Agents to choose from while their id is being typed. */
export function knownAgentsQuery(environment: string, q: string) {
  return queryOptions({
    queryKey: ['agents', 'known', environment, q],
    queryFn: ({ signal }) => api.get<AgentsPage>('/agents', { query: { environment, q, limit: 50 }, signal }),
  })
}
