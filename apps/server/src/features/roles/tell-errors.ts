import type { FastifyInstance, FastifyRequest } from 'fastify'
import { toProblem } from '../../kernel/http.ts'
import type { Log } from '../../kernel/log.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { Dialect } from './mount-routes.ts'

/** Tells errors in one dialect's words. Bugs are logged whole and told to nobody. */
export function tellErrors(app: FastifyInstance, dialect: Pick<Dialect, 'render'>, log: Log): void {
  const warn = warnSparingly(log)
  app.setErrorHandler((error, request, reply) => {
    // Whoever was refused is not listened to for the rest of what he announced.
    if (hasMuchUnread(request)) reply.header('connection', 'close')
    const problem = toProblem(error)
    if (!problem) {
      log.error(
        { err: error, request: request.id, path: request.mounted?.path ?? request.routeOptions.url },
        'A request failed by a bug of ours',
      )
      return dialect.render(bug, request, reply)
    }
    if (problem.kind.status >= 500) warn(problem, request)
    if (problem.retryAfterSeconds !== undefined)
      reply.header('retry-after', Math.max(1, Math.ceil(problem.retryAfterSeconds)))
    return dialect.render(problem, request, reply)
  })
}

const wholeEveryMs = 1_000

/**
 * While the database is away every request fails alike: its cause is logged whole once a second, and of the others which
 * they were, so that the disk a log lies on is not the next thing that fails.
 */
function warnSparingly(log: Log): (problem: Problem, request: FastifyRequest) => void {
  let last = { detail: '', at: Number.NEGATIVE_INFINITY }
  return ({ cause, detail }, { id }) => {
    const now = performance.now()
    if (detail === last.detail && now - last.at < wholeEveryMs) {
      log.warn({ request: id }, detail)
      return
    }
    last = { detail, at: now }
    log.warn({ err: cause, request: id }, detail)
  }
}

/** As much as is cheaper to read than a new connection is to open. */
const unreadBytesMax = 65_536

function hasMuchUnread({ raw }: FastifyRequest): boolean {
  if (raw.complete) return false
  const { 'content-length': length, 'transfer-encoding': encoding } = raw.headers
  return encoding !== undefined || Number(length ?? 0) > unreadBytesMax
}

const bug = new Problem(problems.bug, 'Something failed on our side. The request id finds it in the log.')
