import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Problem, problems } from '../../kernel/problem.ts'

/** These routes are called by scripts too, whose sign-in may be hours old. */
const forScripts = 'A script signs in right before this request (POST /api/v1/auth/login), or uses an API token.'

/** `{"detail": …}` as the Edictum clients' operators find it in their logs (agent-api §1.5). */
export function renderDetail(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { kind } = problem
  if (kind === problems.bug) return reply.code(500).type('text/plain; charset=utf-8').send('Internal Server Error')
  if (kind === problems.methodNotAllowed) return reply.code(405).send({ detail: 'Method Not Allowed' })
  if (kind === problems.tooLarge) {
    const megabytes = (request.routeOptions.bodyLimit ?? 1_048_576) / 1_048_576
    const limit = megabytes >= 1 ? `${Math.floor(megabytes)}MB` : `${Math.floor(megabytes * 1024)}KB`
    return reply.code(413).send({ detail: `Request body too large. Maximum allowed: ${limit}.` })
  }
  if (problem.errors.length > 0) {
    const detail = problem.errors.map(({ path, message }) => ({ loc: locationOf(path), msg: message }))
    return reply.code(kind.status).send({ detail })
  }
  if (kind === problems.mfaStepUpRequired) return reply.code(403).send({ detail: `${problem.detail} ${forScripts}` })
  return reply.code(kind.status).send({ detail: problem.detail })
}

const places: Readonly<Record<string, string>> = { querystring: 'query', params: 'path' }

/** `body.events.0.call_id` → `["body", "events", 0, "call_id"]`, with the words older clients have for the places. */
function locationOf(path: string): readonly (string | number)[] {
  const [place = '', ...rest] = path.split('.')
  return [places[place] ?? place, ...rest.map((part) => (/^\d+$/.test(part) ? Number(part) : part))]
}
