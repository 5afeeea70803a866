import type { RecurringJob } from '@countersign/wire'
import { useQuery } from '@tanstack/react-query'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import whole from '../../ui/whole.module.css'
import { recurringQuery } from './queries.ts'
import { doesWords, everyWords, failureWords, stateMarks } from './words.ts'

const columns: readonly Column<RecurringJob>[] = [
  {
    id: 'does',
    header: 'What it does',
    width: 'minmax(150px, 2fr)',
    isFixed: true,
    cell: ({ name }) => (
      <span className={ui.cut} title={name}>
        {doesWords(name)}
      </span>
    ),
  },
  {
    id: 'state',
    header: 'State',
    width: '120px',
    isFixed: true,
    cell: ({ state }) => <VerdictBadge {...stateMarks[state]} />,
  },
  {
    id: 'every',
    header: 'Period',
    width: '120px',
    isWideOnly: true,
    cell: ({ every_seconds }) => <span className={ui.quiet}>{everyWords(every_seconds)}</span>,
  },
  {
    id: 'success',
    header: 'Last success',
    width: '110px',
    isWideOnly: true,
    cell: ({ last_success_at }) =>
      last_success_at ? <Instant at={last_success_at} /> : <span className={ui.faint}>never here</span>,
  },
  {
    id: 'failures',
    header: 'Failures',
    width: 'minmax(150px, 1fr)',
    isWideOnly: true,
    cell: (one) => <span className={one.consecutive_failures > 0 ? ui.care : ui.quiet}>{failureWords(one)}</span>,
  },
]

const rank = { crashed: 0, running: 1, stopped: 2 } as const

/** What the server does by itself, again and again. A failure is tried again without anybody. */
export function RecurringTab() {
  const list = useQuery(recurringQuery)
  const rows = (list.data?.items ?? []).toSorted((one, other) => rank[one.state] - rank[other.state])
  return (
    <div className={whole.whole}>
      <div className={whole.bar}>
        <p className={ui.quiet}>
          As the replica that answers sees it
          {list.data && (
            <>
              , <code>{list.data.replica.slice(0, 8)}</code>
            </>
          )}
          . What fails is tried again by itself; its log says why.
        </p>
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The periodic work"
        empty={<EmptyState title="This replica does no periodic work">Another one has the role for it.</EmptyState>}
      >
        <DataTable label="Periodic work" columns={columns} rows={rows} rowId={({ name }) => name} />
      </Listing>
    </div>
  )
}
