import { queryOptions } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import type { Page, SessionRow } from '../../api/types.ts'
import type { Person } from './types.ts'

/** The whole list is one page; words are looked for in it here. */
export const peopleQuery = queryOptions({
  queryKey: ['people', 'list'],
  queryFn: ({ signal }) => api.get<Page<Person>>('/people', { signal }),
})

export function personQuery(id: string) {
  return queryOptions({
    queryKey: ['people', 'one', id],
    queryFn: ({ signal }) => api.get<Person>(pathOf(id), { signal }),
  })
}

export function personSessionsQuery(id: string) {
  return queryOptions({
    queryKey: ['people', 'sessions', id],
    queryFn: ({ signal }) => api.get<{ readonly items: readonly SessionRow[] }>(`${pathOf(id)}/sessions`, { signal }),
  })
}

export function pathOf(id: string): string {
  return `/people/${encodeURIComponent(id)}`
}
