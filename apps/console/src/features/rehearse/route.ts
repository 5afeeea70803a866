import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch } from './search.ts'

export const rehearseRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/rehearse',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./rehearse-page.tsx'), 'RehearsePage'),
})
