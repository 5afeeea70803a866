import { type InfiniteData, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useRef, useState } from 'react'
import { useAnnouncements } from '../../frame/live-refresh.ts'
import type { Announcement } from '../../stream/announcements.ts'
import { eventsQuery, readPage } from './queries.ts'
import { type EventList, filtersOf } from './search.ts'
import { joined, newIn } from './tail.ts'
import type { EventsPageAnswer } from './types.ts'

/** How often the list, and how often the counts beside it, are read again while events keep coming. */
const lookMs = 1000
/** Looking for a text costs the server more than reading the newest. */
const lookForTextMs = 5000
const countMs = 5000

type Shown = InfiniteData<EventsPageAnswer, string>
export type Waiting = { readonly count: number; readonly isMore: boolean }

type Options = {
  readonly list: EventList
  /** Whether anything new can come into the range. */
  readonly isOpenEnded: boolean
  /** Nothing moves under somebody who reads: new events are counted and shown when asked for. */
  readonly isHeld: boolean
}

/** Keeps the top of a list in step with what arrives, or while it is held says how many wait. */
export function useTail({ list, isOpenEnded, isHeld }: Options) {
  const client = useQueryClient()
  const key = JSON.stringify(list)
  const [waiting, setWaiting] = useState<Waiting | null>(null)
  const state = useRef({ list, isHeld })
  state.current = { list, isHeld }
  const isDue = useRef(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const reading = useRef<AbortController>(undefined)
  const countedAt = useRef(0)

  const look = useCallback(
    async (isAsked: boolean): Promise<void> => {
      isDue.current = false
      reading.current?.abort()
      const controller = new AbortController()
      reading.current = controller
      const { list: current } = state.current
      const { queryKey } = eventsQuery(current)
      try {
        const newest = await readPage(current, '', controller.signal, true)
        const shown = client.getQueryData<Shown>(queryKey)
        if (controller.signal.aborted || !shown) return
        if (state.current.isHeld && !isAsked) {
          const found = newIn(shown.pages, newest)
          setWaiting(found.count > 0 ? found : null)
          return
        }
        client.setQueryData<Shown>(queryKey, { pages: [joined(shown.pages, newest)], pageParams: [''] })
        setWaiting(null)
        if (Date.now() - countedAt.current < countMs && !isAsked) return
        countedAt.current = Date.now()
        for (const counts of ['facets', 'histogram']) {
          void client.invalidateQueries({ queryKey: ['events', counts, current] })
        }
      } catch {
        // The next arrival asks again; the live dot says when the server does not answer at all.
      }
    },
    [client],
  )

  /** At most one look a second, and none while nobody can see the page. */
  const lookSoon = useCallback((): void => {
    isDue.current = true
    if (document.hidden || timer.current !== undefined) return
    const { list: current } = state.current
    const isText = filtersOf(current, current.environment).text !== ''
    timer.current = setTimeout(
      () => {
        timer.current = undefined
        if (isDue.current) void look(false)
      },
      isText ? lookForTextMs : lookMs,
    )
  }, [look])

  useAnnouncements(
    useCallback(
      ({ name, data }: Announcement) => {
        if (!isOpenEnded) return
        // Nobody knows what came while there was no stream.
        if (name === 'reset') lookSoon()
        if (name !== 'events.arrived') return
        const { environment } = state.current.list
        const { environments } = data
        if (environment !== undefined && Array.isArray(environments) && !environments.includes(environment)) return
        lookSoon()
      },
      [isOpenEnded, lookSoon],
    ),
  )
  useEffect(() => {
    const onVisible = (): void => {
      if (!document.hidden && isDue.current) lookSoon()
    }
    document.addEventListener('visibilitychange', onVisible)
    return () => document.removeEventListener('visibilitychange', onVisible)
  }, [lookSoon])
  useEffect(() => {
    // Whoever stops reading wants to see what came meanwhile.
    if (!isHeld && isOpenEnded) lookSoon()
  }, [isHeld, isOpenEnded, lookSoon])
  useEffect(() => {
    setWaiting(null)
    return () => {
      reading.current?.abort()
      clearTimeout(timer.current)
      timer.current = undefined
    }
  }, [key])

  return { waiting, catchUp: useCallback(() => look(true), [look]) }
}
