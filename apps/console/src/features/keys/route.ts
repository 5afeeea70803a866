import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { readSearch } from './search.ts'

export const keysRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/keys',
  validateSearch: readSearch,
  component: lazyPage(() => import('./keys-page.tsx'), 'KeysPage'),
})
