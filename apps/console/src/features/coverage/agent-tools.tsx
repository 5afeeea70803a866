import type { CoveredTool } from '@countersign/wire'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Column } from '../../ui/data-table/columns.ts'
import { DataTable } from '../../ui/data-table/data-table.tsx'
import { Instant } from '../../ui/instant.tsx'
import { Failed, Loading } from '../../ui/list-states.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import ui from '../../ui/ui.module.css'
import { DraftRuleButton } from './draft-rule.tsx'
import { agentCoverageQuery } from './queries.ts'
import { ToolStatusMark } from './tool-status.tsx'
import { sourceWords } from './words.ts'

const columnsFor = (ruleset: string | null): readonly Column<CoveredTool>[] => [
  {
    id: 'tool',
    header: 'Tool',
    width: 'minmax(120px, 1.2fr)',
    isFixed: true,
    cell: ({ tool }) => <code className={ui.cutMono}>{tool}</code>,
  },
  {
    id: 'status',
    header: 'Is',
    width: '104px',
    isFixed: true,
    cell: ({ status }) => <ToolStatusMark status={status} />,
  },
  {
    id: 'rules',
    header: 'By',
    width: 'minmax(130px, 2fr)',
    isWideOnly: true,
    cell: ({ rules, status, tool }) =>
      status === 'ungoverned' ? (
        <DraftRuleButton tool={tool} rulesets={ruleset === null ? [] : [ruleset]} />
      ) : (
        <span
          className={ui.cutMono}
          title={rules.map(({ id, action, mode }) => `${id}: ${action}, ${mode}`).join('\n')}
        >
          {rules.map(({ id }) => id).join(', ')}
        </span>
      ),
  },
  {
    id: 'calls',
    header: 'Calls',
    width: '64px',
    align: 'end',
    isFixed: true,
    cell: ({ calls }) => (calls === 0 ? <span className={ui.faint}>0</span> : countWords(calls)),
  },
  {
    id: 'used',
    header: 'Last used',
    width: '90px',
    isWideOnly: true,
    cell: ({ last_used_at }) =>
      last_used_at === null ? <span className={ui.faint}>declared</span> : <Instant at={last_used_at} />,
  },
]

type Props = { readonly environment: string; readonly agent: string }

/** The tools of one agent and what the rules it really runs say about each. */
export function AgentTools({ environment, agent }: Props) {
  const { data, error, isError, refetch } = useQuery(agentCoverageQuery(environment, agent))
  const ruleset = data?.running?.ruleset ?? null
  const columns = useMemo(() => columnsFor(ruleset), [ruleset])
  if (isError && !data)
    return <Failed what="Its tools could not be read" error={error} onRetry={() => void refetch()} />
  if (!data) return <Loading rows={3} />
  if (data.items.length === 0)
    return <p className={ui.quiet}>It used and declared no tool in the last day; each is listed here with its rules.</p>
  return (
    <>
      <p className={ui.quiet}>
        Of the last day: {data.enforced} of {counted(data.tools, 'tool')} enforced, judged by {sourceWords(data)}.
        {data.session_limits.length > 0 &&
          ` For the session as a whole: ${data.session_limits.map(({ name, max }) => `${name.replaceAll('_', ' ')} ${countWords(max)}`).join(', ')}.`}
      </p>
      <DataTable label={`Tools of ${agent}`} columns={columns} rows={data.items} rowId={({ tool }) => tool} isInline />
    </>
  )
}
