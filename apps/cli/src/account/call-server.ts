/** Exit codes scripts can tell apart; 1 is any other no, 2 means that it could not be tried. */
export const exits = { refused: 1, unreachable: 2, notSignedIn: 3, denied: 4, factorNeeded: 5 } as const

/** A no of the server, with the exit code that tells which kind. */
export class Refused extends Error {
  readonly exit: number

  constructor(message: string, exit: number) {
    super(message)
    this.exit = exit
  }
}

export type CallServer = <Answer>(method: string, path: string, body?: unknown) => Promise<Answer>

const timeoutMs = 30_000

/** Speaks to a server's API with whatever credential there is. */
export function callServer(server: string, token: string | undefined): CallServer {
  return async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    let response: Response
    try {
      response = await fetch(`${server}/api/v2${path}`, {
        method,
        headers: {
          accept: 'application/json',
          'x-requested-with': 'countersign-cli',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
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
    if (!response.ok) throw refusal(response.status, answer)
    // What the server answers is checked by its own schema on the way out.
    return answer as Answer
  }
}

function refusal(status: number, answer: unknown): Refused {
  const { detail, code } = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  const words = typeof detail === 'string' ? detail : `The server answered ${status}.`
  if (status === 401) return new Refused(`${words} Run: countersign login`, exits.notSignedIn)
  if (typeof code === 'string' && code.startsWith('mfa_'))
    return new Refused(`${words} Sign in again with countersign login, or do it in the console.`, exits.factorNeeded)
  return new Refused(words, status === 403 ? exits.denied : exits.refused)
}
