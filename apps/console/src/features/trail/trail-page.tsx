import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCallback, useMemo } from 'react'
import type { TrailEntryShown } from '../../api/types.ts'
import { Page } from '../../frame/page.tsx'
import { actWords } from '../../ui/acts.ts'
import { CopyButton } from '../../ui/copy-button.tsx'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { FilterBar } from '../../ui/filters/filter-bar.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, Failed, FilteredToNothing, Loading, PartialNote } from '../../ui/list-states.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import { type Names, subjectWords } from '../../ui/subjects.ts'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import { EntryDrawer } from './entry-drawer.tsx'
import { trailHeadQuery, trailQuery } from './queries.ts'
import { trailRoute } from './route.ts'
import { filtersOf, type TrailSearch, withFilters } from './search.ts'
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
    cell: ({ act, outcome }) => {
      const odd = outcomeOf(outcome)
      return (
        <>
          <span className={ui.cut} title={act}>
            {actWords(act)}
          </span>
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
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? []
  const isNarrowed = filtersOf(search).filters.length > 0 || search.text !== undefined
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const go = (next: TrailSearch, replace: boolean): void => {
    void navigate({ to: '/trail', search: (before) => ({ environment: before.environment, ...next }), replace })
  }
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, fetchNextPage])
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
          onChange={(filters) => go(withFilters(filters), true)}
        />
        {head.data && head.data.size > 0 && (
          <span className={ui.hash} title="Hash of the tree over every entry; it changes with any byte of any of them">
            <span className={ui.faint}>root</span> <code>{head.data.root.slice(0, 12)}</code>
            <CopyButton text={head.data.root} what="the root hash" />
          </span>
        )}
        <ColumnMenu columns={columns} choice={choice} onChoice={setChoice} />
      </div>
      {list.isPending && <Loading rows={14} />}
      {list.isError && rows.length === 0 && (
        <Failed what="The trail could not be read" error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isError && rows.length > 0 && (
        <PartialNote onRetry={() => void list.refetch()}>Not all of it could be read.</PartialNote>
      )}
      {list.isSuccess &&
        rows.length === 0 &&
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
          footer={isFetchingNextPage ? 'Reading earlier entries' : hasNextPage ? null : 'This is the beginning.'}
        />
      )}
      {search.entry !== undefined && (
        <EntryDrawer number={search.entry} onClose={() => go({ ...search, entry: undefined }, false)} />
      )}
    </Page>
  )
}
