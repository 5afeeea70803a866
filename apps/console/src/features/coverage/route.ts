import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { readSearch } from './search.ts'

export const coverageRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/coverage',
  validateSearch: readSearch,
  component: lazyPage(() => import('./coverage-page.tsx'), 'CoveragePage'),
})
