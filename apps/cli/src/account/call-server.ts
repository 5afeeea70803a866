/** Exit codes scripts can tell apart; 1 is any other no, 2 means that it could not be tried. */
export const exits = { refused: 1, unreachable: 2, notSignedIn: 3, denied: 4, factorNeeded: 5 } as const

/** A no of the server, with the exit code that tells which kind. */
export class Refused extends Error {
  readonly exit: number
  /** What the server calls it. */
  readonly code: string | undefined

  constructor(message: string, exit: number, code?: string) {
    super(message)
    this.exit = exit
    this.code = code
  }
}

export type CallServer = <Answer>(method: string, path: string, body?: unknown) => Promise<Answer>

/** A code of a second factor, asked for when the server wants one; nothing when nobody can be asked. */
export type AskCode = () => Promise<string | undefined>

const timeoutMs = 30_000
/** What a code that comes along with the request answers. */
const provable = new Set(['mfa_required', 'mfa_step_up_required'])

type CallOptions = {
  readonly askCode?: AskCode | undefined
  /** What to do about a credential that is refused. */
  readonly remedy?: string | undefined
}

/** Speaks to a server's API with whatever credential there is. What needs a second factor is tried once more with its code. */
export function callServer(
  server: string,
  token: string | undefined,
  { askCode, remedy = 'Run: countersign login' }: CallOptions = {},
): CallServer {
  const once = async <Answer>(method: string, path: string, body: unknown, code?: string): Promise<Answer> => {
    let response: Response
    try {
      response = await fetch(`${server}/api/v2${path}`, {
        method,
        headers: {
          accept: 'application/json',
          'x-requested-with': 'countersign-cli',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(code !== undefined && { 'x-mfa-totp': code }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(timeoutMs),
        redirect: 'error',
      })
    } catch (cause) {
      const why = cause instanceof Error ? (cause.cause instanceof Error ? cause.cause.message : cause.message) : ''
      throw new Refused(`${server} does not answer: ${why}`, exits.unreachable)
    }
    const answer: unknown = await response.json().catch(() => ({}))
    if (!response.ok) throw refusal(response.status, answer, remedy)
    // What the server answers is checked by its own schema on the way out.
    return answer as Answer
  }
  return async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    try {
      return await once<Answer>(method, path, body)
    } catch (cause) {
      if (!(cause instanceof Refused) || !provable.has(cause.code ?? '')) throw cause
      const code = await askCode?.()
      if (code === undefined) throw cause
      return once<Answer>(method, path, body, code)
    }
  }
}

const factorHelp =
  'Give a code of your authenticator app, or a backup code, with --mfa-code; with a passkey alone do it in the console.'

function refusal(status: number, answer: unknown, remedy: string): Refused {
  const { detail, code } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  const words = typeof detail === 'string' ? detail : `The server answered ${status}.`
  const name = typeof code === 'string' ? code : undefined
  if (status === 401) return new Refused(`${words} ${remedy}`, exits.notSignedIn, name)
  if (name?.startsWith('mfa_')) {
    const help = provable.has(name) ? ` ${factorHelp}` : ''
    return new Refused(`${words}${help}`, exits.factorNeeded, name)
  }
  return new Refused(words, status === 403 ? exits.denied : exits.refused, name)
}
