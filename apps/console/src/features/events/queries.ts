import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { addressOf, api } from '../../api/client.ts'
import { serverNow } from '../../api/server-time.ts'
import { readByItsPage } from '../../stream/announcements.ts'
import { jsonMember } from './json-member.ts'
import { type EventList, queryOf } from './search.ts'
import type { EventDetail, EventFacets, EventHistogram, EventsPageAnswer, ShownDetail } from './types.ts'

const pageSize = 100
const bars = 60

/** The newest page of a list; also what the live tail reads. */
export function readPage(list: EventList, cursor: string, signal: AbortSignal, isBackground = false) {
  const query = { ...queryOf(list, serverNow()), cursor, limit: pageSize }
  return api.get<EventsPageAnswer>('/events', { query, signal, isBackground })
}

/** The page decides when to read again; see `useTail`. */
export function eventsQuery(list: EventList) {
  return infiniteQueryOptions({
    queryKey: ['events', 'list', list],
    queryFn: ({ signal, pageParam }) => readPage(list, pageParam, signal),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
    placeholderData: keepPreviousData,
    meta: { [readByItsPage]: true },
  })
}

export function facetsQuery(list: EventList) {
  return queryOptions({
    queryKey: ['events', 'facets', list],
    queryFn: ({ signal }) => api.get<EventFacets>('/events/facets', { query: queryOf(list, serverNow()), signal }),
    placeholderData: keepPreviousData,
  })
}

export function histogramQuery(list: EventList) {
  return queryOptions({
    queryKey: ['events', 'histogram', list],
    queryFn: ({ signal }) => {
      const query = { ...queryOf(list, serverNow()), buckets: bars }
      return api.get<EventHistogram>('/events/histogram', { query, signal })
    },
    placeholderData: keepPreviousData,
  })
}

export function eventQuery(id: string) {
  return queryOptions({
    queryKey: ['events', 'one', id],
    queryFn: async ({ signal }): Promise<ShownDetail> => {
      const text = await api.getText(`/events/${encodeURIComponent(id)}`, { signal })
      const detail = JSON.parse(text) as EventDetail
      const written = (name: string): string => jsonMember(text, name) ?? 'null'
      return { ...detail, argsJson: written('args'), payloadJson: written('payload') }
    },
    // The event never changes; the story of its call may go on.
    staleTime: 2000,
  })
}

/** The newest event of all, whatever its time: tells an empty range from an empty record. */
export function newestQuery(environment: string | undefined) {
  return queryOptions({
    queryKey: ['events', 'newest', environment],
    queryFn: ({ signal }) => api.get<EventsPageAnswer>('/events', { query: { environment, limit: 1 }, signal }),
  })
}

export function exportAddress(list: EventList, format: 'csv' | 'jsonl'): string {
  return addressOf('/events/export', { ...queryOf(list, serverNow()), format })
}
