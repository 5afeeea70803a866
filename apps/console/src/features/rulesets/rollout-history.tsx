import type { Rollout } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, Failed, Loading } from '../../ui/list-states.tsx'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import ui from '../../ui/ui.module.css'
import { rolloutsQuery } from './rollout-queries.ts'
import classes from './rollouts.module.css'

export const kindWords: Readonly<Record<Rollout['kind'], string>> = {
  rollout: 'rolled out',
  promotion: 'promoted',
  rollback: 'rolled back',
}

const columns: readonly Column<Rollout>[] = [
  { id: 'at', header: 'When', width: '84px', cell: ({ at }) => <Instant at={at} /> },
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
    cell: ({ version, previous_version, kind, is_current }) => (
      <>
        <code className={classes.step}>
          {previous_version === null ? `v${version}` : `v${previous_version} → v${version}`}
        </code>
        {is_current && <span className={ui.word}>live</span>}
        <span className={ui.cut}>{previous_version === null ? 'first' : kindWords[kind]}</span>
      </>
    ),
  },
  {
    id: 'who',
    header: 'Who',
    width: 'minmax(150px, 1fr)',
    isWideOnly: true,
    cell: ({ by }) => <PrincipalChip who={by} />,
  },
  {
    id: 'note',
    header: 'Note',
    width: 'minmax(160px, 2fr)',
    isWideOnly: true,
    cell: ({ note }) => <span className={ui.cut}>{note ?? ''}</span>,
  },
]

type Props = {
  readonly name: string
  readonly environment: string | undefined
  readonly openId: string | undefined
  readonly onOpen: (id: string) => void
}

export function RolloutHistory({ name, environment, openId, onOpen }: Props) {
  const list = useInfiniteQuery(rolloutsQuery(name, environment))
  const rows = list.data?.pages.flatMap(({ items }) => items) ?? []
  return (
    <section aria-label="History">
      <h2 className={classes.heading}>History</h2>
      {list.isPending && <Loading rows={3} />}
      {list.isError && rows.length === 0 && (
        <Failed what="The history could not be read" error={list.error} onRetry={() => void list.refetch()} />
      )}
      {list.isSuccess && rows.length === 0 && (
        <EmptyState title={environment ? `Never rolled out to ${environment}` : 'Never rolled out'}>
          Agents get a revision once it is rolled out to their environment; each time is kept here with who, when and
          why.
        </EmptyState>
      )}
      {rows.length > 0 && (
        <div className={classes.scrollSideways}>
          <DataTable
            label="Rollouts"
            columns={columns}
            rows={rows}
            rowId={({ id }) => id}
            openId={openId}
            onOpen={({ id }) => onOpen(id)}
            isInline
          />
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
