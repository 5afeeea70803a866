import { createRoute, redirect } from '@tanstack/react-router'
import { queryClient } from '../../api/query-client.ts'
import { sessionQuery, stepLeft } from '../../api/session.ts'
import { setupQuery } from '../../api/setup.ts'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { rootRoute } from '../../frame/root-route.tsx'
import { readNext } from './next.ts'
import type { Reason } from './reasons.ts'
import { isReason } from './reasons.ts'

type SignInSearch = { readonly next?: string; readonly ended?: boolean; readonly error?: Reason }

export const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: onlyRead<SignInSearch>((search) => ({
    ...(readNext(search['next']) && { next: readNext(search['next']) }),
    ...(search['ended'] === true && { ended: true }),
    ...(isReason(search['error']) && { error: search['error'] }),
  })),
  beforeLoad: async ({ search }) => {
    const session = await queryClient.ensureQueryData(sessionQuery)
    if (session && stepLeft(session) === 'prove') return
    if (session) redirect({ href: search.next ?? '/', replace: true, throw: true })
    const { done } = await queryClient.ensureQueryData(setupQuery)
    if (!done) redirect({ to: '/setup', replace: true, throw: true })
  },
  component: lazyPage(() => import('./sign-in-page.tsx'), 'SignInPage'),
})
