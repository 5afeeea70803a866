import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { readSearch } from './search.ts'

export const tokensRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/tokens',
  validateSearch: readSearch,
  component: lazyPage(() => import('./tokens-page.tsx'), 'TokensPage'),
})
