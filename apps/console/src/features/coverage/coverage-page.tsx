import type { FleetCoverage } from '@countersign/wire'
import { Button, SegmentedControl } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useCan } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Page } from '../../frame/page.tsx'
import { EmptyState, Failed, Loading, PartialNote } from '../../ui/list-states.tsx'
import { counted, countWords } from '../../ui/numbers.ts'
import { PageTabs } from '../../ui/page-tabs.tsx'
import classes from './coverage.module.css'
import { CoveredAgents } from './covered-agents.tsx'
import { fleetCoverageQuery } from './queries.ts'
import { coverageRoute } from './route.ts'
import { type CoverageSearch, type Span, spans } from './search.ts'
import { UngovernedTools } from './ungoverned-tools.tsx'

const spanWords: Readonly<Record<Span, string>> = { '24h': '24 hours', '7d': '7 days', '30d': '30 days' }

/** Which tools agents use or declare, and which of them no rule is about. */
export function CoveragePage() {
  const { tab = 'tools', range = '24h' } = coverageRoute.useSearch()
  const environment = useEnvironment()
  const navigate = useNavigate()
  const mayMakeKeys = useCan('keys:write')
  const coverage = useQuery(fleetCoverageQuery(environment, range))
  const { data } = coverage
  const go = (change: CoverageSearch): void => {
    void navigate({
      to: '/coverage',
      search: ({ environment: kept }) => ({ environment: kept, tab, range, ...change }),
      replace: true,
    })
  }
  return (
    <Page title="Coverage" width="full">
      {coverage.isError && !data && (
        <Failed what="The coverage could not be read" error={coverage.error} onRetry={() => void coverage.refetch()} />
      )}
      {!data && !coverage.isError && <Loading rows={8} />}
      {coverage.isError && data && (
        <PartialNote onRetry={() => void coverage.refetch()}>
          This was known before; it could not be refreshed.
        </PartialNote>
      )}
      {data && data.total_agents === 0 && (
        <EmptyState
          title={environment ? `No agent in ${environment} yet` : 'No agent yet'}
          action={mayMakeKeys && <Button onClick={() => void navigate({ href: '/keys?make=true' })}>Make a key</Button>}
        >
          Once agents connect or report calls, their tools are listed here with the rules that are about them.
        </EmptyState>
      )}
      {data && data.total_agents > 0 && (
        <>
          <div className={classes.summary}>
            <p role="status">
              <Summary coverage={data} />
            </p>
            <SegmentedControl
              aria-label="Calls of the last"
              value={range}
              onChange={(value) => go({ range: spans.find((one) => one === value) })}
              data={spans.map((value) => ({ value, label: spanWords[value] }))}
            />
          </div>
          <PageTabs
            label="Coverage"
            value={tab}
            onChange={(chosen) => go({ tab: chosen })}
            parts={[
              {
                name: 'tools',
                word: `Tools without a rule (${countWords(data.ungoverned.length)})`,
                body: <UngovernedTools coverage={data} />,
              },
              {
                name: 'agents',
                word: `Agents (${countWords(data.total_agents)})`,
                body: <CoveredAgents agents={data.agents} total={data.total_agents} />,
              },
            ]}
          />
        </>
      )}
    </Page>
  )
}

function Summary({
  coverage: { total_agents, fully_enforced, with_ungoverned },
}: {
  readonly coverage: FleetCoverage
}) {
  if (with_ungoverned === 0 && fully_enforced === total_agents) {
    return (
      <>Every tool of {total_agents === 1 ? 'the one agent' : `all ${counted(total_agents, 'agent')}`} is enforced.</>
    )
  }
  return (
    <>
      <b>{countWords(with_ungoverned)}</b> of {counted(total_agents, 'agent')}{' '}
      {with_ungoverned === 1 ? 'has a tool' : 'have tools'} that no rule is about; <b>{countWords(fully_enforced)}</b>{' '}
      {fully_enforced === 1 ? 'is' : 'are'} enforced throughout.
    </>
  )
}
