import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { readSearch } from './search.ts'

export const approvalsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/approvals',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./approvals-page.tsx'), 'ApprovalsPage'),
})

/** One approval: where links of notifications lead. The list stays beside it. */
export const approvalRoute = createRoute({ getParentRoute: () => approvalsRoute, path: '$id' })
