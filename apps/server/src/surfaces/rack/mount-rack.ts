import type { FastifyInstance } from 'fastify'
import { type Dialect, type MountNeeds, mountRoutes, type Route, tellErrors } from '../../features/roles/index.ts'
import type { CsrfTokens } from '../../features/sessions/index.ts'
import { renderError } from './render-error.ts'

type Needs = MountNeeds & { readonly csrf: Pick<CsrfTokens, 'matches'> }

const dialect = (csrf: Needs['csrf']): Dialect => ({
  name: 'rack',
  render: renderError,
  missingHeader: 'invalid CSRF token',
  isOwnPage: ({ headers }) => csrf.matches(headers.cookie, headers['x-csrf-token']),
  // Asked by command lines, which send no such header; none has anything to do with a browser's session.
  headerExempt: new Set(['POST /auth/cli/start', 'POST /auth/cli/complete', 'POST /auth/cli/mfa']),
})

/** What command lines and browsers of Rack Gateway speak, below the prefix it shares with the other older API. */
export function mountRack(app: FastifyInstance, { csrf, ...needs }: Needs, routes: readonly Route[]): void {
  const spoken = dialect(csrf)
  void app.register(
    (surface, _options, done) => {
      tellErrors(surface, spoken, needs.log)
      mountRoutes(surface, { ...needs, dialect: spoken, prefix: '', routes })
      done()
    },
    { prefix: '/api/v1' },
  )
}
