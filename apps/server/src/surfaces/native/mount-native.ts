import type { FastifyInstance } from 'fastify'
import {
  type Dialect,
  type MountNeeds,
  mountRoutes,
  type Route,
  route,
  tellErrors,
} from '../../features/roles/index.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { renderProblem } from './render-problem.ts'

const nativePrefix = '/api/v2'

const dialect: Dialect = {
  name: 'native',
  render: renderProblem,
  missingHeader: 'Requests that change something need the header X-Requested-With: countersign.',
}

type Needs = MountNeeds & {
  readonly version: string
  /** Whether anybody may read what the API can do; otherwise whoever reads the settings. */
  readonly isDescribed: boolean
}

const nothingHere = new Problem(problems.notFound, 'There is nothing at this address.')
/** For what does not exist to those who may not have it. */
const hidingDialect: Dialect = {
  ...dialect,
  render: (problem, request, reply) =>
    renderProblem([401, 403, 405].includes(problem.kind.status) ? nothingHere : problem, request, reply),
}

/** Our own API: what the console, the command line and our SDK speak. */
export function mountNative(app: FastifyInstance, needs: Needs, routes: readonly Route[]): void {
  void app.register(
    async (surface) => {
      await describe(surface, needs)
      tellErrors(surface, dialect, needs.log)
      mountRoutes(surface, { ...needs, dialect, prefix: '', routes })
      surface.setNotFoundHandler((request, reply) => renderProblem(nothingHere, request, reply))
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

/** OpenAPI, printed from the routes' own schemas when it is asked for. */
async function describe(surface: FastifyInstance, needs: Needs): Promise<void> {
  const { default: swagger } = await import('@fastify/swagger')
  await surface.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Countersign', version: needs.version },
      servers: [{ url: '/' }],
    },
  })
  const description = route({
    does: 'Describe the API',
    method: 'GET',
    path: '/openapi.json',
    needs: needs.isDescribed ? 'anyone' : 'settings:read',
    answersItself: true,
    handle: async ({ reply }) => {
      await reply.send(surface.swagger())
    },
  })
  await surface.register((inner, _options, done) => {
    tellErrors(inner, hidingDialect, needs.log)
    mountRoutes(inner, { ...needs, dialect: hidingDialect, prefix: '', routes: [description] })
    done()
  })
}
