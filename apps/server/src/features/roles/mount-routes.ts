import { type Permission, permissionRows } from '@countersign/wire'
import type {} from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Secret } from '../../kernel/crypto.ts'
import type { Log } from '../../kernel/log.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { type InlineFactor, inlineFactorIn } from './credential.ts'
import { lacksProof, passFactorGate, stepUpNeeded } from './factor-gate.ts'
import { lacks } from './permits.ts'
import type { Agent, Caller, Person, Principal } from './principal.ts'
import type { Method, Needs, RequestFacts, Route } from './route.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once, by the check of the route that was matched. */
    who: Principal | undefined
    /** Set for every route of a table; made once for each, since Fastify makes its own anew whenever it is asked. */
    mounted: Mounted | undefined
    /** A second factor that came along and is needed; proven once the request is known to fit. */
    inlineFactor: InlineFactor | undefined
  }
}

export type Mounted = {
  /** `GET /v1/rulesets/:name/current`: the pattern, so that no id becomes a label. */
  readonly label: string
  readonly path: string
}

/** Finds out who is asking from the credential alone. Throws a Problem when there is one and it is not good. */
export type Authenticate = {
  /** By cookie. */
  readonly person: (request: FastifyRequest) => Promise<Person | undefined>
  /** By an `Authorization` header: an API token, or the session of a command line. Nothing when it is of neither form. */
  readonly caller: (request: FastifyRequest) => Promise<Caller | undefined>
  readonly agent: (request: FastifyRequest) => Promise<Agent | undefined>
}

/** How one family of clients is spoken to. */
export type Dialect = {
  readonly name: string
  readonly render: (problem: Problem, request: FastifyRequest, reply: FastifyReply) => unknown
  /** Said to a cookie's holder who did not send `X-Requested-With`. */
  readonly missingHeader: string
  /** Tells a request of one's own page from another site's; by default the header that no other site can set. */
  readonly isOwnPage?: (request: FastifyRequest) => boolean
  /** Open routes that change something and need no such header, as older clients send none. */
  readonly headerExempt?: ReadonlySet<string>
}

/** Writes a refusal into the trail. Must not throw: whoever was refused is refused either way. */
export type RecordRefusal = (refusal: {
  readonly who: Principal | undefined
  readonly route: Pick<Route, 'does' | 'method' | 'path'>
  readonly code: string
  readonly facts: RequestFacts
}) => Promise<void>

export type MountNeeds = {
  readonly authenticate: Authenticate
  readonly recordRefusal: RecordRefusal
  /** Uses up the factor the session has proven for one act; false when there was none, or another act was faster. */
  readonly spendFactor: (who: Person) => Promise<boolean>
  /** Proves a factor that came along with a request. Throws a Problem when it is not good; answers what holds from then on. */
  readonly proveInline: (who: Person, factor: InlineFactor, facts: RequestFacts, reply: FastifyReply) => Promise<Person>
  readonly log: Log
  readonly baseUrl: string
}

type Mount = MountNeeds & { readonly dialect: Dialect; readonly prefix: string; readonly routes: readonly Route[] }

/**
 * Mounts a table of routes under one prefix: before the body is read the caller is known and permitted, whatever
 * goes wrong is told in the dialect's words, and a refusal is in the trail.
 */
export function mountRoutes(app: FastifyInstance, mount: Mount): void {
  const byPath = new Map<string, Set<Method>>()
  for (const route of mount.routes) {
    const methods = byPath.get(route.path) ?? new Set()
    byPath.set(route.path, methods.add(route.method))
    mountRoute(app, mount, route)
  }
  const all = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'] as const
  for (const [path, methods] of byPath) {
    const others = all.filter((method) => !(methods as ReadonlySet<string>).has(method))
    if (others.length === 0) continue
    app.route({
      method: [...others],
      url: `${mount.prefix}${path}`,
      schema: { hide: true },
      handler: (request, reply) => {
        const allowed = [...methods].join(', ')
        reply.header('allow', allowed)
        return mount.dialect.render(
          new Problem(problems.methodNotAllowed, `This address takes ${allowed}.`),
          request,
          reply,
        )
      },
    })
  }
}

function mountRoute(app: FastifyInstance, mount: Mount, route: Route): void {
  const { params, query, body, answers, status = 200 } = route
  const path = `${app.prefix}${mount.prefix}${route.path}`
  const mounted = { label: `${route.method} ${path}`, path }
  app.route({
    method: route.method,
    url: `${mount.prefix}${route.path}`,
    ...(route.bodyBytesMax !== undefined && { bodyLimit: route.bodyBytesMax }),
    schema: {
      summary: route.does,
      hide: route.answersItself === true,
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(body && { body }),
      ...(answers && { response: { [status]: answers } }),
    },
    onRequest: async (request) => {
      request.mounted = mounted
      try {
        request.who = await admit(mount, route, request)
      } catch (error) {
        await noteRefusal(mount, route, request, error, [401, 403])
        throw error
      }
    },
    handler: async (request, reply) => {
      let answer: unknown
      try {
        // Not earlier: a request that is refused for its shape does not cost the caller a touch of the key.
        if (request.who?.is === 'person') request.who = await useFactor(mount, route, request.who, request, reply)
        const input = {
          who: request.who,
          params: request.params,
          query: request.query,
          body: request.body,
          // Finding out the address costs more than most handlers do with it.
          get facts() {
            return factsOf(request)
          },
          request,
          reply,
        }
        answer = await route.handle(input as never)
      } catch (error) {
        // Not 401: whoever could not sign in is recorded by signing in, which knows whose account it was.
        await noteRefusal(mount, route, request, error, [403, 429])
        throw error
      }
      if (route.answersItself) return reply
      return reply.code(status).send(answer)
    },
  })
}

