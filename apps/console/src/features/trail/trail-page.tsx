import { useMediaQuery } from '@mantine/hooks'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo, useState } from 'react'
import { useCan } from '../../api/session.ts'
import type { TrailEntryShown } from '../../api/types.ts'
import { Page } from '../../frame/page.tsx'
import { actWords } from '../../ui/acts.ts'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import faceted from '../../ui/filters/faceted.module.css'
import { FilterBar } from '../../ui/filters/filter-bar.tsx'
import type { Filters } from '../../ui/filters/filter-text.ts'
import { FilterIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, Failed, FilteredToNothing, Loading, PartialNote } from '../../ui/list-states.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { SideDrawer } from '../../ui/side-drawer.tsx'
import { type Names, subjectWords } from '../../ui/subjects.ts'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { Beginning } from './beginning.tsx'
import { HeadButton } from './checkpoint.tsx'
import { EntryDrawer } from './entry-drawer.tsx'
import { ExportMenu } from './export-menu.tsx'
import { Facets } from './facets.tsx'
import { LookedSoFar } from './looked-so-far.tsx'
import { trailFacetsQuery, trailHeadQuery, trailQuery } from './queries.ts'
import { trailRoute } from './route.ts'
import { filtersOf, type TrailSearch, withFilters } from './search.ts'
import classes from './trail.module.css'
import { useNames } from './use-names.ts'
import { actorOf, outcomeOf } from './words.ts'

const columnsWith = (names: Names): readonly Column<TrailEntryShown>[] => [
  {
    id: 'number',
    header: 'Entry',
    width: '80px',
    align: 'end',
    isWideOnly: true,
    cell: ({ number }) => <span className={ui.faint}>{countWords(number)}</span>,
  },
  { id: 'at', header: 'When', width: '90px', isFixed: true, cell: ({ at }) => <Instant at={at} /> },
  {
    id: 'actor',
    header: 'Who',
    width: 'minmax(130px, 1.2fr)',
    isFixed: true,
    cell: (entry) => <PrincipalChip who={actorOf(entry, names)} />,
  },
  {
    id: 'act',
    header: 'Did',
    width: 'minmax(150px, 1.4fr)',
    isFixed: true,
    cell: ({ act, outcome, details, repeats }) => {
      const odd = outcomeOf(outcome, details)
      return (
        <>
          <span className={ui.cut} title={act}>
            {actWords(act, details)}
          </span>
          {repeats && (
            <span
              className={classes.repeats}
              title={`${countWords(repeats.count)} entries that say the same, from ${countWords(repeats.first_number)} on`}
            >
              ×{countWords(repeats.count)}
            </span>
          )}
          {odd && <VerdictBadge {...odd} />}
        </>
      )
    },
  },
  {
    id: 'subject',
    header: 'To what',
    width: 'minmax(200px, 2fr)',
    isWideOnly: true,
    cell: ({ subject, details }) => (
      <>
        <span className={ui.faint}>{subject.kind.replaceAll('_', ' ')}</span>
        <span className={ui.cut} title={subject.id}>
          {subject.kind === 'session' ? '' : subjectWords(subject, details, names)}
        </span>
      </>
    ),
  },
  {
    id: 'request',
    header: 'Request',
    width: '170px',
    isHiddenAtFirst: true,
    isWideOnly: true,
    cell: ({ request_id }) => <code className={ui.cutMono}>{request_id}</code>,
  },
]

const fields = [
  {
    name: 'act',
    hint: 'what was done; key.* for all about keys',
    values: [
      'approval.*',
      'key.*',
      'rollout.*',
      'ruleset.*',
      'session.*',
      'setting.*',
      'environment.*',
      'signing_key.*',
    ],
  },
  { name: 'actor', hint: 'id of who did it' },
  { name: 'subject', hint: 'id of what it was done to' },
  { name: 'kind', hint: 'kind of what it was done to: key, ruleset, route …' },
  { name: 'request', hint: 'id of the request' },
  { name: 'address', hint: 'where it came from; 10.1.* for all that begin so' },
  { name: 'outcome', hint: 'how it ended', values: ['done', 'refused', 'failed', 'held', 'intended', 'unknown'] },
  { name: 'since', hint: 'from a day or moment on: 2026-03-03' },
  { name: 'until', hint: 'before a day or moment' },
] as const

