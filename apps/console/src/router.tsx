import { createRouter } from '@tanstack/react-router'
import { accountRoute, enrollRoute } from './features/account/route.ts'
import { anchorsRoute } from './features/anchors/route.ts'
import { approvalRoute, approvalsRoute } from './features/approvals/route.ts'
import { assignmentsRoute } from './features/assignments/route.ts'
import { cliSignInRoute } from './features/cli-sign-in/route.ts'
import { coverageRoute } from './features/coverage/route.ts'
import { eventsRoute } from './features/events/route.ts'
import { agentRoute, fleetRoute } from './features/fleet/route.ts'
import { jobsRoute } from './features/jobs/route.ts'
import { keysRoute } from './features/keys/route.ts'
import { libraryRoute } from './features/library/route.ts'
import { overviewRoute } from './features/overview/route.ts'
import { joinRoute, peopleRoute, personRoute } from './features/people/route.ts'
import { rehearseRoute } from './features/rehearse/route.ts'
import { rolesRoute } from './features/roles/route.ts'
import { rulesetRoute, rulesetsRoute } from './features/rulesets/route.ts'
import { settingsRoute } from './features/settings/route.ts'
import { setupRoute } from './features/setup/route.ts'
import { signInRoute } from './features/sign-in/route.ts'
import { tokensRoute } from './features/tokens/route.ts'
import { trailRoute } from './features/trail/route.ts'
import { documentState, watchForMissingParts } from './frame/document-state.ts'
import { ErrorPage } from './frame/error-pages.tsx'
import { frameRoute } from './frame/frame-route.tsx'
import { rootRoute } from './frame/root-route.tsx'
import { unknownRoute } from './frame/unknown-route.ts'

/** Every page, one line each; a page's own folder says its path and its search parameters. */
const routes = rootRoute.addChildren([
  setupRoute,
  joinRoute,
  signInRoute,
  enrollRoute,
  cliSignInRoute,
  frameRoute.addChildren([
    overviewRoute,
    approvalsRoute.addChildren([approvalRoute]),
    eventsRoute,
    fleetRoute,
    agentRoute,
    rulesetsRoute,
    rulesetRoute,
    libraryRoute,
    assignmentsRoute,
    coverageRoute,
    rehearseRoute,
    peopleRoute,
    personRoute,
    rolesRoute,
    tokensRoute,
    keysRoute,
    jobsRoute,
    trailRoute,
    anchorsRoute,
    settingsRoute,
    accountRoute,
    unknownRoute,
  ]),
])

export const router = createRouter({
  routeTree: routes,
  defaultPreload: 'intent',
  defaultPreloadDelay: 40,
  defaultPendingMs: 200,
  scrollRestoration: false,
  defaultErrorComponent: ErrorPage,
})

watchForMissingParts()
// Where something is missing or older than the server's, the next page is opened by a document of its own.
router.subscribe('onBeforeNavigate', ({ toLocation, pathChanged }) => {
  if (pathChanged && documentState() === 'replaceable') window.location.assign(toLocation.href)
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
