import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const anchorsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/anchors',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./anchors-page.tsx'), 'AnchorsPage'),
})
