import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch } from './search.ts'

export const trailRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/trail',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./trail-page.tsx'), 'TrailPage'),
})
