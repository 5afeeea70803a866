import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Page } from '../../frame/page.tsx'
import { PageTabs } from '../../ui/page-tabs.tsx'
import { NamedTab } from './named-tab.tsx'
import { assignmentsRoute } from './route.ts'
import { RulesTab } from './rules-tab.tsx'
import { type Tab, tabs } from './search.ts'
import { WhyTab } from './why-tab.tsx'

const parts: Readonly<Record<Tab, { readonly word: string; readonly body: ReactNode }>> = {
  rules: { word: 'Rules', body: <RulesTab /> },
  named: { word: 'Agents by name', body: <NamedTab /> },
  why: { word: 'Why does it get this?', body: <WhyTab /> },
}

/** Which agent follows which ruleset: agents named one by one win over rules, rules over what an agent asks for. */
export function AssignmentsPage() {
  const { tab = 'rules' } = assignmentsRoute.useSearch()
  const navigate = useNavigate()
  return (
    <Page title="Assignments" width="full">
      <PageTabs
        label="Assignments"
        value={tab}
        onChange={(chosen) =>
          void navigate({ to: '/assignments', search: ({ environment }) => ({ environment, tab: chosen }) })
        }
        parts={tabs.map((one) => ({ name: one, ...parts[one] }))}
      />
    </Page>
  )
}
