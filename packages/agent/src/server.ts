import type { JsonObject, JsonValue } from '@countersign/rules'

/** The server said no, or that it cannot now. */
export class ServerAnswered extends Error {
  override readonly name = 'ServerAnswered'
  readonly status: number
  readonly retryAfterSeconds: number | undefined

  constructor(status: number, text: string, retryAfterSeconds: number | undefined) {
    super(`the server answered ${status}${text === '' ? '' : `: ${text}`}`)
    this.status = status
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Nobody answered, or what came was no answer. */
class ServerSilent extends Error {
  override readonly name = 'ServerSilent'
}

export type Server = {
  /** Sends JSON, or JSON already written; answers the object that came back. */
  readonly request: (
    method: 'GET' | 'POST' | 'PUT' | 'DELETE',
    path: string,
    options?: RequestOptions,
  ) => Promise<JsonObject>
  /** Resolves when the stream is open; its chunks come until the server or `signal` ends it. */
  readonly openStream: (path: string, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
}

export type RequestOptions = {
  readonly body?: string
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

export type ServerNeeds = {
  readonly url: string
  readonly key: string
  readonly agentId: string
  readonly timeoutMs: number
}

/** A ruleset of the largest size, written as text and as base64. */
const answerBytesMax = 4 * 1_048_576
/** Named, so that nobody takes this for an SDK that fetches what it follows by itself. */
const userAgent = 'countersign-agent/0.1.0'

export function openServer({ url, key, agentId, timeoutMs }: ServerNeeds): Server {
  const base = url.replace(/\/+$/, '')
  const headers = { authorization: `Bearer ${key}`, 'x-edictum-agent-id': agentId, 'user-agent': userAgent }

  const send = async (path: string, init: RequestInit): Promise<Response> => {
    let response: Response
    try {
      // The key must go to nobody else, so nothing is followed.
      response = await fetch(`${base}/v1${path}`, { redirect: 'error', ...init })
    } catch (cause) {
      throw new ServerSilent(reasonOf(cause), { cause })
    }
    if (response.ok) return response
    const text = (await readText(response).catch(() => '')).slice(0, 300)
    throw new ServerAnswered(response.status, detailOf(text), secondsOf(response.headers.get('retry-after')))
  }

  return {
    request: async (method, path, options = {}) => {
      const { body, signal: given } = options
      const timeout = AbortSignal.timeout(options.timeoutMs ?? timeoutMs)
      const signal = given ? AbortSignal.any([timeout, given]) : timeout
      const response = await send(path, {
        method,
        signal,
        headers: { ...headers, accept: 'application/json', 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      })
      return readObject(await readText(response))
    },
    openStream: async (path, signal) => {
      // Until the headers are here; afterwards whoever reads notices silence.
      const opening = new AbortController()
      const timer = setTimeout(() => opening.abort(new Error('the stream did not open')), timeoutMs)
      try {
        const response = await send(path, {
          signal: AbortSignal.any([opening.signal, signal]),
          headers: { ...headers, accept: 'text/event-stream', 'cache-control': 'no-store' },
        })
        const kind = response.headers.get('content-type') ?? ''
        if (!kind.startsWith('text/event-stream') || response.body === null) {
          await response.body?.cancel()
          throw new ServerSilent(`the stream answered ${kind === '' ? 'nothing' : kind.slice(0, 100)}`)
        }
        return response.body
      } finally {
        clearTimeout(timer)
      }
    },
  }
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength
      if (bytes > answerBytesMax) throw new ServerSilent('the answer is too large')
      text += decoder.decode(chunk, { stream: true })
    }
  } catch (cause) {
    throw cause instanceof ServerSilent ? cause : new ServerSilent(reasonOf(cause), { cause })
  }
  return text + decoder.decode()
}

function readObject(text: string): JsonObject {
  let value: JsonValue
  try {
    value = JSON.parse(text) as JsonValue
  } catch (cause) {
    throw new ServerSilent('the answer is no JSON', { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ServerSilent('the answer is no object')
  return value as JsonObject
}

function detailOf(text: string): string {
  try {
    const { detail } = JSON.parse(text) as { readonly detail?: unknown }
    return typeof detail === 'string' ? detail : text
  } catch {
    // Whatever stood in between answered in its own words.
    return text.replace(/\s+/g, ' ').trim()
  }
}

function secondsOf(header: string | null): number | undefined {
  const seconds = header === null ? Number.NaN : Number(header)
  return Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, 3_600) : undefined
}

/** What the network library hides in causes of causes. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const inner = cause.cause
  return inner instanceof Error && inner.message !== '' ? `${cause.message}: ${inner.message}` : cause.message
}
