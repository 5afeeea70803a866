import { isAtRest, noteUse } from './activity.ts'
import { isPlainPath } from './plain-path.ts'
import { ApiProblem, noSuchThing, readProblem, unreachable } from './problem.ts'
import { learnServerTime } from './server-time.ts'
import { stepUp, stepUpCode } from './step-up.ts'

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | null | undefined>>

export type RequestOptions = {
  readonly query?: Query
  readonly body?: unknown
  readonly signal?: AbortSignal
  /** Refreshes that nobody asked for must not keep a session alive. */
  readonly isBackground?: boolean
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export const api = {
  get: <Answer>(path: string, options?: RequestOptions) => send<Answer>('GET', path, options),
  /** For answers whose numbers may have more digits than parsing would keep. */
  getText: (path: string, options?: RequestOptions) => sendForText('GET', path, options),
  post: <Answer>(path: string, body?: unknown, options?: RequestOptions) =>
    send<Answer>('POST', path, { ...options, body }),
  put: <Answer>(path: string, body?: unknown, options?: RequestOptions) =>
    send<Answer>('PUT', path, { ...options, body }),
  patch: <Answer>(path: string, body?: unknown, options?: RequestOptions) =>
    send<Answer>('PATCH', path, { ...options, body }),
  delete: <Answer>(path: string, options?: RequestOptions) => send<Answer>('DELETE', path, options),
}

/** The address of a native path, with its filters. Empty ones are left out, lists are repeated. */
export function addressOf(path: string, query: Query = {}): string {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined || value === '') continue
    for (const one of typeof value === 'object' ? value : [value]) parameters.append(name, String(one))
  }
  const written = parameters.toString()
  return `/api/v2${path}${written === '' ? '' : `?${written}`}`
}

async function send<Answer>(method: Method, path: string, options?: RequestOptions): Promise<Answer> {
  const text = await sendForText(method, path, options)
  // What the server answers is checked by its own schema on the way out.
  return (text === '' ? undefined : JSON.parse(text)) as Answer
}

/** Writes that are not answered yet, and how many have been: any of them may bring a new cookie for the same session. */
const writes = new Set<Promise<unknown>>()
let answeredWrites = 0

/** Those that are under way, by what they ask for. */
const underWay = new Map<string, Promise<string>>()

/** Pressing twice before the page could change asks for one thing, so the second press gets the answer of the first. */
async function write(method: Method, path: string, options: RequestOptions): Promise<string> {
  if (options.signal) return writeOnce(method, path, options)
  const asked = JSON.stringify([method, path, options.query, options.body])
  const writing = underWay.get(asked) ?? writeOnce(method, path, options)
  underWay.set(asked, writing)
  try {
    return await writing
  } finally {
    underWay.delete(asked)
  }
}

async function writeOnce(method: Method, path: string, options: RequestOptions): Promise<string> {
  const writing = sendOnce(method, path, options)
  writes.add(writing)
  try {
    return await writing
  } finally {
    writes.delete(writing)
    answeredWrites += 1
  }
}

/**
 * A read that the server refused for its old cookie while a write was replacing it, as adding a factor does, is sent
 * once more with the new one: the session has not ended.
 */
async function read(path: string, options: RequestOptions): Promise<string> {
  const answeredBefore = answeredWrites
  try {
    return await sendOnce('GET', path, options)
  } catch (error) {
    const isRefused = error instanceof ApiProblem && error.status === 401
    if (!isRefused || (writes.size === 0 && answeredWrites === answeredBefore)) throw error
    await Promise.allSettled(writes)
    return sendOnce('GET', path, options)
  }
}

/** What the server wants a fresh proof for is sent once more when the person gave it: their act is not lost. */
async function sendForText(method: Method, path: string, options: RequestOptions = {}): Promise<string> {
  const carry = (): Promise<string> => (method === 'GET' ? read(path, options) : write(method, path, options))
  try {
    return await carry()
  } catch (error) {
    const isAsked = error instanceof ApiProblem && error.code === stepUpCode
    if (!isAsked || !(await stepUp())) throw error
    return carry()
  }
}

async function sendOnce(method: Method, path: string, options: RequestOptions): Promise<string> {
  if (!isPlainPath(addressOf(path))) throw noSuchThing()
  const { query, body, signal, isBackground = false } = options
  const headers: Record<string, string> = { accept: 'application/json' }
  if (method !== 'GET') headers['x-requested-with'] = 'countersign'
  if (body !== undefined) headers['content-type'] = 'application/json'
  const isUse = !isBackground && (method !== 'GET' || !isAtRest())
  if (!isUse) headers['x-countersign-background'] = 'true'
  let response: Response
  let text: string
  try {
    response = await fetch(addressOf(path, query), {
      method,
      headers,
      credentials: 'same-origin',
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
    text = await response.text()
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw unreachable(method !== 'GET')
  }
  learnServerTime(response.headers.get('date'))
  if (!response.ok) throw readProblem(response.status, text, response.headers)
  if (isUse) noteUse()
  return text
}
