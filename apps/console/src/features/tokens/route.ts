import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { readSearch } from './search.ts'

export const tokensRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/tokens',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./tokens-page.tsx'), 'TokensPage'),
})
