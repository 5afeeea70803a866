import type {
  Composition,
  CompositionPreview,
  CompositionSummary,
  LibraryRule,
  LibraryRuleDetail,
  RulesetTemplate,
} from '@countersign/wire'
import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page } from '../../api/types.ts'

export function libraryRulesQuery(q: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ['library', 'rules', q],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<LibraryRule>>('/library/rules', { query: { q, limit: 100, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
  })
}

export function libraryRuleQuery(id: string) {
  return queryOptions({
    queryKey: ['library', 'rule', id],
    queryFn: ({ signal }) => api.get<LibraryRuleDetail>(rulePath(id), { signal }),
  })
}

export function libraryRuleVersionQuery(id: string, version: number) {
  return queryOptions({
    queryKey: ['library', 'rule', id, version],
    queryFn: ({ signal }) => api.get<LibraryRuleDetail>(`${rulePath(id)}/versions/${version}`, { signal }),
    placeholderData: keepPreviousData,
  })
}

export const templatesQuery = queryOptions({
  queryKey: ['library', 'templates'],
  queryFn: ({ signal }) => api.get<{ readonly items: readonly RulesetTemplate[] }>('/library/templates', { signal }),
  // They come with the server and change with it alone.
  staleTime: Number.POSITIVE_INFINITY,
})

export const compositionsQuery = infiniteQueryOptions({
  queryKey: ['compositions', 'list'],
  queryFn: ({ signal, pageParam }) =>
    api.get<Page<CompositionSummary>>('/compositions', { query: { limit: 100, cursor: pageParam }, signal }),
  initialPageParam: '',
  getNextPageParam: ({ next_cursor }) => next_cursor,
})

export function compositionQuery(name: string) {
  return queryOptions({
    queryKey: ['compositions', 'one', name],
    queryFn: ({ signal }) => api.get<Composition>(compositionPath(name), { signal }),
  })
}

/** The text as its rules and their order make it now; `edit` says which of its states that is. */
export function previewQuery(name: string, edit: number) {
  return queryOptions({
    queryKey: ['compositions', 'preview', name, edit],
    queryFn: ({ signal }) => api.post<CompositionPreview>(`${compositionPath(name)}/preview`, undefined, { signal }),
    placeholderData: keepPreviousData,
  })
}

export function rulePath(id: string): string {
  return `/library/rules/${encodeURIComponent(id)}`
}

export function compositionPath(name: string): string {
  return `/compositions/${encodeURIComponent(name)}`
}
