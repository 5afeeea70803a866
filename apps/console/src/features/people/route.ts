import { createRoute } from '@tanstack/react-router'
import { frameRoute } from '../../frame/frame-route.tsx'
import { lazyPage } from '../../frame/lazy-page.ts'
import { onlyRead } from '../../frame/only-read.ts'
import { rootRoute } from '../../frame/root-route.tsx'
import { readSearch } from './search.ts'

export const peopleRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/people',
  validateSearch: onlyRead(readSearch),
  component: lazyPage(() => import('./people-page.tsx'), 'PeoplePage'),
})

export const personRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: '/people/$id',
  component: lazyPage(() => import('./person-page.tsx'), 'PersonPage'),
})

/** Where the link of an invitation leads; who opens it is not signed in. */
export const joinRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/join',
  component: lazyPage(() => import('./join-page.tsx'), 'JoinPage'),
})
