import type { AgentCoverageRow } from '@countersign/wire'
import { useNavigate } from '@tanstack/react-router'
import { agentColumn, environmentColumn } from '../../ui/columns.tsx'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { countWords } from '../../ui/numbers.ts'
import ui from '../../ui/ui.module.css'
import { CoverageBar } from './coverage-bar.tsx'
import { sourceWords } from './words.ts'

const columns: readonly Column<AgentCoverageRow>[] = [
  agentColumn('minmax(120px, 1.3fr)'),
  environmentColumn(),
  {
    id: 'tools',
    header: 'Tools enforced',
    width: 'minmax(130px, 1.2fr)',
    isFixed: true,
    cell: (row) => <CoverageBar tally={row} />,
  },
  {
    id: 'observed',
    header: 'Observed',
    width: '80px',
    align: 'end',
    isWideOnly: true,
    cell: ({ observed }) => countWords(observed),
  },
  {
    id: 'ungoverned',
    header: 'No rule',
    width: '70px',
    align: 'end',
    isFixed: true,
    cell: ({ ungoverned }) =>
      ungoverned === 0 ? <span className={ui.faint}>0</span> : <b className={ui.care}>{countWords(ungoverned)}</b>,
  },
  {
    id: 'source',
    header: 'By what it runs',
    width: 'minmax(150px, 1.4fr)',
    isWideOnly: true,
    cell: (row) => <span className={ui.cut}>{sourceWords(row)}</span>,
  },
  {
    id: 'calls',
    header: 'Calls',
    width: '80px',
    align: 'end',
    isWideOnly: true,
    cell: ({ calls }) => countWords(calls),
  },
]

type Props = { readonly agents: readonly AgentCoverageRow[]; readonly total: number }

export function CoveredAgents({ agents, total }: Props) {
  const navigate = useNavigate()
  return (
    <DataTable
      label="Coverage by agent"
      columns={columns}
      rows={agents}
      rowId={({ agent_id, environment }) => `${environment} ${agent_id}`}
      onOpen={({ agent_id, environment }) =>
        void navigate({ to: '/fleet/$in/$agent', params: { in: environment, agent: agent_id } })
      }
      footer={total > agents.length ? `The ${countWords(agents.length)} that need a look first.` : null}
    />
  )
}
