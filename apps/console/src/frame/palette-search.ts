import { queryOptions } from '@tanstack/react-query'
import { api } from '../api/client.ts'
import type { Choice } from './palette-choices.ts'

type Hit = {
  readonly kind: 'agent' | 'ruleset' | 'approval' | 'event' | 'key'
  readonly id: string
  readonly label: string
  readonly hint?: string | null
}

const groups: Readonly<Record<Hit['kind'], { readonly group: string; readonly base: string }>> = {
  agent: { group: 'Agents', base: '/fleet' },
  ruleset: { group: 'Rulesets', base: '/rulesets' },
  approval: { group: 'Approvals', base: '/approvals' },
  event: { group: 'Events', base: '/events' },
  key: { group: 'Keys', base: '/keys' },
}

export function searchQuery(text: string) {
  return queryOptions({
    queryKey: ['search', text],
    queryFn: async ({ signal }): Promise<readonly Choice[]> => {
      const { items } = await api.get<{ readonly items: readonly Hit[] }>('/search', { query: { q: text }, signal })
      return items.map((hit) => {
        const { group, base } = groups[hit.kind]
        return {
          id: `${hit.kind} ${hit.id}`,
          group,
          word: hit.label,
          hint: hit.hint ?? undefined,
          href: `${base}/${encodeURIComponent(hit.id)}`,
          isCode: true,
        }
      })
    },
    staleTime: 5000,
  })
}
