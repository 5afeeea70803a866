import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { readSearch } from './search.ts'

export const rolesRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/roles',
  validateSearch: readSearch,
  component: lazyPage(() => import('./roles-page.tsx'), 'RolesPage'),
})
