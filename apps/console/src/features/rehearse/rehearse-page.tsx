import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useCan } from '../../api/session.ts'
import { Page } from '../../frame/page.tsx'
import { PageTabs } from '../../ui/page-tabs.tsx'
import { PlaygroundTab } from './playground-tab.tsx'
import { ReplaysTab } from './replays-tab.tsx'
import { rehearseRoute } from './route.ts'
import { type Tab, tabs } from './search.ts'

const parts: Readonly<Record<Tab, { readonly word: string; readonly body: ReactNode }>> = {
  playground: { word: 'Try a call', body: <PlaygroundTab /> },
  replays: { word: 'Replays', body: <ReplaysTab /> },
}

/** What a text would do, before it does it: to one call, or to everything that was recorded. */
export function RehearsePage() {
  const { tab = 'playground' } = rehearseRoute.useSearch()
  const navigate = useNavigate()
  const mayReadEvents = useCan('events:read')
  return (
    <Page title="Rehearse" width="full">
      <PageTabs
        label="Rehearse"
        value={tab}
        onChange={(chosen) =>
          void navigate({ to: '/rehearse', search: ({ environment }) => ({ environment, tab: chosen }) })
        }
        parts={tabs.filter((one) => one !== 'replays' || mayReadEvents).map((one) => ({ name: one, ...parts[one] }))}
      />
    </Page>
  )
}
