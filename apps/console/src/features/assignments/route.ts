import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch } from './search.ts'

export const assignmentsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/assignments',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./assignments-page.tsx'), 'AssignmentsPage'),
})
