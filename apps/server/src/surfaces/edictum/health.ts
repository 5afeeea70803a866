import { type ReadHealth, unreadiness } from '../../features/health/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import type { Secret } from '../../kernel/crypto.ts'

type Needs = {
  readonly readHealth: ReadHealth
  readonly version: string
  /** Told to everybody, or in production only to whoever holds the monitoring token. */
  readonly isVersionPublic: boolean
  readonly monitoringToken: Secret | undefined
  readonly readyWithoutRedis: boolean
  readonly baseUrl: string
}

/** Both older products' bodies in one (console §23). */
export function healthRoutes({
  readHealth,
  version,
  isVersionPublic,
  monitoringToken,
  readyWithoutRedis,
  baseUrl,
}: Needs): readonly Route[] {
  const tellsVersion = (authorization: string | undefined): boolean =>
    isVersionPublic ||
    (authorization?.startsWith('Bearer ') === true && monitoringToken?.matches(authorization.slice(7)) === true)
  const body = async (withVersion: boolean) => {
    const health = await readHealth()
    return {
      status: health.status,
      service: 'rack-gateway',
      bootstrap_complete: health.bootstrapComplete,
      ...(withVersion && { version }),
      database: health.database,
      redis: health.redis,
      connected_agents: health.connectedAgents,
      workers: health.workers,
    }
  }
  return [
    route({
      does: 'Tell how the server is',
      method: 'GET',
      path: '/health',
      needs: 'anyone',
      handle: ({ request }) => body(tellsVersion(request.headers.authorization)),
    }),
    route({
      does: 'Tell a signed-in person how the server is',
      method: 'GET',
      path: '/health/details',
      needs: 'signed-in',
      answersItself: true,
      handle: async ({ reply }) => {
        const details = { ...(await body(true)), auth_provider: 'local', base_url_https: baseUrl.startsWith('https:') }
        await reply.code(details.status === 'ok' ? 200 : 503).send(details)
      },
    }),
    route({
      does: 'Tell that the process is alive',
      method: 'GET',
      path: '/health/live',
      needs: 'anyone',
      handle: () => Promise.resolve({ status: 'alive' }),
    }),
    route({
      does: 'Tell whether the process should be sent requests',
      method: 'GET',
      path: '/health/ready',
      needs: 'anyone',
      answersItself: true,
      handle: async ({ reply }) => {
        const health = await readHealth()
        const reason = unreadiness(health, readyWithoutRedis)
        await reply.code(reason === undefined ? 200 : 503).send({
          status: reason === undefined ? 'ready' : 'not_ready',
          ...(reason !== undefined && { reason }),
          database: health.database,
          redis: health.redis,
          workers: health.workers,
        })
      },
    }),
  ]
}
