import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const settingsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/settings',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./settings-page.tsx'), 'SettingsPage'),
})
