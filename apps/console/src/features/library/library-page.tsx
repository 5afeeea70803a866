import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Page } from '../../frame/page.tsx'
import { PageTabs } from '../../ui/page-tabs.tsx'
import { CompositionsTab } from './compositions-tab.tsx'
import { libraryRoute } from './route.ts'
import { RulesTab } from './rules-tab.tsx'
import { type Tab, tabs } from './search.ts'
import { TemplatesTab } from './templates-tab.tsx'

const parts: Readonly<Record<Tab, { readonly word: string; readonly body: ReactNode }>> = {
  rules: { word: 'Rules', body: <RulesTab /> },
  compositions: { word: 'Compositions', body: <CompositionsTab /> },
  templates: { word: 'Templates', body: <TemplatesTab /> },
}

/** Rules that several rulesets share, the compositions that put them in order, and texts to begin with. */
export function LibraryPage() {
  const { tab = 'rules' } = libraryRoute.useSearch()
  const navigate = useNavigate()
  return (
    <Page title="Library" width="full">
      <PageTabs
        label="Library"
        value={tab}
        onChange={(chosen) =>
          void navigate({ to: '/library', search: ({ environment }) => ({ environment, tab: chosen }) })
        }
        parts={tabs.map((one) => ({ name: one, ...parts[one] }))}
      />
    </Page>
  )
}
