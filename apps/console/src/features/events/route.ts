import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { readSearch } from './search.ts'

export const eventsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/events',
  validateSearch: readSearch,
  component: lazyPage(() => import('./events-page.tsx'), 'EventsPage'),
})
