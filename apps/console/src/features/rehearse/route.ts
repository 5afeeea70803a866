import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { readSearch } from './search.ts'

export const rehearseRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/rehearse',
  validateSearch: readSearch,
  component: lazyPage(() => import('./rehearse-page.tsx'), 'RehearsePage'),
})
