import { useQuery } from '@tanstack/react-query'
import { useCan } from '../../api/session.ts'
import { useEnvironment } from '../../frame/environment.ts'
import { Page } from '../../frame/page.tsx'
import { Failed, Loading, PartialNote } from '../../ui/list-states.tsx'
import { Changes } from './changes.tsx'
import { Day } from './day.tsx'
import { FirstSteps } from './first-steps.tsx'
import { FleetGlance } from './fleet-glance.tsx'
import { NeedsYou } from './needs-you.tsx'
import classes from './overview.module.css'
import { overviewQuery } from './queries.ts'
import { TopRules } from './top-rules.tsx'

export function OverviewPage() {
  const environment = useEnvironment()
  const { data, error, isError, refetch } = useQuery(overviewQuery(environment))
  const mayMakeKeys = useCan('keys:write')
  return (
    <Page title="Overview">
      {!data && !isError && <Loading />}
      {!data && isError && (
        <Failed what="The overview could not be read" error={error} onRetry={() => void refetch()} />
      )}
      {data && (
        <div className={classes.overview}>
          {isError && (
            <PartialNote onRetry={() => void refetch()}>
              This is what was known before; it could not be refreshed.
            </PartialNote>
          )}
          {!data.start.is_done && mayMakeKeys && <FirstSteps start={data.start} />}
          <NeedsYou needs={data.needs_you} />
          <div className={classes.columns}>
            <Day histogram={data.histogram} day={data.day} />
            <FleetGlance fleet={data.fleet} />
            <Changes changes={data.changes} />
            <TopRules rules={data.top_blocked_rules} />
          </div>
        </div>
      )}
    </Page>
  )
}
