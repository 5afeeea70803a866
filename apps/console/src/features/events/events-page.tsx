import { useMediaQuery } from '@mantine/hooks'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useRef, useState } from 'react'
import { serverNow } from '../../api/server-time.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Page } from '../../frame/page.tsx'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import faceted from '../../ui/filters/faceted.module.css'
import { FilterBar } from '../../ui/filters/filter-bar.tsx'
import type { Filters } from '../../ui/filters/filter-text.ts'
import { Histogram } from '../../ui/histogram/histogram.tsx'
import { FilterIcon } from '../../ui/icons.tsx'
import { Failed, Loading, PartialNote } from '../../ui/list-states.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { columnsFor } from './columns.tsx'
import { EventDrawer } from './event-drawer.tsx'
import classes from './events.module.css'
import { ExportMenu } from './export-menu.tsx'
import { Facets } from './facets.tsx'
import { fieldsFrom } from './fields.ts'
import { LiveSwitch, NewEvents } from './live.tsx'
import { momentWords } from './moment.tsx'
import { Nothing } from './nothing.tsx'
import { eventsQuery, facetsQuery, histogramQuery } from './queries.ts'
import { RangeMenu } from './range-menu.tsx'
import { eventsRoute } from './route.ts'
import {
  type EventsSearch,
  filtersOf,
  isOpenEnded,
  listOf,
  rangeReaching,
  rangeWords,
  withFilters,
  withRange,
} from './search.ts'
import { SearchNote } from './search-note.tsx'
import { useTail } from './use-tail.ts'

/** A search that takes long goes on by itself until so many were found. */
const foundEnough = 100

