import { Page } from '../../frame/page.tsx'
import { Loading } from '../../ui/list-states.tsx'

export function OverviewPage() {
  return (
    <Page title="Overview">
      <Loading />
    </Page>
  )
}
