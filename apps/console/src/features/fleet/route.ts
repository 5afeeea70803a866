import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch } from './search.ts'

export const fleetRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/fleet',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./fleet-page.tsx'), 'FleetPage'),
})

/** One agent in one environment: the same id may run in several. */
export const agentRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/fleet/$in/$agent',
  component: lazyPage(() => import('./agent-page.tsx'), 'AgentPage'),
})
