import type { FastifyInstance } from 'fastify'
import { type Dialect, type MountNeeds, mountRoutes, type Route, tellErrors } from '../../features/roles/index.ts'
import { renderError } from './render-error.ts'

const dialect: Dialect = {
  name: 'rack',
  render: renderError,
  missingHeader: 'invalid CSRF token',
  // Asked by command lines, which send no such header; neither has anything to do with a browser's session.
  headerExempt: new Set(['POST /auth/cli/start', 'POST /auth/cli/complete']),
}

/** What command lines and browsers of Rack Gateway speak, below the prefix it shares with the other older API. */
export function mountRack(app: FastifyInstance, needs: MountNeeds, routes: readonly Route[]): void {
  void app.register(
    (surface, _options, done) => {
      tellErrors(surface, dialect, needs.log)
      mountRoutes(surface, { ...needs, dialect, prefix: '', routes })
      done()
    },
    { prefix: '/api/v1' },
  )
}
