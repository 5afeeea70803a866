import type { RolloutTrial } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed } from '../../ui/list-states.tsx'
import { countWords } from '../../ui/numbers.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import ui from '../../ui/ui.module.css'
import rollouts from './rollouts.module.css'
import { TrialCard } from './trial-card.tsx'
import { isUndecided, trialsQuery } from './trial-queries.ts'
import { trialStatusWords } from './trial-words.ts'
import classes from './trials.module.css'

const columns: readonly Column<RolloutTrial>[] = [
  {
    id: 'ended',
    header: 'Ended',
    width: '84px',
    cell: ({ ended_at, made_at }) => <Instant at={ended_at ?? made_at} />,
  },
  {
    id: 'environment',
    header: 'Environment',
    width: '112px',
    cell: ({ environment }) => <EnvironmentTag name={environment} />,
  },
  {
    id: 'what',
    header: 'What',
    width: 'minmax(124px, 1fr)',
    cell: ({ version, status }) => (
      <>
        <code>v{version}</code>
        <span className={ui.cut}>{trialStatusWords[status]}</span>
      </>
    ),
  },
  {
    id: 'calls',
    header: 'Would have stopped',
    width: '150px',
    isWideOnly: true,
    cell: ({ would_blocks, would_block_max }) => (
      <span>
        {countWords(would_blocks)} <span className={ui.faint}>of {countWords(would_block_max)} allowed</span>
      </span>
    ),
  },
  {
    id: 'who',
    header: 'Who',
    width: 'minmax(150px, 1fr)',
    isWideOnly: true,
    cell: ({ made_by }) => <PrincipalChip who={made_by} />,
  },
]

type Props = { readonly name: string; readonly environment: string | undefined }

/** Rollouts that observe first: those that can still be decided, and below them what became of the others. */
export function Trials({ name, environment }: Props) {
  const list = useInfiniteQuery(trialsQuery(name))
  const all = list.data?.pages.flatMap(({ items }) => items) ?? []
  const here = all.filter((one) => environment === undefined || one.environment === environment)
  const open = here.filter(isUndecided)
  const ended = here.filter((one) => !isUndecided(one))
  if (list.isError && all.length === 0) {
    return <Failed what="The trials could not be read" error={list.error} onRetry={() => void list.refetch()} />
  }
  if (here.length === 0) return null
  return (
    <section aria-label="Observing first">
      <h2 className={rollouts.heading}>Observing first</h2>
      {open.length > 0 && (
        <ul className={classes.cards}>
          {open.map((trial) => (
            <TrialCard key={trial.id} trial={trial} />
          ))}
        </ul>
      )}
      {ended.length > 0 && (
        <div className={rollouts.scrollSideways}>
          <DataTable label="Trials that ended" columns={columns} rows={ended} rowId={({ id }) => id} isInline />
        </div>
      )}
      {list.hasNextPage && (
        <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          Show earlier ones
        </Button>
      )}
    </section>
  )
}
