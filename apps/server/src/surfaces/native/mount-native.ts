import type { FastifyInstance } from 'fastify'
import { type Dialect, type MountNeeds, mountRoutes, type Route, tellErrors } from '../../features/roles/index.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { renderProblem } from './render-problem.ts'

export const nativePrefix = '/api/v2'

const dialect: Dialect = {
  name: 'native',
  render: renderProblem,
  missingHeader: 'Requests that change something need the header X-Requested-With: countersign.',
}

/** Our own API: what the console, the command line and our SDK speak. */
export function mountNative(app: FastifyInstance, needs: MountNeeds, routes: readonly Route[]): void {
  void app.register(
    (surface, _options, done) => {
      tellErrors(surface, dialect, needs.log)
      mountRoutes(surface, { ...needs, dialect, prefix: '', routes })
      surface.setNotFoundHandler((request, reply) =>
        renderProblem(new Problem(problems.notFound, 'There is nothing at this address.'), request, reply),
      )
      done()
    },
    { prefix: nativePrefix },
  )
}
