import type { ExplicitAssignment } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { wordsFor } from '../../api/problem.ts'
import { useCan, useSession } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { agentColumn, environmentColumn, givenRulesetColumn } from '../../ui/columns.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import { counted } from '../../ui/numbers.ts'
import { usePages } from '../../ui/pages.ts'
import { tell, tellFailure } from '../../ui/tell.tsx'
import ui from '../../ui/ui.module.css'
import { type Assignment, assignAll } from './assign-all.ts'
import { AssignDrawer } from './assign-drawer.tsx'
import classes from './assignments.module.css'
import { namedQuery } from './queries.ts'
import { assignmentsRoute } from './route.ts'

const columns: readonly Column<ExplicitAssignment>[] = [
  agentColumn(),
  environmentColumn(),
  givenRulesetColumn('Gets'),
  {
    id: 'by',
    header: 'By',
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ assigned_by }) => <span className={ui.cut}>{assigned_by.label}</span>,
  },
  {
    id: 'at',
    header: 'Assigned',
    width: '100px',
    isWideOnly: true,
    cell: ({ assigned_at }) => <Instant at={assigned_at} />,
  },
]

const idOf = ({ environment, agent_id }: ExplicitAssignment): string => `${environment} ${agent_id}`

/** Agents that were given a ruleset by name. It wins over every rule. */
export function NamedTab() {
  const { assign } = assignmentsRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const client = useQueryClient()
  const mayWrite = useCan('assignments:write')
  const { permitted_in: permittedIn } = useSession()
  const list = useInfiniteQuery(namedQuery(environment))
  const { rows, onEnd } = usePages(list)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const chosen = rows.filter((row) => selected.has(idOf(row)))
  const change = useMutation({
    mutationFn: (assignments: readonly Assignment[]) => assignAll(assignments),
    onError: (error) => tellFailure('Not all of them were changed', wordsFor(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['assignments'] }),
  })
  const clear = (): void => {
    const before = chosen.map(({ agent_id, environment: place, ruleset }) => ({
      agent_id,
      environment: place,
      ruleset,
    }))
    change.mutate(
      before.map((one) => ({ ...one, ruleset: null })),
      {
        onSuccess: () => {
          setSelected(new Set())
          tell(
            `${counted(before.length, 'agent')} ${before.length === 1 ? 'follows' : 'follow'} the rules again`,
            '',
            () => change.mutate(before),
          )
        },
      },
    )
  }
  const open = (isOpen: boolean): void => {
    void navigate({
      to: '/assignments',
      search: ({ environment: kept }) => ({ environment: kept, tab: 'named', assign: isOpen || undefined }),
    })
  }
  return (
    <>
      <div className={classes.bar}>
        <p className={classes.lead} role="status">
          {chosen.length === 0
            ? 'A ruleset given by name wins over every rule.'
            : `${counted(chosen.length, 'agent')} selected`}
        </p>
        {chosen.length > 0 &&
          chosen.every(({ environment: place }) => permittedIn[place]?.includes('assignments:write')) && (
            <Button variant="default" loading={change.isPending} onClick={clear}>
              Let {chosen.length === 1 ? 'it' : 'them'} follow the rules again
            </Button>
          )}
        {mayWrite && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => open(true)}>
            Assign agents
          </Button>
        )}
      </div>
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The assignments"
        empty={
          <EmptyState
            title={
              environment
                ? `No agent of ${environment} was given a ruleset by name`
                : 'No agent was given a ruleset by name'
            }
            action={mayWrite && <Button onClick={() => open(true)}>Assign agents</Button>}
          >
            For the few that need another ruleset than the rules give them: a trial, an exception, an incident.
          </EmptyState>
        }
      >
        <DataTable
          label="Agents with a ruleset by name"
          columns={columns}
          rows={rows}
          rowId={idOf}
          selection={mayWrite ? { ids: selected, onChange: setSelected } : undefined}
          onEnd={onEnd}
        />
      </Listing>
      {assign && mayWrite && (
        <AssignDrawer
          environment={environment}
          agents={chosen.length > 0 && new Set(chosen.map((one) => one.environment)).size === 1 ? chosen : []}
          onClose={() => open(false)}
        />
      )}
    </>
  )
}
