import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const eventsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/events',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./events-page.tsx'), 'EventsPage'),
})
