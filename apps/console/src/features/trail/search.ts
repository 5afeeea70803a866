import type { Filter, Filters } from '../../ui/filters/filter-text.ts'

const names = ['act', 'actor', 'subject', 'kind', 'outcome', 'request', 'address', 'since', 'until'] as const

export type TrailSearch = {
  readonly [name in (typeof names)[number]]?: string
} & {
  readonly text?: string
  /** Repeats are folded unless every entry is asked for. */
  readonly all?: true
  /** The number of the entry whose drawer is open. */
  readonly entry?: number
}

export function readSearch(search: Record<string, unknown>): TrailSearch {
  const texts = [...names, 'text'].flatMap((name) => {
    const value = search[name]
    return (typeof value === 'string' || typeof value === 'number') && value !== '' ? [[name, String(value)]] : []
  })
  const given = search['entry']
  const entry = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  const all = search['all'] === true || search['all'] === 'true'
  return {
    ...Object.fromEntries(texts),
    ...(all && { all }),
    ...(typeof entry === 'number' && Number.isSafeInteger(entry) && entry >= 0 && { entry }),
  }
}

export function filtersOf(search: TrailSearch): Filters {
  const filters = names.flatMap((name): readonly Filter[] => {
    const value = search[name]
    return value === undefined ? [] : [{ name, value, isExcluded: false }]
  })
  return { filters, text: search.text ?? '' }
}

export function withFilters({ filters, text }: Filters): TrailSearch {
  const last = Object.fromEntries(
    filters.filter(({ isExcluded }) => !isExcluded).map(({ name, value }) => [name, value]),
  )
  return readSearch({ ...last, text })
}

/** What the server is asked: days become the moments they begin, one letter alone is no text to search for. */
export function queryOf({ entry: _entry, all: _all, kind, text, since, until, ...rest }: TrailSearch) {
  return {
    ...rest,
    subject_kind: kind,
    since: since === undefined ? undefined : momentOf(since),
    until: until === undefined ? undefined : momentOf(until),
    text: text !== undefined && text.length >= 2 ? text : undefined,
  }
}

/** `2026-03-03` begins at midnight where the reader is; anything that is no time is left out. */
function momentOf(written: string): string | undefined {
  const time = Date.parse(/^\d{4}-\d{2}-\d{2}$/.test(written) ? `${written}T00:00:00` : written)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}
