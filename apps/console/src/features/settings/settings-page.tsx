import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useSession } from '../../api/session.ts'
import type { Permission } from '../../api/types.ts'
import { Page } from '../../frame/page.tsx'
import groups from '../../ui/groups.module.css'
import { PageTabs } from '../../ui/page-tabs.tsx'
import { Danger } from './danger.tsx'
import { Environments } from './environments.tsx'
import { General } from './general.tsx'
import { settingsRoute } from './route.ts'
import { type Tab, tabs } from './search.ts'
import { SigningKeys } from './signing-keys.tsx'

const parts: Readonly<Record<Tab, { readonly word: string; readonly needs: Permission; readonly body: ReactNode }>> = {
  general: { word: 'General', needs: 'settings:read', body: <General /> },
  environments: { word: 'Environments', needs: 'overview:read', body: <Environments /> },
  signing: { word: 'Signing keys', needs: 'keys:read', body: <SigningKeys /> },
  danger: { word: 'Danger zone', needs: 'events:purge', body: <Danger /> },
}

export function SettingsPage() {
  const { permissions } = useSession()
  const { tab = 'general' } = settingsRoute.useSearch()
  const navigate = useNavigate()
  const shown = tabs.filter((one) => permissions.includes(parts[one].needs))
  return (
    <Page title="Settings" width="full">
      <PageTabs
        label="Settings"
        value={tab}
        onChange={(chosen) =>
          void navigate({ to: '/settings', search: ({ environment }) => ({ environment, tab: chosen }) })
        }
        parts={shown.map((one) => ({
          name: one,
          word: parts[one].word,
          body: <div className={groups.body}>{parts[one].body}</div>,
        }))}
      />
    </Page>
  )
}