async function noteRefusal(
  mount: Mount,
  route: Route,
  request: FastifyRequest,
  error: unknown,
  statuses: readonly number[],
): Promise<void> {
  if (!(error instanceof Problem) || !statuses.includes(error.kind.status)) return
  const address = { does: route.does, method: route.method, path: request.mounted?.path ?? route.path }
  await mount.recordRefusal({ who: request.who, route: address, code: error.kind.code, facts: factsOf(request) })
}

async function admit(mount: Mount, route: Route, request: FastifyRequest): Promise<Principal | undefined> {
  const who = await identify(mount, route.needs, request)
  // Known from here on, so that the refusal names him.
  request.who = who
  const changes = route.method !== 'GET'
  // A header is sent by whoever wrote the program; only cookies go along with what another site's page asked for.
  if (changes && (who === undefined || !isByHeader(request))) refuseCrossSite(mount, route, request)
  checkPermission(route.needs, who)
  // Permission first: nobody taps a key only to be told no.
  if (who?.is !== 'person') return who
  const factor = route.needs === 'anyone' ? undefined : inlineFactorIn(request.headers)
  if (factor && lacksProof(who, route)) request.inlineFactor = factor
  else passFactorGate(who, route)
  return who
}

/** Uses up the factor of this request: the one that came along, or the one the session has proven for one act. */
async function useFactor(
  mount: Mount,
  route: Route,
  who: Person,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Person> {
  const { inlineFactor: factor } = request
  if (!factor) {
    if (route.factor === 'always') await spend(mount, who)
    return who
  }
  const proven = await mount.proveInline(who, factor, factsOf(request), reply)
  passFactorGate(proven, route)
  // It was for this request: nothing stays behind that opens another sharp act.
  const isSpent = await mount.spendFactor(who)
  if (route.factor === 'always' && !isSpent) throw stepUpNeeded('always')
  return proven
}

async function spend({ spendFactor }: Mount, who: Person): Promise<void> {
  if (!who.factors.isEnrolled || (await spendFactor(who))) return
  throw stepUpNeeded('always')
}

function checkPermission(needs: Needs, who: Principal | undefined): void {
  if (who?.is !== 'person' && who?.is !== 'token') return
  const needed = permissionIn(needs)
  if (who.is === 'token' && (needs === 'signed-in' || (needed !== undefined && !permissionRows[needed].forTokens)))
    throw new Problem(
      problems.forbidden,
      'This is for people only: an API token cannot do it, whatever it may do else.',
    )
  if (needed !== undefined && !who.permissions.has(needed)) throw lacks(needed)
}

function isByHeader(request: FastifyRequest): boolean {
  return request.headers.authorization !== undefined
}

async function identify(
  { authenticate }: Mount,
  needs: Needs,
  request: FastifyRequest,
): Promise<Principal | undefined> {
  const hasHeader = isByHeader(request)
  if (needs === 'anyone')
    return (hasHeader ? authenticate.caller(request) : authenticate.person(request)).catch(forgiven)
  const takesKeys = needs === 'agent-key' || needs.startsWith('agent-key or ')
  if (needs === 'agent-key' || (takesKeys && hasHeader)) {
    // A key is what these are asked with many thousand times a second; only a header that cannot be one is looked at.
    const caller = needs === 'agent-key' || !isOfCaller(request) ? undefined : await authenticate.caller(request)
    const found = caller ?? (await authenticate.agent(request))
    if (found) return found
    throw new Problem(problems.notSignedIn, 'Authorization header is required.')
  }
  const found = await (hasHeader ? authenticate.caller(request) : authenticate.person(request))
  if (found) return found
  throw new Problem(problems.notSignedIn, takesKeys ? 'Authentication required.' : 'Not authenticated.')
}

function isOfCaller(request: FastifyRequest): boolean {
  const header = request.headers.authorization ?? ''
  return !header.startsWith('Bearer edk_')
}

/** An open route serves whoever comes; a session that ended does not keep them out. */
function forgiven(cause: unknown): undefined {
  if (cause instanceof Problem && cause.kind.status === 401) return undefined
  throw cause
}

function permissionIn(needs: Needs): Permission | undefined {
  if (needs === 'anyone' || needs === 'signed-in' || needs === 'caller' || needs === 'agent-key') return undefined
  return (needs.startsWith('agent-key or ') ? needs.slice('agent-key or '.length) : needs) as Permission
}

/**
 * A browser sends cookies along with what another site's page asked for. Browsers tell the origin of such requests;
 * the extra header is one that page could not have set. Programs send neither origin nor Sec-Fetch-Site.
 */
function refuseCrossSite({ dialect, baseUrl }: Mount, route: Route, request: FastifyRequest): void {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  const isForeignOrigin = origin !== undefined && origin !== new URL(baseUrl).origin && hostOf(origin) !== host
  const isForeignSite = origin === undefined && site !== undefined && site !== 'same-origin' && site !== 'none'
  if (isForeignOrigin || isForeignSite) {
    throw new Problem(problems.crossSite, 'This request was sent by a page of another site.')
  }
  const isOwnPage = dialect.isOwnPage?.(request) ?? hasOwnHeader(request)
  if (!isOwnPage && !dialect.headerExempt?.has(`${route.method} ${route.path}`)) {
    throw new Problem(problems.crossSite, dialect.missingHeader)
  }
}

function hasOwnHeader({ headers }: FastifyRequest): boolean {
  const header = headers['x-requested-with']
  return header !== undefined && header !== ''
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

function factsOf(request: FastifyRequest): RequestFacts {
  return {
    id: request.id,
    address: request.ip,
    userAgent: (request.headers['user-agent'] ?? '').slice(0, 400),
    cookies: new Secret(request.headers.cookie ?? ''),
  }
}
