export type FieldError = { readonly path: string; readonly message: string }

type Problem = {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
  readonly requestId: string | null
  readonly errors: readonly FieldError[]
  readonly retryAfterSeconds: number | null
}

/** A refusal of the server, or no answer at all (status 0), in words that can be shown. */
export class ApiProblem extends Error {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly requestId: string | null
  readonly errors: readonly FieldError[]
  readonly retryAfterSeconds: number | null

  constructor(problem: Problem) {
    super(problem.detail)
    this.name = 'ApiProblem'
    this.status = problem.status
    this.code = problem.code
    this.title = problem.title
    this.requestId = problem.requestId
    this.errors = problem.errors
    this.retryAfterSeconds = problem.retryAfterSeconds
  }
}

/** A write may have arrived before the connection was lost, and then been done: that is nobody's to deny. */
export function unreachable(isWrite: boolean): ApiProblem {
  return new ApiProblem({
    status: 0,
    code: 'unreachable',
    title: 'The server does not answer',
    detail: isWrite
      ? 'The server does not answer, so it is not known whether this was done. Look before you try again.'
      : 'The server does not answer. Check your connection.',
    requestId: null,
    errors: [],
    retryAfterSeconds: null,
  })
}

/** For what is not even asked for: the address names nothing that a server could have. */
export function noSuchThing(): ApiProblem {
  return new ApiProblem({
    status: 404,
    code: 'not_found',
    title: 'Not found',
    detail: 'There is no such thing here.',
    requestId: null,
    errors: [],
    retryAfterSeconds: null,
  })
}

/** Reads a problem document; whatever else came back (a proxy's page, nothing) becomes one. */
export function readProblem(status: number, text: string, headers: Headers): ApiProblem {
  const body = parse(text)
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN)
  return new ApiProblem({
    status,
    code: textOf(body['code']) ?? `http_${status}`,
    title: textOf(body['title']) ?? `The server answered ${status}`,
    detail: textOf(body['detail']) ?? textOf(body['title']) ?? `The server answered ${status} without saying why.`,
    requestId: textOf(body['request_id']) ?? headers.get('x-request-id'),
    errors: errorsOf(body['errors']),
    retryAfterSeconds: Number.isFinite(retryAfter) && retryAfter >= 0 ? Math.ceil(retryAfter) : null,
  })
}

/** Whether the address names what is not there: refused as an id, or looked for in vain. Trying again changes nothing. */
export function isAbsent(error: unknown): boolean {
  if (!(error instanceof ApiProblem)) return false
  return error.status === 404 || error.errors.some(({ path }) => /^\/?params\b/.test(path))
}

/** What to say about a failure of any kind. */
export function wordsFor(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The server's complaints by field, for a form to show where they belong. */
export function fieldErrors(error: unknown): Readonly<Record<string, string>> {
  if (!(error instanceof ApiProblem)) return {}
  return Object.fromEntries(
    error.errors.map(({ path, message }) => [
      path.replace(/^\/?(?:body(?:[./]|$))?/, '').replaceAll('/', '.'),
      message,
    ]),
  )
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : {}
  } catch {
    // Not JSON: a proxy's own error page says nothing that we could use.
    return {}
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

function errorsOf(value: unknown): readonly FieldError[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return []
    const { path, message } = { path: undefined, message: undefined, ...item } as Record<string, unknown>
    return [{ path: textOf(path) ?? '', message: textOf(message) ?? '' }]
  })
}
