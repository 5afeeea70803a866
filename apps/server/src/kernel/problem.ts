type Kind = { readonly code: string; readonly status: number; readonly title: string }

/** One line per kind of failure a caller may be told. `code` is API: it never changes once released. */
export const problems = {
  malformed: { code: 'malformed', status: 400, title: 'The request cannot be read' },
  invalidInput: { code: 'invalid_input', status: 422, title: 'The request does not fit' },
  notSignedIn: { code: 'not_signed_in', status: 401, title: 'Sign in first' },
  wrongCredentials: { code: 'wrong_credentials', status: 401, title: 'Not accepted' },
  forbidden: { code: 'forbidden', status: 403, title: 'Not permitted' },
  mfaRequired: { code: 'mfa_required', status: 403, title: 'Second factor needed' },
  mfaStepUpRequired: { code: 'mfa_step_up_required', status: 403, title: 'Prove it is you' },
  mfaEnrollmentRequired: { code: 'mfa_enrollment_required', status: 403, title: 'Add a second factor first' },
  invalidFactorType: { code: 'invalid_mfa_type', status: 400, title: 'No such kind of factor' },
  mfaFailed: { code: 'mfa_verification_failed', status: 403, title: 'Not accepted' },
  countersignatureRequired: {
    code: 'countersignature_required',
    status: 403,
    title: 'To be signed with a passkey',
  },
  crossSite: { code: 'cross_site', status: 403, title: 'Refused: not sent by our own page' },
  notFound: { code: 'not_found', status: 404, title: 'No such thing' },
  methodNotAllowed: { code: 'method_not_allowed', status: 405, title: 'Wrong method' },
  conflict: { code: 'conflict', status: 409, title: 'Conflict' },
  alreadyDecided: { code: 'already_decided', status: 409, title: 'Already decided' },
  confirmationNeeded: { code: 'confirmation_needed', status: 409, title: 'Confirm first' },
  tooLarge: { code: 'too_large', status: 413, title: 'Too large' },
  wrongMediaType: { code: 'wrong_media_type', status: 415, title: 'Wrong content type' },
  misdirected: { code: 'misdirected', status: 421, title: 'Not the name of this server' },
  tooManyRequests: { code: 'too_many_requests', status: 429, title: 'Too many requests' },
  bug: { code: 'internal_error', status: 500, title: 'Internal error' },
  trailUnavailable: { code: 'trail_unavailable', status: 503, title: 'Cannot record, so will not act' },
  unavailable: { code: 'unavailable', status: 503, title: 'Not available at this moment' },
} as const satisfies Record<string, Kind>

export type ProblemKind = (typeof problems)[keyof typeof problems]

/** One thing that is wrong with the input: where (a JSON pointer or a field's name) and what to do about it. */
export type InputError = { readonly path: string; readonly message: string }

type More = {
  readonly cause?: unknown
  readonly errors?: readonly InputError[]
  readonly retryAfterSeconds?: number
  /** Facts for programs, beside the sentence for people. Never anything the caller may not read. */
  readonly facts?: Readonly<Record<string, unknown>>
}

/** A failure the caller may be told of: `detail` is for the caller, `cause` for our log. */
export class Problem extends Error {
  readonly kind: ProblemKind
  readonly detail: string
  readonly errors: readonly InputError[]
  readonly retryAfterSeconds: number | undefined
  readonly facts: Readonly<Record<string, unknown>>

  constructor(kind: ProblemKind, detail: string, { cause, errors = [], retryAfterSeconds, facts = {} }: More = {}) {
    super(detail, { cause })
    this.name = 'Problem'
    this.kind = kind
    this.detail = detail
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
    this.facts = facts
  }
}

/** What a reader may not know of does not exist: the same words whether it is missing or somebody else's. */
export function notFound(what: string): Problem {
  return new Problem(problems.notFound, `There is no such ${what}.`)
}

export function invalidInput(path: string, message: string): Problem {
  return new Problem(problems.invalidInput, message, { errors: [{ path, message }] })
}
