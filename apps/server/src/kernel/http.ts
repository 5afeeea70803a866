import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import AjvCompiler from '@fastify/ajv-compiler'
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler'
import {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  fastify,
} from 'fastify'
import { InDoubt, isDatabaseFull, isDatabaseGone, isUnstorableText } from './db.ts'
import { readJsonInTurns, utf8 } from './http/json-in-turns.ts'
import { refuseUnread, unreadBytes, unreadType } from './http/unread.ts'
import { type InputError, Problem, problems } from './problem.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The body as it was sent, for those who must keep its numbers. */
    rawBody: Buffer | undefined
    /** The body has been read with its numbers as they were sent. */
    isBodyExact: boolean
  }
}

export type HttpOptions = {
  /** How people reach this server: `https://countersign.example.com`. */
  readonly baseUrl: string
  /** Names besides the base URL's and loopback's under which requests without a credential are answered. */
  readonly allowedHosts: readonly string[]
  /** Origins of other sites whose pages may call the API with credentials. */
  readonly corsOrigins: readonly string[]
  /** Addresses and CIDR ranges whose X-Forwarded-* are believed; the right-most address not among them is the client's. */
  readonly trustedProxies: readonly string[] | 'nearest'
  readonly bodyBytesMax: number
  /** Asked about every plain GET before the routes are; what it does not know takes the long road. Must not throw. */
  readonly fromMemory?: FromMemory
}

/** The path is the one routes are found by: the base URL's own is taken off. */
export type FromMemory = (request: IncomingMessage, path: string) => KeptAnswer | undefined

/** A whole 200, the same object for as long as it is the same. */
export type KeptAnswer = { readonly contentType: string; readonly bytes: Buffer }

// A session's key may take 16 KiB, each byte three characters on the path.
const pathBytesMax = 64 * 1024

/** The server before any route: parsing, limits, headers on every answer. Each surface adds its own errors. */
export function makeHttp(options: HttpOptions): FastifyInstance {
  const headers = securityHeaders(options.baseUrl)
  const app = fastify({
    logger: false,
    serverFactory: (handler, settings) => nodeServer(fromMemoryFirst(options, headers, handler), settings),
    trustProxy: trusted(options.trustedProxies),
    genReqId: () => randomRequestId(),
    rewriteUrl: underPath(new URL(options.baseUrl).pathname),
    // An id sent by the client is not ours to repeat: it would let strangers write into the log.
    requestIdHeader: false,
    bodyLimit: options.bodyBytesMax,
    // For all of a request to arrive; whoever sends a byte now and then must not hold a connection for ever.
    requestTimeout: 300_000,
    // Whoever still came before the door was closed is served: Go never tries a write again.
    return503OnClosing: false,
    // SDKs pool connections and Go never retries a write: one closed under a POST loses it (agent-api §1.1).
    keepAliveTimeout: 76_000,
    http: { maxHeaderSize: pathBytesMax + 16 * 1024, headersTimeout: 60_000 },
    routerOptions: { maxParamLength: pathBytesMax, ignoreTrailingSlash: false, caseSensitive: true },
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => {
      const problem = toProblem(error) ?? new Problem(problems.malformed, 'The request cannot be read.')
      const { status } = problem.kind
      reply.raw.writeHead(status, [...headers.flat(), 'x-request-id', request.id, 'content-type', unreadType])
      reply.raw.end(unreadBytes(status, problem.detail))
    },
    clientErrorHandler: (error, socket) => refuseUnread(error, socket, headers),
    schemaController: { compilersFactory: { buildValidator: strictValidators, buildSerializer: lazySerializers } },
  })
  dropUnusedWhenClosing(app)
  app.decorateRequest('rawBody', undefined)
  app.decorateRequest('isBodyExact', false)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    request.rawBody = body
    if (isEncoded(request)) {
      done(new Problem(problems.wrongMediaType, 'Send the body as it is, without the header Content-Encoding.'))
      return
    }
    if (body.length > largeBodyBytes) {
      request.isBodyExact = true
      readLargeBody(body).then((read) => done(null, read), done)
      return
    }
    try {
      done(null, parseJson(body))
    } catch (cause) {
      done(cause instanceof Error ? cause : new Error(String(cause)))
    }
  })

  const isOurs = hostCheck(options)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    for (const [name, value] of headers) reply.header(name, value)
    allowOrigin(request, reply, options.corsOrigins)
    if (!isOurs(request)) {
      const name = request.headers.host ?? ''
      done(
        new Problem(
          problems.misdirected,
          `This server does not answer to the name ${JSON.stringify(name.slice(0, 200))}. Use ${options.baseUrl}, or add the name to COUNTERSIGN_ALLOWED_HOSTS.`,
        ),
      )
      return
    }
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      void reply.code(204).send()
      return
    }
    done()
  })
  return app
}

