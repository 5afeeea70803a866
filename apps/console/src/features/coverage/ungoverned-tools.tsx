import type { FleetCoverage } from '@countersign/wire'
import { useMemo } from 'react'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { EmptyState } from '../../ui/list-states.tsx'
import { countWords } from '../../ui/numbers.ts'
import { PageLink } from '../../ui/page-link.tsx'
import ui from '../../ui/ui.module.css'
import { DraftRuleButton } from './draft-rule.tsx'
import { likelyRulesets } from './likely-rulesets.ts'

type Tool = FleetCoverage['ungoverned'][number]

const columnsFor = (agents: FleetCoverage['agents']): readonly Column<Tool>[] => [
  {
    id: 'tool',
    header: 'Tool',
    width: 'minmax(120px, 1.2fr)',
    isFixed: true,
    cell: ({ tool }) => <code className={ui.cutMono}>{tool}</code>,
  },
  {
    id: 'calls',
    header: 'Calls',
    width: '80px',
    align: 'end',
    isWideOnly: true,
    cell: ({ calls, tool }) => (
      <PageLink to="/events" search={{ filter: `tool:${tool}` }}>
        {countWords(calls)}
      </PageLink>
    ),
  },
  { id: 'count', header: 'Agents', width: '70px', align: 'end', cell: ({ agent_count }) => countWords(agent_count) },
  {
    id: 'agents',
    header: 'Used or declared by',
    width: 'minmax(160px, 2.4fr)',
    isWideOnly: true,
    cell: (one) => (
      <span className={ui.cut} title={one.agents.map(({ agent_id }) => agent_id).join(', ')}>
        {one.agents.map(({ agent_id, environment }, index) => (
          <span key={`${environment} ${agent_id}`}>
            {index > 0 && ', '}
            <PageLink to={`/fleet/${environment}/${agent_id}`}>{agent_id}</PageLink>
          </span>
        ))}
      </span>
    ),
  },
  {
    id: 'draft',
    header: 'Rule',
    width: '132px',
    align: 'end',
    isFixed: true,
    cell: (one) => <DraftRuleButton tool={one.tool} rulesets={likelyRulesets(one, agents)} />,
  },
]

/** Each of them one click from a rule. */
export function UngovernedTools({ coverage: { ungoverned, agents } }: { readonly coverage: FleetCoverage }) {
  const columns = useMemo(() => columnsFor(agents), [agents])
  if (ungoverned.length === 0) {
    return (
      <EmptyState title="Every tool has a rule">
        No agent used or declared a tool in this time that the rules it runs say nothing about.
      </EmptyState>
    )
  }
  return <DataTable label="Tools without a rule" columns={columns} rows={ungoverned} rowId={({ tool }) => tool} />
}
