import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const rolesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/roles',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./roles-page.tsx'), 'RolesPage'),
})
