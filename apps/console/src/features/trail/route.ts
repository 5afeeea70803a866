import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const trailRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/trail',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./trail-page.tsx'), 'TrailPage'),
})
