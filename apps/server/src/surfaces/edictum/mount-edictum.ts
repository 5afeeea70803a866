import type { FastifyInstance } from 'fastify'
import { type Dialect, type MountNeeds, mountRoutes, type Route, tellErrors } from '../../features/roles/index.ts'
import { renderDetail } from './render-detail.ts'

const dialect: Dialect = {
  name: 'edictum',
  render: renderDetail,
  missingHeader: 'Missing CSRF header.',
  headerExempt: new Set(['POST /auth/login']),
}

export type EdictumRoutes = {
  /** Under /v1 and /api/v1 alike; a path that names rulesets is mounted as bundles too. */
  readonly agent: readonly Route[]
  /** Under /v1 only, and under /api/v1 only: the three answers that differ by prefix (agent-api §8.3). */
  readonly v1: readonly Route[]
  readonly apiV1: readonly Route[]
}

/** What agents and scripts of the Edictum family speak, old and new. */
export function mountEdictum(app: FastifyInstance, needs: MountNeeds, { agent, v1, apiV1 }: EdictumRoutes): void {
  const both = agent.flatMap((route) => withSynonym(route))
  for (const [prefix, own] of [
    ['/v1', v1],
    ['/api/v1', apiV1],
  ] as const) {
    void app.register(
      (surface, _options, done) => {
        tellErrors(surface, dialect, needs.log)
        mountRoutes(surface, { ...needs, dialect, prefix: '', routes: [...both, ...own.flatMap(withSynonym)] })
        surface.setNotFoundHandler((_request, reply) => reply.code(404).send({ detail: 'Not Found' }))
        done()
      },
      { prefix },
    )
  }
}

function withSynonym(route: Route): readonly Route[] {
  if (!/^\/rulesets(\/|$)/.test(route.path)) return [route]
  return [route, { ...route, path: route.path.replace('/rulesets', '/bundles') }]
}
