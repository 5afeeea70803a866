import type { FastifyReply, FastifyRequest } from 'fastify'
import { type Problem, problems } from '../../kernel/problem.ts'

type Told = {
  readonly status: number
  readonly error: string
  readonly message?: string
  /** What the caller has to do about a second factor. */
  readonly required?: 'enrollment' | 'step-up' | 'always'
}

/** `{"error": …}` as the gateway's clients read it (gateway §2.3). */
export function renderError(problem: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, required, error, message } = told(problem, request)
  if (required) reply.header('x-mfa-required', required)
  return reply.code(status).send({ error, ...(message !== undefined && { message }) })
}

function told(problem: Problem, request: FastifyRequest): Told {
  const { kind, detail, errors, facts } = problem
  switch (kind) {
    case problems.mfaRequired:
    case problems.mfaStepUpRequired:
      return factorNeeded(facts['level'] === 'always' ? 'always' : 'step-up', detail, request)
    case problems.mfaEnrollmentRequired:
      // A sharp act of somebody without a factor, or somebody who may do nothing at all before there is one.
      return { status: facts['level'] ? 401 : 403, error: kind.code, message: detail, required: 'enrollment' }
    case problems.mfaFailed:
      return { status: 401, error: kind.code, message: detail }
    case problems.invalidFactorType:
      return { status: 400, error: kind.code, message: detail }
    case problems.notSignedIn:
    case problems.wrongCredentials:
      return { status: 401, error: authenticationText(detail, request) }
    case problems.crossSite:
      return { status: 403, error: 'invalid CSRF token' }
    case problems.tooManyRequests:
      return { status: 429, error: 'rate limit exceeded', message: detail }
    case problems.forbidden:
      return { status: 403, error: forbiddenText(detail, request) }
    case problems.invalidInput:
      // What fits no schema has a field for each mistake, by its path and with its own words.
      return errors[0]?.message === detail || errors.length === 0
        ? { status: 400, error: detail }
        : { status: 400, error: 'invalid request', message: detail }
    default:
      return { status: kind.status, error: detail }
  }
}

/** Command lines try once more with a factor, but only when they are told `mfa_required`. */
function factorNeeded(level: 'step-up' | 'always', message: string, { headers }: FastifyRequest): Told {
  const isRetried = level === 'always' || headers.authorization !== undefined
  return { status: 401, error: isRetried ? 'mfa_required' : 'mfa_step_up_required', message, required: level }
}

/** The gateway's words; its command line looks in them for "expired" beside "session" or "token". */
function authenticationText(detail: string, { headers }: FastifyRequest): string {
  const { authorization, cookie } = headers
  if (authorization === undefined && cookie === undefined) return 'missing authorization'
  if (authorization !== undefined && !/^(?:Bearer|Basic) +\S+ *$/i.test(authorization)) {
    return /^(?:Bearer|Basic)\b|^\S*$/i.test(authorization)
      ? 'invalid authorization header format'
      : 'unsupported authorization type'
  }
  if (detail === 'Not authenticated.')
    return authorization === undefined ? 'missing authorization' : 'authentication failed: session not found'
  const words = detail.replace(/\.$/, '').replace(/^[A-Z]/, (letter) => letter.toLowerCase())
  return words.startsWith('authentication failed') ? words : `authentication failed: ${words}`
}

function forbiddenText(detail: string, { who, mounted }: FastifyRequest): string {
  return who?.is === 'token' && mounted?.path.startsWith('/api/v1/auth/mfa/') ? 'mfa requires user session' : detail
}