/** As Fastify makes it. */
function nodeServer(handler: RequestListener, settings: FastifyServerOptions & { readonly http?: object }): Server {
  const server = createServer(settings.http ?? {}, handler)
  server.keepAliveTimeout = settings.keepAliveTimeout ?? server.keepAliveTimeout
  server.requestTimeout = settings.requestTimeout ?? 0
  server.setTimeout(settings.connectionTimeout ?? 0)
  // Who asks before he sends is told to go on once his body is wanted: not without a key, nor with too much.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    const goOn = (event: string): void => {
      if (event !== 'data' && event !== 'readable') return
      request.off('newListener', goOn)
      if (!response.headersSent) response.writeContinue()
    }
    request.on('newListener', goOn)
    server.emit('request', request, response)
  })
  return server
}

/** Longer ones are written from where they are: flattening them into one text with their head would cost more. */
const textBytesMax = 65_536

/**
 * Answers what is in memory at once, with the headers every answer has. The hooks and promises of the long road cost
 * more than twice what writing such an answer does. Head and body are one Latin-1 text, whose bytes are the body's, and
 * so leave with one write.
 */
function fromMemoryFirst(
  { fromMemory, baseUrl, corsOrigins }: HttpOptions,
  security: readonly (readonly [string, string])[],
  handler: RequestListener,
): RequestListener {
  if (!fromMemory) return handler
  const path = underPath(new URL(baseUrl).pathname)
  const always = [...security.flat(), ...(corsOrigins.length > 0 ? ['vary', 'Origin'] : [])]
  const texts = new WeakMap<Buffer, string>()
  const textOf = (bytes: Buffer): string => {
    const known = texts.get(bytes)
    if (known !== undefined) return known
    const text = bytes.toString('latin1')
    texts.set(bytes, text)
    return text
  }
  const write = (response: ServerResponse, { contentType, bytes }: KeptAnswer): void => {
    const own = ['x-request-id', randomRequestId(), 'content-type', contentType, 'content-length', `${bytes.length}`]
    response.writeHead(200, [...always, ...own])
    if (bytes.length > textBytesMax) response.end(bytes)
    else response.end(textOf(bytes), 'latin1')
  }
  return (request, response) => {
    const kept = isPlainGet(request) ? fromMemory(request, path(request)) : undefined
    if (kept) write(response, kept)
    else handler(request, response)
  }
}

/** Without a body, and not of a page of another site, which is told what it may do. */
function isPlainGet({ method, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    headers.origin === undefined &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  )
}

/** A request that is under way on a new connection when the server is told to close has arrived by then. */
const firstRequestMs = 250

/**
 * Clients open connections ahead of need. Node does not count one that was never used as idle, and would wait a minute.
 * One that was opened a moment ago may have its request on the way: that is answered.
 */
function dropUnusedWhenClosing(app: FastifyInstance): void {
  const unused = new Set<Socket>()
  let isClosing = false
  const dropSoon = (socket: Socket): void => {
    const timer = setTimeout(() => {
      if (unused.has(socket)) socket.destroy()
    }, firstRequestMs)
    socket.once('close', () => clearTimeout(timer))
  }
  app.server.on('connection', (socket: Socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
    if (isClosing) dropSoon(socket)
  })
  app.server.on('request', ({ socket }: { readonly socket: Socket }) => unused.delete(socket))
  app.addHook('preClose', (done) => {
    isClosing = true
    for (const socket of unused) dropSoon(socket)
    done()
  })
}

/** Behind a proxy that passes the base URL's path on, every route is also found below that path. */
function underPath(basePath: string): (request: { readonly url?: string | undefined }) => string {
  const prefix = basePath.replace(/\/+$/, '')
  return ({ url = '/' }) => {
    if (prefix === '' || !url.startsWith(prefix)) return url
    const rest = url.slice(prefix.length)
    if (rest === '') return '/'
    return rest.startsWith('/') ? rest : rest.startsWith('?') ? `/${rest}` : url
  }
}

const idBytes = 6
// Asked for in bulk: one call for random bytes costs as much as the rest of a small request's bookkeeping.
const idPool = Buffer.alloc(idBytes * 1_024)
let idPoolUsed = idPool.length

