import type { AssignmentRule } from '@countersign/wire'
import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { AbsentNote } from '../../ui/absent-note.tsx'
import { environmentColumn, givenRulesetColumn } from '../../ui/columns.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { PlusIcon } from '../../ui/icons.tsx'
import { Instant } from '../../ui/instant.tsx'
import { EmptyState } from '../../ui/list-states.tsx'
import { Listing } from '../../ui/listing.tsx'
import ui from '../../ui/ui.module.css'
import classes from './assignments.module.css'
import { rulesQuery } from './queries.ts'
import { assignmentsRoute } from './route.ts'
import { RuleDrawer } from './rule-drawer.tsx'
import { writeTags } from './tags.ts'

const columns: readonly Column<AssignmentRule>[] = [
  { id: 'priority', header: 'Priority', width: '76px', align: 'end', isFixed: true, cell: ({ priority }) => priority },
  {
    id: 'pattern',
    header: 'Agents',
    width: 'minmax(120px, 1.2fr)',
    isFixed: true,
    cell: ({ pattern }) => <code className={ui.cut}>{pattern}</code>,
  },
  {
    id: 'tags',
    header: 'With tags',
    width: 'minmax(140px, 1.2fr)',
    isWideOnly: true,
    cell: ({ tag_match }) =>
      tag_match === null ? (
        <span className={ui.faint}>any</span>
      ) : (
        <code className={ui.cut}>{writeTags(tag_match).join(', ')}</code>
      ),
  },
  environmentColumn(),
  givenRulesetColumn('Get'),
  {
    id: 'changed',
    header: 'Changed',
    width: '100px',
    isWideOnly: true,
    cell: ({ changed_at }) => <Instant at={changed_at} />,
  },
  {
    id: 'by',
    header: 'Made by',
    width: 'minmax(130px, 1fr)',
    isWideOnly: true,
    cell: ({ made_by }) => <span className={ui.cut}>{made_by.label}</span>,
  },
]

/** Tried from the lowest priority on; the first that matches an agent decides. */
export function RulesTab() {
  const { rule: openId } = assignmentsRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const mayWrite = useCan('assignments:write')
  const list = useQuery(rulesQuery(undefined))
  const { data } = list
  const all = data?.items ?? []
  const rows = all.filter((one) => environment === undefined || one.environment === environment)
  const opened = all.find(({ id }) => id === openId)
  const open = (rule: string | undefined): void => {
    void navigate({ to: '/assignments', search: ({ environment: kept }) => ({ environment: kept, rule }) })
  }
  return (
    <>
      <div className={classes.bar}>
        <p className={classes.lead}>
          The lowest priority that matches decides, unless the agent was given a ruleset by name.
        </p>
        {mayWrite && (
          <Button leftSection={<PlusIcon size={14} />} onClick={() => open('new')}>
            Add a rule
          </Button>
        )}
      </div>
      <AbsentNote
        what="rule"
        id={openId === 'new' ? undefined : openId}
        isThere={data && opened !== undefined}
        onClear={() => open(undefined)}
      />
      <Listing
        list={list}
        hasRows={rows.length > 0}
        what="The rules"
        empty={
          <EmptyState
            title={environment ? `No rule for ${environment}` : 'No rule yet'}
            action={mayWrite && <Button onClick={() => open('new')}>Add a rule</Button>}
          >
            A rule gives agents whose id fits a pattern a ruleset, whatever they ask for themselves.
          </EmptyState>
        }
      >
        <DataTable
          label="Assignment rules"
          columns={columns}
          rows={rows}
          rowId={({ id }) => id}
          openId={openId}
          onOpen={({ id }) => open(id)}
        />
      </Listing>
      {(opened || (data && openId === 'new' && mayWrite)) && (
        <RuleDrawer
          key={openId}
          rule={opened}
          others={all.filter(({ id }) => id !== openId)}
          environment={environment}
          onClose={() => open(undefined)}
        />
      )}
    </>
  )
}
