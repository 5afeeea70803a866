import type { Job } from '@countersign/wire'
import { Button, Select } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { usePages } from '../../ui/pages.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import { VerdictBadge } from '../../ui/verdict-badge.tsx'
import whole from '../../ui/whole.module.css'
import { JobDrawer } from './job-drawer.tsx'
import { jobsQuery } from './queries.ts'
import { jobsRoute } from './route.ts'
import { type JobsSearch, kinds, statuses } from './search.ts'
import { kindWords, markOf, nameOf, statusMarks } from './words.ts'

const columns: readonly Column<Job>[] = [
  { id: 'made', header: 'Ordered', width: '86px', isWideOnly: true, cell: ({ made_at }) => <Instant at={made_at} /> },
  {
    id: 'what',
    header: 'What',
    width: 'minmax(130px, 1.4fr)',
    isFixed: true,
    cell: (job) => (
      <>
        <span className={ui.cut}>{nameOf(job)}</span>
        <span className={ui.word}>{kindWords[job.kind].toLowerCase()}</span>
      </>
    ),
  },
  { id: 'status', header: 'Status', width: '150px', isFixed: true, cell: (job) => <VerdictBadge {...markOf(job)} /> },
  {
    id: 'environment',
    header: 'Environment',
    width: '130px',
    isWideOnly: true,
    cell: ({ environment }) =>
      environment === null ? <span className={ui.faint}>all</span> : <EnvironmentTag name={environment} />,
  },
  {
    id: 'failure',
    header: 'Failure',
    width: 'minmax(140px, 1.6fr)',
    isWideOnly: true,
    cell: ({ failure }) => <span className={ui.cut}>{failure ?? ''}</span>,
  },
  {
    id: 'ended',
    header: 'Ended',
    width: '90px',
    isWideOnly: true,
    cell: ({ ended_at }) => (ended_at ? <Instant at={ended_at} /> : <span className={ui.faint}>not yet</span>),
  },
  {
    id: 'by',
    header: 'By',
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ made_by }) => <PrincipalChip who={made_by} />,
  },
]

/** What somebody ordered and the server does while nobody waits. */
export function OrderedTab() {
  const { state, kind, job } = jobsRoute.useSearch()
  const navigate = useNavigate()
  const mayReplay = useCan('replays:write')
  const list = useInfiniteQuery(jobsQuery(state, kind))
  const { rows, onEnd } = usePages(list)
  const go = (change: Partial<JobsSearch>): void => {
    void navigate({
      to: '/jobs',
      search: ({ environment }) => ({ environment, state, kind, job, ...change }),
      replace: change.job === undefined,
    })
  }
  const isFiltered = state !== undefined || kind !== undefined
  return (
    <div className={whole.whole}>
      <div className={whole.bar}>
        <Select
          aria-label="Status"
          className={toolbar.choice}
          placeholder="Any status"
          clearable
          clearButtonProps={{ 'aria-label': 'Any status' }}
          data={statuses.map((one) => ({ value: one, label: statusMarks[one].word }))}
          value={state ?? null}
          onChange={(value) => go({ state: statuses.find((one) => one === value) })}
        />
        <Select
          aria-label="Kind"
          className={toolbar.choice}
          placeholder="Any kind"
          clearable
          clearButtonProps={{ 'aria-label': 'Any kind' }}
          data={kinds.map((one) => ({ value: one, label: kindWords[one] }))}
          value={kind ?? null}
          onChange={(value) => go({ kind: kinds.find((one) => one === value) })}
        />
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The jobs"
        empty={
          isFiltered ? (
            <FilteredToNothing what="jobs" onClear={() => go({ state: undefined, kind: undefined })} />
          ) : (
            <EmptyState
              title="Nothing was ordered yet"
              action={
                mayReplay && (
                  <Button onClick={() => void navigate({ href: '/rehearse?tab=replays' })}>
                    Replay recorded calls
                  </Button>
                )
              }
            >
              Replays of recorded calls and rollouts that observe first are listed here with how far they are.
            </EmptyState>
          )
        }
      >
        <DataTable
          label="Jobs"
          columns={columns}
          rows={rows}
          rowId={({ id }) => id}
          openId={job}
          onOpen={({ id }) => go({ job: id })}
          onEnd={onEnd}
        />
      </Listing>
      {job !== undefined && <JobDrawer id={job} onClose={() => go({ job: undefined })} />}
    </div>
  )
}
