import type { FastifyInstance } from 'fastify'
import type { Secret } from '../../kernel/crypto.ts'
import type { Metrics } from '../../kernel/metrics.ts'

/** Prometheus text. With a token configured only its holder may read; without one, only this machine. */
export function metricsRoute(
  app: FastifyInstance,
  { metrics, token }: { readonly metrics: Metrics; readonly token: Secret | undefined },
): void {
  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    const given = request.headers.authorization
    const isAllowed = token
      ? given?.startsWith('Bearer ') === true && token.matches(given.slice(7))
      : isThisMachine(request.socket.remoteAddress, request.headers)
    if (!isAllowed) {
      const detail = token
        ? 'Send the monitoring token as a bearer token.'
        : 'Metrics are told to this machine only, or to the holder of COUNTERSIGN_MONITORING_TOKEN.'
      return reply.code(401).send({ detail })
    }
    return reply.type(metrics.contentType).send(await metrics.print())
  })
}

/** A forwarded request comes from elsewhere, whatever address the proxy connects from. */
function isThisMachine(address: string | undefined, headers: Record<string, unknown>): boolean {
  if (headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined) return false
  return address === '127.0.0.1' || address === '::1' || address === '::ffff:127.0.0.1'
}
