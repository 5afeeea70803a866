import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const coverageRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/coverage',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./coverage-page.tsx'), 'CoveragePage'),
})
