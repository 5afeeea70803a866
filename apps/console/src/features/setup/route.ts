import { createRoute, redirect } from '@tanstack/react-router'
import { queryClient } from '../../api/query-client.ts'
import { setupQuery } from '../../api/setup.ts'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { rootRoute } from '../../frame/root-route.tsx'

/** The link that the server prints when it starts with nobody in it carries the token. */
export const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/setup',
  validateSearch: onlyRead<{ readonly token?: string }>(({ token }) =>
    token === undefined ? {} : { token: String(token) },
  ),
  beforeLoad: async () => {
    const { done } = await queryClient.fetchQuery(setupQuery)
    if (done) redirect({ to: '/sign-in', search: {}, replace: true, throw: true })
  },
  component: lazyPage(() => import('./setup-page.tsx'), 'SetupPage'),
})
