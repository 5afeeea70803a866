import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Clock, Stop } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import type { Metrics } from '../../kernel/metrics.ts'

type Needs = { readonly metrics: Metrics; readonly log: Log; readonly clock: Clock }

const summaryMs = 60_000

export type Observing = {
  /** Told of a request of an agent that was answered without the hooks. */
  readonly noteAgents: (route: string, status: number, elapsedMs: number) => void
  readonly start: () => void
  readonly stop: () => void
}

/**
 * One log line for each request of a person or a stranger; agents, who call thousands of times, are summed up once a
 * minute. Every request counts in the metrics by its route's pattern, so that no id becomes a label.
 */
export function observeRequests(app: FastifyInstance, { metrics, log, clock }: Needs): Observing {
  const count = metrics.counter('http_requests_total', 'Requests answered', ['route', 'status'])
  const seconds = metrics.histogram(
    'http_request_seconds',
    'Time until the answer was sent',
    [0.001, 0.005, 0.02, 0.1, 0.5, 2, 10],
  )
  let agents = new Map<string, number>()
  // Counted here and handed over when somebody looks: the library's counter looks its labels up by text each time.
  let counted = new Map<string, Map<number, number>>()
  metrics.beforePrint(() => {
    const since = counted
    counted = new Map()
    for (const [route, statuses] of since) {
      for (const [status, times] of statuses) count.inc({ route, status: String(status) }, times)
    }
  })

  const measure = (route: string, status: number, elapsedMs: number): void => {
    const statuses = counted.get(route) ?? new Map<number, number>()
    counted.set(route, statuses.set(status, (statuses.get(status) ?? 0) + 1))
    seconds.observe(elapsedMs / 1000)
  }
  const noteAgents = (route: string, status: number, elapsedMs: number): void => {
    measure(route, status, elapsedMs)
    const key = `${route} ${status}`
    agents.set(key, (agents.get(key) ?? 0) + 1)
  }

  app.addHook('onResponse', (request, reply, done) => {
    const route = request.mounted?.label ?? labelOf(request)
    const status = reply.statusCode
    const elapsedMs = reply.elapsedTime
    if (request.who?.is === 'agent' || isProbe(route)) {
      noteAgents(route, status, elapsedMs)
    } else {
      measure(route, status, elapsedMs)
      const who =
        request.who === undefined
          ? { address: request.ip }
          : { tenant: request.who.tenant, [request.who.is]: request.who.id }
      log.info({ request: request.id, route, status, ms: Math.round(elapsedMs), ...who }, 'Request')
    }
    done()
  })

  const summarize = (): void => {
    if (agents.size === 0) return
    const routes = Object.fromEntries(agents)
    agents = new Map()
    log.info({ routes }, 'Requests of agents and probes in the last minute')
  }
  let stop: Stop | undefined
  return {
    noteAgents,
    start: () => {
      stop = clock.every(summaryMs, summarize)
    },
    stop: () => {
      stop?.()
      summarize()
    },
  }
}

function labelOf(request: FastifyRequest): string {
  const pattern = request.routeOptions.url
  return pattern === undefined ? 'none' : `${request.method} ${pattern}`
}

function isProbe(route: string): boolean {
  return route.endsWith('/metrics') || route.includes('/health') || route.includes('/assets/')
}
