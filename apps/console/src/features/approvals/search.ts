import type { Filters } from '../../ui/filters/filter-text.ts'

export const views = ['pending', 'settled', 'all'] as const
export type View = (typeof views)[number]

/** What the address of the list holds. */
export type ApprovalsSearch = {
  readonly view?: View
  readonly agent?: string
  readonly tool?: string
  readonly q?: string
}

const names = ['agent', 'tool'] as const

export function readSearch(search: Record<string, unknown>): ApprovalsSearch {
  const text = (value: unknown): string | undefined =>
    (typeof value === 'string' || typeof value === 'number') && value !== '' ? String(value) : undefined
  const view = views.find((known) => known === search['view'])
  const { agent, tool, q } = { agent: text(search['agent']), tool: text(search['tool']), q: text(search['q']) }
  return {
    ...(view && view !== 'pending' && { view }),
    ...(agent && { agent }),
    ...(tool && { tool }),
    ...(q && { q }),
  }
}

export function filtersOf(search: ApprovalsSearch): Filters {
  const filters = names.flatMap((name) => {
    const value = search[name]
    return value === undefined ? [] : [{ name, value, isExcluded: false }]
  })
  return { filters, text: search.q ?? '' }
}

/** The server takes one value of each, so the last one said counts. */
export function withFilters(search: ApprovalsSearch, { filters, text }: Filters): ApprovalsSearch {
  const last = (name: string) => filters.findLast((filter) => filter.name === name && !filter.isExcluded)?.value
  return readSearch({ view: search.view, agent: last('agent'), tool: last('tool'), q: text })
}

export function isNarrowed({ agent, tool, q }: ApprovalsSearch): boolean {
  return agent !== undefined || tool !== undefined || q !== undefined
}