/** 12 hexadecimal characters, as the older clients' operators are used to. */
function randomRequestId(): string {
  if (idPoolUsed === idPool.length) {
    globalThis.crypto.getRandomValues(idPool)
    idPoolUsed = 0
  }
  idPoolUsed += idBytes
  return idPool.toString('hex', idPoolUsed - idBytes, idPoolUsed)
}

/** Reading more than this at once would keep others waiting. */
const largeBodyBytes = 1_048_576

async function readLargeBody(body: Buffer): Promise<unknown> {
  try {
    return await readJsonInTurns(body, nextTurn)
  } catch (cause) {
    throw unreadable(cause)
  }
}

/** What V8 shows of the text it could not read. It may be a secret, and whoever is told writes it into a log. */
const quotedBody = /, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s

/** What the caller is told of a body that could not be read. */
function unreadable(cause: unknown): Problem {
  if (cause instanceof TypeError) return new Problem(problems.invalidInput, 'The body is not valid UTF-8.', { cause })
  if (cause instanceof RangeError) return new Problem(problems.malformed, 'The body is nested too deep.', { cause })
  const said = cause instanceof Error ? cause.message.replace(quotedBody, '') : ''
  const why = said.replace("'\ufeff'", 'byte order mark').slice(0, 200)
  return new Problem(problems.malformed, `The body is not valid JSON: ${why}`, { cause })
}

function isEncoded({ headers }: FastifyRequest): boolean {
  return (headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity'
}

/** An empty body is no body: SDKs announce JSON on DELETE and send nothing. */
function parseJson(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(utf8.decode(body)) as unknown
  } catch (cause) {
    throw unreadable(cause)
  }
}

type Validate = ReturnType<ReturnType<AjvCompiler.BuildCompilerFromPool>>

/**
 * Fastify's defaults drop unknown fields and turn text into numbers. Bodies here are taken as they are; only paths,
 * queries and headers, which are always text, are converted.
 */
const strictValidators: AjvCompiler.BuildCompilerFromPool = (externalSchemas) => {
  const build = AjvCompiler()
  const common = { removeAdditional: false as const, useDefaults: true, allErrors: true, strict: false, verbose: true }
  const forBodies = build(externalSchemas, { customOptions: { ...common, coerceTypes: false } })
  const forTexts = build(externalSchemas, { customOptions: { ...common, coerceTypes: 'array' } })
  return (route) => {
    let made: Validate | undefined
    // Compiled by the first request: all of them together take half of the time that a start may take.
    const validate = ((data: unknown) => {
      // Fastify hands over the route, of which the schema is one field; the package's type names only the schema.
      made ??= ((route as { httpPart?: string }).httpPart === 'body' ? forBodies : forTexts)(route)
      const isGood = made(data)
      validate.errors = made.errors ?? null
      return isGood
    }) as Validate
    return validate
  }
}

const buildSerializers = SerializerSelector()

/** Compiled by the first answer, as the validators are. */
const lazySerializers: typeof buildSerializers = (externalSchemas, options) => {
  const build = buildSerializers(externalSchemas, options)
  return (route) => {
    let made: ReturnType<typeof build> | undefined
    return (answer: unknown) => {
      made ??= build(route)
      return made(answer)
    }
  }
}

/** Behind exactly one proxy whose address is not known, that one's word is taken and no more. */
function trusted(
  proxies: HttpOptions['trustedProxies'],
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (proxies === 'nearest') return (_address, hop) => hop === 0
  return proxies.length > 0 && [...proxies]
}

/** On every answer, errors included. A page adds its own Content-Security-Policy with a nonce. */
function securityHeaders(baseUrl: string): readonly (readonly [string, string])[] {
  return [
    ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
    ['x-content-type-options', 'nosniff'],
    ['x-frame-options', 'DENY'],
    ['referrer-policy', 'strict-origin-when-cross-origin'],
    ['permissions-policy', 'camera=(), microphone=(), geolocation=(), payment=()'],
    ['cross-origin-opener-policy', 'same-origin'],
    ...(baseUrl.startsWith('https:')
      ? ([['strict-transport-security', 'max-age=63072000; includeSubDomains']] as const)
      : []),
  ]
}

function allowOrigin(request: FastifyRequest, reply: FastifyReply, origins: readonly string[]): void {
  if (origins.length === 0) return
  reply.header('vary', 'Origin')
  const { origin } = request.headers
  if (origin === undefined || !origins.includes(origin)) return
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-allow-credentials', 'true')
  reply.header('access-control-expose-headers', 'Retry-After, X-Request-Id, X-MFA-Required')
  if (request.method !== 'OPTIONS') return
  reply.header('access-control-allow-methods', 'GET, POST, PUT, PATCH, DELETE, OPTIONS')
  reply.header(
    'access-control-allow-headers',
    'Content-Type, X-Requested-With, X-CSRF-Token, Authorization, X-Mfa-Totp, X-MFA-WebAuthn, X-Edictum-Agent-Id, Last-Event-ID',
  )
  reply.header('access-control-max-age', '600')
}

