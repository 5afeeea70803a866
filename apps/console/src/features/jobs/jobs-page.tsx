import { useNavigate } from '@tanstack/react-router'
import { Page } from '../../frame/page.tsx'
import { PageTabs } from '../../ui/page-tabs.tsx'
import { OrderedTab } from './ordered-tab.tsx'
import { RecurringTab } from './recurring-tab.tsx'
import { jobsRoute } from './route.ts'

export function JobsPage() {
  const { tab = 'ordered' } = jobsRoute.useSearch()
  const navigate = useNavigate()
  return (
    <Page title="Jobs" width="full">
      <PageTabs
        label="Jobs"
        value={tab}
        onChange={(chosen) =>
          void navigate({ to: '/jobs', search: ({ environment }) => ({ environment, tab: chosen }) })
        }
        parts={[
          { name: 'ordered', word: 'Ordered by people', body: <OrderedTab /> },
          { name: 'recurring', word: 'Periodic work', body: <RecurringTab /> },
        ]}
      />
    </Page>
  )
}
