import { createRoute, redirect, retainSearchParams } from '@tanstack/react-router'
import { queryClient } from '../api/query-client.ts'
import { sessionQuery, stepLeft } from '../api/session.ts'
import { Frame } from './frame.tsx'
import { rootRoute } from './root-route.tsx'

type FrameSearch = {
  /** The environment every page is narrowed to; all of them when it is left out. */
  readonly environment?: string
}

/** Around every page that needs a session. The chosen environment stays in the address from page to page. */
export const frameRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'frame',
  validateSearch: (search: Record<string, unknown>): FrameSearch => {
    const { environment } = search
    return typeof environment === 'string' && environment !== '' ? { environment } : {}
  },
  search: { middlewares: [retainSearchParams(['environment'])] },
  beforeLoad: async ({ location }) => {
    const session = await queryClient.ensureQueryData(sessionQuery)
    const next = location.href === '/' ? undefined : location.href
    const left = session && stepLeft(session)
    if (left === 'enroll') redirect({ to: '/enroll', search: { next }, replace: true, throw: true })
    if (session && left === null) return
    redirect({ to: '/sign-in', search: { next }, replace: true, throw: true })
  },
  component: Frame,
})
