import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { rootRoute } from '../../frame/root-route.tsx'
import { readSearch } from './search.ts'

export const peopleRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/people',
  validateSearch: readSearch,
  component: lazyRouteComponent(() => import('./people-page.tsx'), 'PeoplePage'),
})

export const personRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/people/$id',
  component: lazyRouteComponent(() => import('./person-page.tsx'), 'PersonPage'),
})

/** Where the link of an invitation leads; who opens it is not signed in. */
export const joinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/join',
  component: lazyRouteComponent(() => import('./join-page.tsx'), 'JoinPage'),
})
