import { queryOptions } from '@tanstack/react-query'
import { api } from '../api/client.ts'
import type { SearchHits, SearchKind } from '../api/types.ts'
import type { Choice } from './palette-choices.ts'

/** Where the page of each kind is. */
const places: Readonly<Record<SearchKind, { readonly group: string; readonly href: (id: string) => string }>> = {
  agent: { group: 'Agents', href: (id) => `/fleet?q=${encodeURIComponent(id)}` },
  ruleset: { group: 'Rulesets', href: (id) => `/rulesets/${id}` },
  approval: { group: 'Approvals', href: (id) => `/approvals/${id}` },
  event: { group: 'Events', href: (id) => `/events?event=${id}` },
  call: { group: 'Calls', href: (id) => `/events?q=${id}` },
  tool: { group: 'Tools', href: (id) => `/events?tool=${id}` },
  rule: { group: 'Rules', href: (id) => `/events?rule=${id}` },
  environment: { group: 'Environments', href: (id) => `/?environment=${id}` },
}

export function searchQuery(text: string) {
  return queryOptions({
    queryKey: ['search', text],
    queryFn: async ({ signal }): Promise<readonly Choice[]> => {
      const { hits } = await api.get<SearchHits>('/search', { query: { q: text }, signal })
      return hits.map(({ kind, id, label, hint }) => {
        const { group, href } = places[kind]
        return { id: `${kind} ${id}`, group, word: label, hint, href: href(encodeURIComponent(id)), isCode: true }
      })
    },
    staleTime: 5000,
  })
}
