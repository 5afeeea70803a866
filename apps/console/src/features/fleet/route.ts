import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const fleetRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/fleet',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./fleet-page.tsx'), 'FleetPage'),
})

/** One agent in one environment: the same id may run in several. */
export const agentRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/fleet/$in/$agent',
  component: lazyRouteComponent(() => import('./agent-page.tsx'), 'AgentPage'),
})
