import { Tabs } from '@mantine/core'
import { useNavigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { useSession } from '../../api/session.ts'
import type { Permission } from '../../api/types.ts'
import { Page } from '../../frame/page.tsx'
import { Danger } from './danger.tsx'
import { Environments } from './environments.tsx'
import { General } from './general.tsx'
import { settingsRoute } from './route.ts'
import { type Tab, tabs } from './search.ts'
import { Sessions } from './sessions.tsx'
import classes from './settings.module.css'
import { SigningKeys } from './signing-keys.tsx'

const parts: Readonly<
  Record<Tab, { readonly word: string; readonly needs: Permission | null; readonly body: ReactNode }>
> = {
  general: { word: 'General', needs: 'settings:read', body: <General /> },
  environments: { word: 'Environments', needs: 'overview:read', body: <Environments /> },
  signing: { word: 'Signing keys', needs: 'keys:read', body: <SigningKeys /> },
  sessions: { word: 'Your sessions', needs: null, body: <Sessions /> },
  danger: { word: 'Danger zone', needs: 'events:purge', body: <Danger /> },
}

export function SettingsPage() {
  const { permissions } = useSession()
  const { tab = 'general' } = settingsRoute.useSearch()
  const navigate = useNavigate()
  const shown = tabs.filter((one) => {
    const { needs } = parts[one]
    return needs === null || permissions.includes(needs)
  })
  const choose = (value: string | null): void => {
    const known = tabs.find((one) => one === value)
    void navigate({ to: '/settings', search: (before) => ({ environment: before.environment, tab: known }) })
  }
  return (
    <Page title="Settings" width="full">
      <Tabs value={tab} onChange={choose} keepMounted={false} className={classes.tabs}>
        <Tabs.List aria-label="Settings" className={classes.tabList}>
          {shown.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {parts[one].word}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {shown.map((one) => (
          <Tabs.Panel key={one} value={one} className={classes.panel}>
            <div className={classes.body}>{parts[one].body}</div>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  )
}
