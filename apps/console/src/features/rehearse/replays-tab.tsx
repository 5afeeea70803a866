import type { Replay } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { usePages } from '../../ui/pages.ts'
import { PrincipalChip } from '../../ui/principal-chip.tsx'
import ui from '../../ui/ui.module.css'
import whole from '../../ui/whole.module.css'
import classes from './rehearse.module.css'
import { replaysQuery } from './replay-queries.ts'
import { ReplayView } from './replay-view.tsx'
import { countsWords, nameOf, stateWords } from './replay-words.ts'
import { rehearseRoute } from './route.ts'
import type { RehearseSearch } from './search.ts'
import { StartReplay } from './start-replay.tsx'

const columns: readonly Column<Replay>[] = [
  { id: 'made', header: 'Started', width: '86px', isFixed: true, cell: ({ made_at }) => <Instant at={made_at} /> },
  {
    id: 'what',
    header: 'Text',
    width: 'minmax(120px, 1.2fr)',
    isFixed: true,
    cell: (replay) => <span className={ui.cut}>{nameOf(replay)}</span>,
  },
  {
    id: 'result',
    header: 'Result',
    width: 'minmax(130px, 2fr)',
    isFixed: true,
    cell: (replay) => <span className={ui.cut}>{replay.counts ? countsWords(replay.counts) : stateWords(replay)}</span>,
  },
  {
    id: 'environment',
    header: 'Environment',
    width: '130px',
    isWideOnly: true,
    cell: ({ environment }) =>
      environment === null ? <span className={ui.faint}>all</span> : <EnvironmentTag name={environment} />,
  },
  {
    id: 'range',
    header: 'Calls since',
    width: '100px',
    isWideOnly: true,
    cell: ({ since }) => <Instant at={since} />,
  },
  {
    id: 'by',
    header: 'By',
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ made_by }) => <PrincipalChip who={made_by} />,
  },
]

/** Rehearsals with everything that was recorded, newest first; one of them opened takes the place of the list. */
export function ReplaysTab() {
  const { replay, start, ruleset, version } = rehearseRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const mayStart = useCan('replays:write')
  const list = useInfiniteQuery(replaysQuery(undefined))
  const { rows, onEnd } = usePages(list)
  const go = (change: RehearseSearch): void => {
    void navigate({
      to: '/rehearse',
      search: (before) => ({ environment: before.environment, tab: 'replays', ...change }),
    })
  }
  const begin = <Button onClick={() => go({ start: true })}>Replay recorded calls</Button>
  return (
    <div className={whole.whole}>
      {replay !== undefined ? (
        <ReplayView id={replay} onClose={() => go({})} />
      ) : (
        <>
          <div className={whole.bar}>
            <p className={classes.lead}>What a text would have made of the calls that were recorded.</p>
            <span className={classes.grow} />
            {mayStart && (
              <Button leftSection={<PlusIcon size={14} />} onClick={() => go({ start: true })}>
                New replay
              </Button>
            )}
          </div>
          <Listing
            list={list}
            hasRows={rows.length > 0}
            what="The replays"
            empty={
              <EmptyState title="Nothing has been replayed yet" action={mayStart && begin}>
                Before a rollout, a replay shows which recorded calls would end differently, by rule and with samples.
              </EmptyState>
            }
          >
            <DataTable
              label="Replays"
              columns={columns}
              rows={rows}
              rowId={({ id }) => id}
              onOpen={({ id }) => go({ replay: id })}
              onEnd={onEnd}
            />
          </Listing>
        </>
      )}
      {start && mayStart && (
        <StartReplay
          ruleset={ruleset}
          version={version}
          environment={environment}
          onClose={() => go({})}
          onStarted={({ id }) => go({ replay: id })}
        />
      )}
    </div>
  )
}