export function TrailPage() {
  const search = trailRoute.useSearch()
  const navigate = useNavigate()
  const [choice, setChoice] = useColumnChoice('trail')
  const names = useNames()
  const columns = useMemo(() => columnsWith(names), [names])
  const list = useInfiniteQuery(trailQuery(search))
  const head = useQuery(trailHeadQuery)
  const canExport = useCan('trail:export')
  const facets = useQuery(trailFacetsQuery(search))
  const isNarrow = useMediaQuery('(max-width: 1023px)', undefined, { getInitialValueInEffect: false }) ?? false
  const [areFacetsOpen, setFacetsOpen] = useState(false)
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? []
  const looked = list.data?.pages.at(-1)?.looked ?? undefined
  const isNarrowed = filtersOf(search).filters.length > 0 || search.text !== undefined
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const go = (next: TrailSearch, replace: boolean): void => {
    void navigate({ to: '/trail', search: (before) => ({ environment: before.environment, ...next }), replace })
  }
  const setFilters = (filters: Filters): void => go({ ...withFilters(filters), ...(search.all && { all: true }) }, true)
  const onEnd = useCallback(() => {
    // Looking through more of what is sealed is asked for, not begun by scrolling.
    if (hasNextPage && !isFetchingNextPage && !looked) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage, looked])
  const facetList = facets.data && (
    <Facets facets={facets.data} filters={filtersOf(search)} names={names} onFilters={setFilters} />
  )
  return (
    <Page
      title="Trail"
      width="full"
      aside={head.data && <span className={ui.faint}>{counted(head.data.size, 'entry', 'entries')}</span>}
    >
      <div className={toolbar.toolbar}>
        <FilterBar
          label="Filter the trail"
          placeholder="Filter: act:  actor:  subject:  outcome:  since:  or words"
          fields={fields}
          value={filtersOf(search)}
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
        <button
          type="button"
          className={classes.fold}
          aria-pressed={search.all !== true}
          title="Tell neighbors that say the same once"
          onClick={() => go({ ...search, all: search.all ? undefined : true }, true)}
        >
          Fold repeats
        </button>
        {head.data && head.data.size > 0 && <HeadButton head={head.data} />}
        {canExport && <ExportMenu search={search} />}
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
        <section className={faceted.main} aria-label="Entries">
          {list.isPending && <Loading rows={14} />}
          {list.isError && rows.length === 0 && (
            <Failed what="The trail could not be read" error={list.error} onRetry={() => void list.refetch()} />
          )}
          {list.isError && rows.length > 0 && (
            <PartialNote onRetry={() => void list.refetch()}>Not all of it could be read.</PartialNote>
          )}
          {list.isSuccess &&
            rows.length === 0 &&
            !looked &&
            (isNarrowed ? (
              <FilteredToNothing what="entries" onClear={() => go({}, true)} />
            ) : (
              <EmptyState title="Nothing is recorded yet" command="countersign trail verify">
                Every sign-in, key, rollout, decision and setting is written here in the same moment it takes effect.
              </EmptyState>
            ))}
          {rows.length > 0 && (
            <DataTable
              label="Trail"
              columns={columns}
              rows={rows}
              rowId={({ number }) => String(number)}
              choice={choice}
              openId={search.entry === undefined ? undefined : String(search.entry)}
              onOpen={({ number }) => go({ ...search, entry: number }, search.entry !== undefined)}
              onEnd={onEnd}
              footer={isFetchingNextPage ? 'Reading earlier entries' : hasNextPage ? null : <Beginning />}
            />
          )}
          {looked && (
            <LookedSoFar
              looked={looked}
              hasFound={rows.length > 0}
              isLooking={isFetchingNextPage}
              onFurther={() => void fetchNextPage()}
            />
          )}
        </section>
      </div>
      {isNarrow && (
        <SideDrawer isOpen={areFacetsOpen} onClose={() => setFacetsOpen(false)} title="Filter by count" width={360}>
          {facetList}
        </SideDrawer>
      )}
      {search.entry !== undefined && (
        <EntryDrawer number={search.entry} onClose={() => go({ ...search, entry: undefined }, false)} />
      )}
    </Page>
  )
}