export function EventsPage() {
  const search = eventsRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const isNarrow = useMediaQuery('(max-width: 1023px)', undefined, { getInitialValueInEffect: false }) ?? false
  const isTelephone = useMediaQuery('(max-width: 767px)', undefined, { getInitialValueInEffect: false }) ?? false
  const [choice, setChoice] = useColumnChoice('events')
  const [isPaused, setPaused] = useState(false)
  const [isAtTop, setAtTop] = useState(true)
  const [isReading, setReading] = useState(false)
  const [areFacetsOpen, setFacetsOpen] = useState(false)
  const table = useRef<HTMLDivElement>(null)
  const list = useMemo(() => listOf(search, environment), [search, environment])
  const listKey = JSON.stringify(list)
  const events = useInfiniteQuery(eventsQuery(list))
  const facets = useQuery(facetsQuery(list))
  const histogram = useQuery(histogramQuery(list))
  const rows = useMemo(() => events.data?.pages.flatMap(({ items }) => items) ?? [], [events.data])
  const filters = filtersOf(search, environment)
  const isNarrowed = filters.filters.length > 0 || filters.text !== ''
  const isLive = isOpenEnded(search) && !isPaused
  const { waiting, catchUp } = useTail({
    list,
    isOpenEnded: isOpenEnded(search),
    isHeld: !isLive || !isAtTop || isReading || search.event !== undefined,
  })
  const columns = useMemo(() => columnsFor(isTelephone, environment !== undefined), [isTelephone, environment])
  const { hasNextPage, isFetchingNextPage, fetchNextPage, isPlaceholderData } = events
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isPlaceholderData) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isPlaceholderData, fetchNextPage])

  const go = (next: EventsSearch, replace: boolean): void => {
    void navigate({ to: '/events', search: { ...next, environment }, replace })
  }
  const setFilters = (next: Filters): void => {
    // Another list begins at its top.
    setAtTop(true)
    go(withFilters(search, next), false)
  }
  const setRange = (range: Parameters<typeof withRange>[1]): void => {
    setAtTop(true)
    go(withRange(search, range), false)
  }
  const open = (event: string | undefined): void =>
    go({ ...search, event }, search.event !== undefined && event !== undefined)
  const move = (step: 1 | -1): void => {
    const at = rows.findIndex(({ id }) => id === search.event)
    const next = rows[at + step]
    if (at >= 0 && next) open(next.id)
  }
  const showNew = async (): Promise<void> => {
    await catchUp()
    table.current?.querySelector('[role="grid"]')?.parentElement?.scrollTo({ top: 0 })
    setAtTop(true)
  }
  const total = facets.data?.total
  const searchedTo = events.data?.pages.at(-1)?.searched_to ?? undefined
  const facetList = facets.data && (
    <Facets
      facets={facets.data}
      filters={filters}
      onFilters={setFilters}
      isInOneEnvironment={environment !== undefined}
    />
  )
  return (
    <Page
      title="Events"
      width="full"
      aside={
        total && (
          <span className={ui.faint}>
            {total.is_exact ? counted(total.count, 'event') : `${countWords(total.count)}+ events`}
          </span>
        )
      }
    >
      <div className={toolbar.toolbar}>
        <FilterBar
          label="Filter the events"
          placeholder="Filter: agent:build-*  verdict:blocked  -tool:read_file  or words"
          fields={fieldsFrom(facets.data)}
          value={filters}
          onChange={setFilters}
        />
        {isNarrow && (
          <button
            type="button"
            className={classes.square}
            aria-label="Filter by count"
            onClick={() => setFacetsOpen(true)}
          >
            <FilterIcon size={16} />
          </button>
        )}
        <RangeMenu search={search} onRange={setRange} />
        {isOpenEnded(search) && <LiveSwitch isLive={isLive} onChange={(isOn) => setPaused(!isOn)} />}
        <ExportMenu list={list} />
        <ColumnMenu columns={columns} choice={choice} onChoice={setChoice} />
      </div>
      <div className={faceted.body}>
        {!isNarrow && (
          <aside className={faceted.facets} aria-label="Counts">
            {facetList}
            {facets.isError && !facets.data && (
              <PartialNote onRetry={() => void facets.refetch()}>The counts could not be read.</PartialNote>
            )}
          </aside>
        )}
        <section className={faceted.main} aria-label="Events">
          {histogram.data && (
            <div className={classes.histogram}>
              <Histogram
                label="Events over time"
                buckets={histogram.data.buckets}
                bucketMs={histogram.data.bucket_seconds * 1000}
                height={isTelephone ? 64 : 84}
                onZoom={setRange}
              />
              {!histogram.data.is_exact && <p className={classes.note}>The newest 10,000 matches are counted.</p>}
            </div>
          )}
          {histogram.isError && !histogram.data && (
            <PartialNote onRetry={() => void histogram.refetch()}>The histogram could not be read.</PartialNote>
          )}
          {searchedTo !== undefined && (
            <SearchNote
              key={listKey}
              searchedTo={searchedTo}
              isSearching={isFetchingNextPage}
              isEnough={rows.length >= foundEnough || isPlaceholderData || events.isError}
              onSearch={() => void fetchNextPage()}
            />
          )}
          {events.isError && rows.length > 0 && (
            <PartialNote onRetry={() => void events.refetch()}>Not all of it could be read.</PartialNote>
          )}
          {events.isPending && <Loading rows={16} />}
          {events.isError && rows.length === 0 && (
            <Failed what="The events could not be read" error={events.error} onRetry={() => void events.refetch()} />
          )}
          {events.isSuccess && rows.length === 0 && searchedTo === undefined && (
            <Nothing
              environment={environment}
              isNarrowed={isNarrowed}
              range={rangeWords(search, momentWords)}
              onClear={() => setFilters({ filters: [], text: '' })}
              onReach={(at) => setRange(rangeReaching(at, serverNow()))}
            />
          )}
          {waiting && <NewEvents waiting={waiting} onShow={() => void showNew()} />}
          {rows.length > 0 && (
            <div
              ref={table}
              className={classes.table}
              data-stale={isPlaceholderData || undefined}
              aria-busy={isPlaceholderData}
              onFocus={(event) => setReading(event.target.closest('[data-index]') !== null)}
              onBlur={() => setReading(false)}
            >
              <DataTable
                key={listKey}
                label="Events"
                columns={columns}
                rows={rows}
                rowId={({ id }) => id}
                choice={choice}
                openId={search.event}
                onOpen={({ id }) => open(id)}
                onEnd={onEnd}
                onTop={setAtTop}
                {...(total?.is_exact === true && { total: total.count })}
                footer={
                  isFetchingNextPage ? 'Reading earlier events' : hasNextPage ? null : 'No earlier event matches.'
                }
              />
            </div>
          )}
        </section>
      </div>
      {isNarrow && (
        <SideDrawer isOpen={areFacetsOpen} onClose={() => setFacetsOpen(false)} title="Filter by count" width={360}>
          {facetList}
        </SideDrawer>
      )}
      {search.event !== undefined && (
        <EventDrawer
          id={search.event}
          onClose={() => open(undefined)}
          onOpen={open}
          onMove={move}
          onFilter={(text) => go({ ...withFilters(search, { filters: [], text }), event: undefined }, false)}
        />
      )}
    </Page>
  )
}
