import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch } from './search.ts'

export const keysRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/keys',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./keys-page.tsx'), 'KeysPage'),
})
