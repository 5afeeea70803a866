import { createRoute } from '@tanstack/react-router'
import { frameRoute } from './frame-route.tsx'
import { UnknownPage } from './unknown-page.tsx'

/** Whatever no other route takes; a stranger signs in first, as everywhere. */
export const unknownRoute = createRoute({ getParentRoute: () => frameRoute, path: '$', component: UnknownPage })
