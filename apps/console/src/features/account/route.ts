import { createRoute, redirect } from '@tanstack/react-router'
import { queryClient } from '../../api/query-client.ts'
import { sessionQuery, stepLeft } from '../../api/session.ts'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { rootRoute } from '../../frame/root-route.tsx'
import { readNext } from '../sign-in/next.ts'

export const accountRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/account',
  validateSearch: onlyRead<{ readonly add?: true }>((search) => (search['add'] === true ? { add: true } : {})),
  component: lazyPage(() => import('./account-page.tsx'), 'AccountPage'),
})

/** Where somebody lands who must have a factor and has none: nothing else is open to them. */
export const enrollRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/enroll',
  validateSearch: onlyRead<{ readonly next?: string }>((search) => {
    const next = readNext(search['next'])
    return next === undefined ? {} : { next }
  }),
  beforeLoad: async ({ search }) => {
    const session = await queryClient.ensureQueryData(sessionQuery)
    if (!session) redirect({ to: '/sign-in', search, replace: true, throw: true })
    else if (stepLeft(session) !== 'enroll') redirect({ href: search.next ?? '/', replace: true, throw: true })
  },
  component: lazyPage(() => import('./enroll-page.tsx'), 'EnrollPage'),
})
