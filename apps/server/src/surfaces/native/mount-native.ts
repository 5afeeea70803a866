import type { FastifyInstance } from 'fastify'
import { type Dialect, type MountNeeds, mountRoutes, type Route, tellErrors } from '../../features/roles/index.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { renderProblem } from './render-problem.ts'

const nativePrefix = '/api/v2'

const dialect: Dialect = {
  name: 'native',
  render: renderProblem,
  missingHeader: 'Requests that change something need the header X-Requested-With: countersign.',
}

type Needs = MountNeeds & { readonly version: string; readonly isDescribed: boolean }

/** Our own API: what the console, the command line and our SDK speak. */
export function mountNative(app: FastifyInstance, needs: Needs, routes: readonly Route[]): void {
  void app.register(
    async (surface) => {
      if (needs.isDescribed) await describe(surface, needs.version)
      tellErrors(surface, dialect, needs.log)
      mountRoutes(surface, { ...needs, dialect, prefix: '', routes })
      surface.setNotFoundHandler((request, reply) =>
        renderProblem(new Problem(problems.notFound, 'There is nothing at this address.'), request, reply),
      )
    },
    { prefix: nativePrefix },
  )
}

/** What verifiers and witnesses of the trail read, at the address their specification gives it. */
export function mountPublicLog(app: FastifyInstance, needs: MountNeeds, routes: readonly Route[]): void {
  void app.register(
    (surface, _options, done) => {
      tellErrors(surface, dialect, needs.log)
      mountRoutes(surface, { ...needs, dialect, prefix: '', routes })
      done()
    },
    { prefix: '/trail' },
  )
}

/** OpenAPI, printed from the routes' own schemas. Loaded only where it is shown. */
async function describe(surface: FastifyInstance, version: string): Promise<void> {
  const { default: swagger } = await import('@fastify/swagger')
  await surface.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: 'Countersign', version }, servers: [{ url: '/' }] },
  })
  surface.get('/openapi.json', { schema: { hide: true } }, () => surface.swagger())
}
