import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../kernel/problem.ts'

/** `{"error": …}` as the gateway's clients read it (gateway §2.3). */
export function renderError(problem: Problem, _request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(problem.kind.status).send({ error: problem.detail })
}
