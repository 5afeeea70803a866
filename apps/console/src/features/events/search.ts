import { type Filters, readFilters, writeFilter, writeFilters } from '../../ui/filters/filter-text.ts'
import { wireValue } from './words.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** Ranges that end now, and so have a live tail. */
export const ranges = [
  { name: '15m', word: 'Last 15 minutes', ms: 15 * minute },
  { name: '1h', word: 'Last hour', ms: hour },
  { name: '4h', word: 'Last 4 hours', ms: 4 * hour },
  { name: '24h', word: 'Last 24 hours', ms: day },
  { name: '7d', word: 'Last 7 days', ms: 7 * day },
  { name: '30d', word: 'Last 30 days', ms: 30 * day },
  { name: '90d', word: 'Last 90 days', ms: 90 * day },
  { name: '365d', word: 'Last 365 days', ms: 365 * day },
] as const
type RangeName = (typeof ranges)[number]['name']
const usualRange: RangeName = '24h'

export const filterNames = ['agent', 'tool', 'environment', 'verdict', 'mode', 'rule'] as const
export type FilterName = (typeof filterNames)[number]

/** What the address of the page holds. */
export type EventsSearch = {
  /** As it is written in the filter bar: `agent:build-* -tool:read_file words`. */
  readonly filter?: string
  readonly range?: RangeName
  readonly since?: string
  readonly until?: string
  /** The event whose drawer is open. */
  readonly event?: string
}

/** Links of other pages name single fields (`?tool=shell`, `?q=…`); they become part of the one filter. */
export function readSearch(search: Record<string, unknown>): EventsSearch {
  const text = (name: string): string => {
    const value = search[name]
    return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
  }
  const named = filterNames
    // The environment in the address is the whole console's.
    .filter((name) => name !== 'environment' && text(name) !== '')
    .map((name) => writeFilter({ name, value: text(name), isExcluded: false }))
  const filter = [text('filter'), ...named, text('q')].filter((part) => part !== '').join(' ')
  const since = momentOf(text('since'))
  const until = momentOf(text('until'))
  const range = ranges.find(({ name }) => name === search['range'])?.name
  const event = text('event')
  return {
    ...(filter !== '' && { filter }),
    ...(since !== undefined && { since, ...(until !== undefined && { until }) }),
    ...(since === undefined && range !== undefined && range !== usualRange && { range }),
    ...(event !== '' && { event }),
  }
}

/** The environment chosen for the whole console stands above one in the filter. */
export function filtersOf({ filter = '' }: EventsSearch, environment: string | undefined): Filters {
  const { filters, text } = readFilters(filter, filterNames)
  if (environment === undefined) return { filters, text }
  return { filters: filters.filter(({ name, isExcluded }) => name !== 'environment' || isExcluded), text }
}

export function withFilters(search: EventsSearch, filters: Filters): EventsSearch {
  const { filter: _filter, ...rest } = search
  return readSearch({ ...rest, filter: writeFilters(filters) })
}

export function withRange(search: EventsSearch, range: Pick<EventsSearch, 'range' | 'since' | 'until'>): EventsSearch {
  const { filter, event } = search
  return readSearch({ filter, event, ...range })
}

/** Whether new events can still come into the range. */
export function isOpenEnded({ until }: EventsSearch): boolean {
  return until === undefined
}

/** What identifies the list: everything but the open drawer. */
export function listOf(search: EventsSearch, environment: string | undefined) {
  const { event: _event, ...rest } = search
  return { ...rest, environment }
}
export type EventList = ReturnType<typeof listOf>

type WireQuery = Readonly<Record<string, string | readonly string[] | undefined>>

/** What the server is asked. Ranges that end now are reckoned from `now`. */
export function queryOf(list: EventList, now: number): WireQuery {
  const { filters, text } = filtersOf(list, list.environment)
  const query: Record<string, string[]> = {}
  for (const { name, value, isExcluded } of filters) {
    const parameter = isExcluded ? `not_${name}` : name
    query[parameter] = [...(query[parameter] ?? []), wireValue(name, value)]
  }
  if (list.environment !== undefined) query['environment'] = [list.environment]
  return { ...query, q: text, since: list.since ?? sinceOf(list.range, now), until: list.until }
}

export function rangeWords({ range = usualRange, since, until }: EventsSearch, write: (at: number) => string): string {
  if (since === undefined) return ranges.find(({ name }) => name === range)?.word ?? ''
  if (until === undefined) return `Since ${write(Date.parse(since))}`
  return `${write(Date.parse(since))} – ${write(Date.parse(until))}`
}

/** The shortest of the usual ranges that reaches back to a moment. */
export function rangeReaching(at: string, now: number): Pick<EventsSearch, 'range' | 'since'> {
  const found = ranges.find(({ ms }) => Date.parse(at) >= now - ms + minute)
  return found ? { range: found.name } : { since: at }
}

function sinceOf(range: RangeName = usualRange, now: number): string {
  const { ms } = ranges.find(({ name }) => name === range) ?? { ms: day }
  return new Date(now - ms).toISOString()
}

/** Anything that is no time is left out. */
function momentOf(written: string): string | undefined {
  const time = written === '' ? Number.NaN : Date.parse(written)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString()
}
