import type { AgentRow, AgentsPage, RulesetSummary } from '@countersign/wire'
import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query'
import { api } from '../../api/client.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { agentColumn, environmentColumn } from '../../ui/columns.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { usePages } from '../../ui/pages.ts'
import ui from '../../ui/ui.module.css'
import { StateMark } from './rollout-bar.tsx'
import classes from './rulesets.module.css'

function followersQuery(ruleset: string, environment: string | undefined) {
  return infiniteQueryOptions({
    queryKey: ['agents', 'of ruleset', ruleset, environment],
    queryFn: ({ signal, pageParam }) =>
      api.get<AgentsPage>('/agents', { query: { ruleset, environment, limit: 200, cursor: pageParam }, signal }),
    initialPageParam: '',
    getNextPageParam: ({ next_cursor }) => next_cursor,
  })
}

const sources: Readonly<Record<AgentRow['ruleset_source'], string>> = {
  explicit: 'assigned',
  rule: 'by a rule',
  agent_provided: 'it asks for it',
  none: '',
}

const marks: Readonly<Record<AgentRow['status'], string>> = {
  current: 'running',
  updating: 'fetched',
  drifting: 'overdue',
  silent: 'offline',
  unknown: 'waiting',
}

const columns: readonly Column<AgentRow>[] = [
  agentColumn('minmax(150px, 1.4fr)'),
  environmentColumn(),
  {
    id: 'runs',
    header: 'Runs',
    width: 'minmax(170px, 1.4fr)',
    isFixed: true,
    cell: ({ running, expected, status, ruleset }) => (
      <span className={classes.runs}>
        <StateMark state={marks[status]} />
        {running === null ? (
          <span className={ui.faint}>never said</span>
        ) : (
          <>
            {running.ruleset !== null && running.ruleset !== ruleset && <code>{running.ruleset}</code>}
            <code title={running.revision_hash}>
              {running.version === null ? running.revision_hash.slice(0, 8) : `v${running.version}`}
            </code>
          </>
        )}
        <span className={status === 'drifting' ? classes.drifting : ui.faint}>
          {status === 'drifting' && expected ? `drifting, v${expected.version} is live` : status}
        </span>
      </span>
    ),
  },
  {
    id: 'why',
    header: 'Follows it because',
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ ruleset_source, cannot_follow }) =>
      cannot_follow ? (
        <span className={classes.drifting} title={cannot_follow.remedy}>
          cannot: asks for {cannot_follow.asks_for}
        </span>
      ) : (
        <span className={ui.quiet}>{sources[ruleset_source]}</span>
      ),
  },
  {
    id: 'seen',
    header: 'Last seen',
    width: '110px',
    isWideOnly: true,
    cell: ({ is_connected, last_seen_at }) => (is_connected ? 'connected' : <Instant at={last_seen_at} />),
  },
]

/** Who follows this ruleset, and what each of them really runs. */
export function AgentsTab({ ruleset: { name } }: { readonly ruleset: RulesetSummary }) {
  const environment = useEnvironment()
  const list = useInfiniteQuery(followersQuery(name, environment))
  const { rows, onEnd } = usePages(list)
  return (
    <div className={classes.fill}>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="Its agents"
        empty={
          <EmptyState
            title={environment ? `No agent of ${environment} follows ${name}` : `No agent follows ${name} yet`}
          >
            An agent follows it when it asks for it by name, or when an assignment gives it to that agent.
          </EmptyState>
        }
      >
        <DataTable
          label={`Agents of ${name}`}
          columns={columns}
          rows={rows}
          rowId={({ agent_id, environment: where }) => `${where} ${agent_id}`}
          onEnd={onEnd}
        />
      </Listing>
    </div>
  )
}
