import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'

export const overviewRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/',
  component: lazyPage(() => import('./overview-page.tsx'), 'OverviewPage'),
})
