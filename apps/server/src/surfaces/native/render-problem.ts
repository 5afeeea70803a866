import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Problem } from '../../kernel/problem.ts'

/** RFC 9457. `type` names the code's paragraph in the reference of errors. */
export function renderProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { kind, detail, errors, facts } = problem
  return reply
    .code(kind.status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        ...facts,
        type: `/docs/reference/errors.md#${kind.code}`,
        title: kind.title,
        status: kind.status,
        detail,
        code: kind.code,
        request_id: request.id,
        ...(errors.length > 0 && { errors }),
      }),
    )
}
