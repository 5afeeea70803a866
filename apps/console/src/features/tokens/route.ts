import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch } from './search.ts'

export const tokensRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/tokens',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./tokens-page.tsx'), 'TokensPage'),
})