const loopback = new Set(['localhost', '127.0.0.1', '[::1]'])

/**
 * A page on another name that resolves to us (DNS rebinding) must not reach a browser's session. Callers with a bearer
 * credential and probes come from no browser and may use any name.
 */
function hostCheck({ baseUrl, allowedHosts }: HttpOptions): (request: FastifyRequest) => boolean {
  const ours = new Set([...loopback, new URL(baseUrl).hostname, ...allowedHosts])
  return (request) => {
    if (request.headers.authorization !== undefined) return true
    const path = request.url
    if (path.startsWith('/api/v1/health') || path.startsWith('/v1/health')) return true
    return ours.has(request.hostname)
  }
}

const defaultErrors: Readonly<Record<string, (error: FastifyError) => Problem>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (cause) => new Problem(problems.tooLarge, 'The body is too large.', { cause }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (cause) =>
    new Problem(problems.wrongMediaType, 'Send the body as JSON, with the header Content-Type: application/json.', {
      cause,
    }),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: (cause) =>
    new Problem(problems.malformed, 'The body does not have the length its header announced.', { cause }),
  FST_ERR_BAD_URL: (cause) => new Problem(problems.malformed, 'The path is not a valid URL path.', { cause }),
}

/** What a caller may be told of an error; nothing when it is a bug of ours. */
export function toProblem(error: unknown): Problem | undefined {
  if (error instanceof Problem) return error
  if (isDatabaseFull(error)) {
    return new Problem(problems.unavailable, 'The database has no room left. Nothing was changed.', {
      cause: error,
      retryAfterSeconds: 30,
    })
  }
  if (error instanceof InDoubt) {
    return new Problem(
      problems.unavailable,
      'The database was lost before it could say whether this was done. Look before you try again.',
      { cause: error, retryAfterSeconds: 2 },
    )
  }
  if (isDatabaseGone(error)) {
    return new Problem(
      problems.unavailable,
      'The database cannot be reached. Nothing was changed; try again in a moment.',
      { cause: error, retryAfterSeconds: 2 },
    )
  }
  if (isUnstorableText(error)) {
    return new Problem(problems.invalidInput, 'A text holds U+0000, which nothing stored holds.', { cause: error })
  }
  if (!isFastifyError(error)) return undefined
  if (error.validation) {
    const errors = error.validation.map((one) => inputError(error.validationContext ?? 'body', one))
    const detail = errors
      .map(({ path, message }) => `${path}: ${message}`)
      .slice(0, 3)
      .join('; ')
    return new Problem(problems.invalidInput, detail, { errors, cause: error })
  }
  const known = defaultErrors[error.code]
  if (known) return known(error)
  return error.statusCode === 400
    ? new Problem(problems.malformed, 'The request cannot be read.', { cause: error })
    : undefined
}

function isFastifyError(error: unknown): error is FastifyError {
  return (
    error instanceof Error &&
    ('validation' in error || ('code' in error && String(error.code).startsWith('FST_')) || 'statusCode' in error)
  )
}

type AjvError = {
  readonly instancePath: string
  readonly message?: string
  readonly params: Record<string, unknown>
  readonly keyword: string
  readonly parentSchema?: { readonly title?: string; readonly properties?: Readonly<Record<string, unknown>> }
}

function inputError(context: string, error: unknown): InputError {
  const { instancePath, message = 'does not fit', params, keyword, parentSchema } = error as AjvError
  const field = String(params['missingProperty'] ?? params['additionalProperty'] ?? '')
  const at = [context, ...instancePath.split('/').slice(1), ...(field === '' ? [] : [field])].join('.')
  if (keyword === 'required') return { path: at, message: 'Field required' }
  if (keyword === 'additionalProperties')
    return { path: at, message: noSuchField(Object.keys(parentSchema?.properties ?? {})) }
  if (keyword === 'enum')
    return { path: at, message: `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}` }
  // Few can read a regular expression, and nobody wants to: what is right has words in the schema.
  if (keyword === 'pattern' && parentSchema?.title !== undefined)
    return { path: at, message: `must be ${parentSchema.title}` }
  return { path: at, message }
}

/** A wrong name is most often nearly a right one. */
function noSuchField(known: readonly string[]): string {
  return known.length === 0 ? 'No such field; none is taken here' : `No such field; there are ${known.join(', ')}`
}
