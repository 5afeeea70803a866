import { createRoute, redirect } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch, type SettingsSearch } from './search.ts'

export const settingsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/settings',
  validateSearch: onlyRead<SettingsSearch>(readSearch),
  // Sessions and password had a tab here once; links to it lead on.
  beforeLoad: ({ location }) => {
    if (new URLSearchParams(location.searchStr).get('tab') === 'sessions')
      redirect({ to: '/account', search: {}, replace: true, throw: true })
  },
  component: lazyPage(() => import('./settings-page.tsx'), 'SettingsPage'),
})
