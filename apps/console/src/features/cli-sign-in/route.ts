import { createRoute, redirect } from '@tanstack/react-router'
import { queryClient } from '../../api/query-client.ts'
import { sessionQuery, stepLeft } from '../../api/session.ts'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { rootRoute } from '../../frame/root-route.tsx'

type CliSearch = { readonly code?: string }

export const cliSignInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/cli',
  validateSearch: onlyRead<CliSearch>((search) =>
    typeof search['code'] === 'string' ? { code: search['code'].slice(0, 40) } : {},
  ),
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(sessionQuery)
    const next = location.href
    const left = session && stepLeft(session)
    if (left === 'enroll') redirect({ to: '/enroll', search: { next }, replace: true, throw: true })
    if (session && left === null) return
    redirect({ to: '/sign-in', search: { next }, replace: true, throw: true })
  },
  component: lazyPage(() => import('./cli-sign-in-page.tsx'), 'CliSignInPage'),
})
