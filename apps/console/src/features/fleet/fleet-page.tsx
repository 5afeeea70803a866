import type { AgentRow } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Page } from '../../frame/page.tsx'
import { ColumnMenu, useColumnChoice } from '../../ui/data-table/column-menu.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EnvironmentTag } from '../../ui/environment-tag.tsx'
import { FindField } from '../../ui/find-field.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState, FilteredToNothing } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { counted } from '../../ui/numbers.ts'
import { usePages } from '../../ui/pages.ts'
import { RevisionChip } from '../../ui/revision-chip.tsx'
import toolbar from '../../ui/toolbar.module.css'
import ui from '../../ui/ui.module.css'
import classes from './fleet.module.css'
import { agentsQuery } from './queries.ts'
import { fleetRoute } from './route.ts'
import type { FleetSearch } from './search.ts'
import { StatusBadge } from './status-badge.tsx'
import { SummaryBar } from './summary-bar.tsx'
import { sourceWords } from './words.ts'

const columns: readonly Column<AgentRow>[] = [
  {
    id: 'agent',
    header: 'Agent',
    isSortedByServer: true,
    width: 'minmax(170px, 1.6fr)',
    isFixed: true,
    cell: ({ agent_id, display_name, is_connected }) => (
      <span className={classes.agent}>
        <span
          className={classes.dot}
          data-connected={is_connected || undefined}
          title={is_connected ? 'connected' : 'not connected'}
        />
        <span className={ui.cutMono}>{agent_id}</span>
        {display_name !== null && <span className={ui.cutFaint}>{display_name}</span>}
      </span>
    ),
  },
  {
    id: 'environment',
    header: 'Environment',
    isSortedByServer: true,
    width: '140px',
    isWideOnly: true,
    cell: ({ environment }) => <EnvironmentTag name={environment} />,
  },
  {
    id: 'status',
    header: 'State',
    isSortedByServer: true,
    width: '110px',
    isFixed: true,
    cell: ({ status }) => <StatusBadge status={status} />,
  },
  {
    id: 'ruleset',
    header: 'Ruleset',
    isSortedByServer: true,
    width: 'minmax(280px, 2.2fr)',
    isWideOnly: true,
    cell: ({ ruleset, ruleset_source }) =>
      ruleset === null ? (
        <span className={ui.faint}>none</span>
      ) : (
        <span className={classes.pair}>
          <span className={ui.cutMono}>{ruleset}</span>
          <span className={ui.cutFaint}>{sourceWords[ruleset_source]}</span>
        </span>
      ),
  },
  {
    id: 'running',
    header: 'Runs',
    width: '190px',
    isWideOnly: true,
    cell: ({ running, expected }) =>
      running === null ? (
        <span className={ui.faint}>never said</span>
      ) : (
        <span className={classes.pair}>
          <RevisionChip hash={running.revision_hash} {...(running.version !== null && { version: running.version })} />
          {expected !== null && running.version !== null && running.version !== expected.version && (
            <span className={ui.faint}>of v{expected.version}</span>
          )}
        </span>
      ),
  },
  {
    id: 'event',
    header: 'Last event',
    isSortedByServer: true,
    isLargestFirst: true,
    width: '110px',
    isWideOnly: true,
    cell: ({ last_event_at }) =>
      last_event_at ? <Instant at={last_event_at} /> : <span className={ui.faint}>none</span>,
  },
  {
    id: 'seen',
    header: 'Last seen',
    isSortedByServer: true,
    isLargestFirst: true,
    width: '110px',
    cell: ({ last_seen_at }) => <Instant at={last_seen_at} />,
  },
  {
    id: 'first',
    header: 'First seen',
    isSortedByServer: true,
    isLargestFirst: true,
    width: '110px',
    isHiddenAtFirst: true,
    isWideOnly: true,
    cell: ({ first_seen_at }) => <Instant at={first_seen_at} />,
  },
]

export function FleetPage() {
  const search = fleetRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const mayMakeKeys = useCan('keys:write')
  const [choice, setChoice] = useColumnChoice('fleet')
  const list = useInfiniteQuery(agentsQuery(environment, search))
  const { rows, onEnd } = usePages(list)
  const summary = list.data?.pages.at(-1)?.summary
  const isNarrowed = search.q !== undefined || search.status !== undefined || search.ruleset !== undefined
  const go = (change: FleetSearch): void => {
    void navigate({ to: '/fleet', search: (before) => ({ ...before, ...change }), replace: true })
  }
  const clear = (): void => go({ q: undefined, status: undefined, ruleset: undefined })
  return (
    <Page
      title="Fleet"
      width="full"
      aside={summary && <span className={ui.faint}>{counted(summary.total, 'agent')}</span>}
    >
      {summary && summary.total > 0 && (
        <SummaryBar summary={summary} status={search.status} onStatus={(status) => go({ status })} />
      )}
      <div className={toolbar.toolbar}>
        <FindField
          label="Find an agent"
          placeholder="Agent, name or tag"
          text={search.q}
          onText={(found) => go({ q: found })}
        />
        {search.ruleset !== undefined && (
          <Button variant="default" onClick={() => go({ ruleset: undefined })}>
            Following {search.ruleset} · clear
          </Button>
        )}
        <span className={toolbar.grow} />
        <ColumnMenu columns={columns} choice={choice} onChoice={setChoice} />
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        skeletonRows={12}
        what="The fleet"
        empty={
          isNarrowed || (summary && summary.total > 0) ? (
            <FilteredToNothing what="agents" onClear={clear} />
          ) : (
            <EmptyState
              title={environment ? `No agent in ${environment} yet` : 'No agent yet'}
              action={
                mayMakeKeys && (
                  <Button
                    onClick={() =>
                      void navigate({
                        to: '/keys',
                        search: (before) => ({ environment: before.environment, make: true }),
                      })
                    }
                  >
                    Make a key
                  </Button>
                )
              }
            >
              An agent appears here when it first connects, fetches a ruleset or reports an event with a key of yours.
            </EmptyState>
          )
        }
      >
        <DataTable
          label="Agents"
          columns={columns}
          rows={rows}
          rowId={({ agent_id, environment: where }) => `${where}/${agent_id}`}
          choice={choice}
          onOpen={({ agent_id, environment: where }) =>
            void navigate({ to: '/fleet/$in/$agent', params: { in: where, agent: agent_id } })
          }
          sort={search.sort}
          onSort={(sort) => go({ sort })}
          onEnd={onEnd}
          footer={list.isFetchingNextPage ? 'Reading more agents' : null}
        />
      </Listing>
    </Page>
  )
}
