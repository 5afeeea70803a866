import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const rehearseRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/rehearse',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./rehearse-page.tsx'), 'RehearsePage'),
})
