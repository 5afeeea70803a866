import { Type } from '@countersign/wire'
import type { CliSignIns } from '../../features/cli-sign-in/index.ts'
import type { Provider, ProviderDoor } from '../../features/oidc/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import { clearedCookies, type EndSessions, findWireNo } from '../../features/sessions/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { badRequest } from './words.ts'

type Needs = {
  readonly db: Sql
  readonly providers: readonly Provider[]
  readonly door: ProviderDoor
  readonly cli: CliSignIns
  readonly endSessions: EndSessions
  readonly isSecure: boolean
}

const lenient = (max: number) => Type.Optional(Type.String({ maxLength: max }))

// Unknown fields never fail older clients' requests, and the texts of what is missing are theirs.
const completion = Type.Object({
  state: lenient(500),
  code_verifier: lenient(500),
  device_id: lenient(200),
  device_name: lenient(500),
  device_os: lenient(200),
  client_version: lenient(200),
})

const challengePage = '/app/auth/mfa/challenge'
const successPage = '/app/cli/auth/success'

/**
 * What the gateway's pages asked while a command line waited. Its state alone let a command line in there; here it only
 * leads to the page where a signed-in person compares a code and decides.
 */
function cliPageRoutes(cli: CliSignIns): readonly Route[] {
  return [
    route({
      does: 'Come back from the identity provider for a command line',
      method: 'GET',
      path: '/auth/cli/callback',
      needs: 'anyone',
      query: Type.Object({ code: lenient(4000), state: lenient(500) }),
      answersItself: true,
      handle: async ({ query: { code = '', state = '' }, reply }) => {
        if (code === '' || state === '')
          return reply.code(400).type('text/plain; charset=utf-8').send('missing code or state\n')
        return reply.redirect(`/api/v1/auth/cli/mfa?state=${encodeURIComponent(state)}`, 307)
      },
    }),
    route({
      does: 'Lead to the page where a waiting command line is decided about',
      method: 'GET',
      path: '/auth/cli/mfa',
      needs: 'anyone',
      query: Type.Object({ state: lenient(500) }),
      answersItself: true,
      handle: async ({ query: { state = '' }, facts, reply }) => {
        if (state === '') return reply.redirect(`${challengePage}?error=missing_state`, 307)
        const found = await cli.pageOfState(state, facts)
        if (!found) return reply.redirect(`${challengePage}?error=expired`, 307)
        if (found.isApproved === false) return reply.redirect(`${challengePage}?error=unauthorized`, 307)
        return reply.redirect(found.isApproved ? successPage : found.page, 307)
      },
    }),
    route({
      does: 'Tell whether a waiting command line was let in',
      method: 'POST',
      path: '/auth/cli/mfa',
      needs: 'anyone',
      bodyBytesMax: 65_536,
      body: Type.Object({ state: lenient(500), method: lenient(100), code: lenient(500) }),
      handle: async ({ body: { state = '', method = 'totp', code = '' }, facts }) => {
        if (state === '') throw badRequest('state_required')
        if (method !== 'totp' && method !== 'webauthn') throw badRequest('invalid_method')
        if (method === 'totp' && code === '') throw badRequest('code_required')
        const found = await cli.pageOfState(state, facts)
        if (!found) throw badRequest('session_expired')
        if (found.isApproved === false) throw new Problem(problems.wrongCredentials, 'user_not_authorized')
        // Nobody is known by a state: the factor is proven in the session of whoever decides.
        if (found.isApproved === null) throw badRequest('session_incomplete')
        return { redirect: successPage }
      },
    }),
  ]
}

/** Signing in as Rack Gateway's browsers and command lines do it (gateway §3.2, §4.2, §4.3). */
export function rackSignInRoutes(needs: Needs): readonly Route[] {
  const { db, providers, door, cli, endSessions, isSecure } = needs
  // The gateway knew one provider. Its applications are registered with the one whose callback is the gateway's.
  const provider = providers.find(({ callback }) => callback === '/api/v1/auth/web/callback') ?? providers[0]
  const web: Route[] =
    provider === undefined
      ? []
      : [
          route({
            does: 'Sign in at the identity provider',
            method: 'GET',
            path: '/auth/web/login',
            needs: 'anyone',
            query: Type.Object({ returnTo: Type.Optional(Type.String({ maxLength: 2000 })) }),
            answersItself: true,
            handle: ({ query, facts, reply }) => door.leave(provider.name, query.returnTo, facts, reply),
          }),
          route({
            does: 'Come back from the identity provider',
            method: 'GET',
            path: '/auth/web/callback',
            needs: 'anyone',
            answersItself: true,
            handle: async ({ request, facts, reply }) => {
              const back = { url: request.url, cookies: request.headers.cookie }
              await door.comeBack(provider.name, back, facts, reply)
            },
          }),
        ]
  return [
    ...web,
    route({
      does: 'Show the page where one signs out',
      method: 'GET',
      path: '/auth/web/logout',
      needs: 'anyone',
      answersItself: true,
      // A link must not sign anybody out: any page could hold one.
      handle: ({ reply }) => Promise.resolve(reply.redirect('/account', 302)),
    }),
    route({
      does: 'Sign out',
      method: 'POST',
      path: '/auth/web/logout',
      needs: 'signed-in',
      factor: 'before',
      handle: async ({ who, facts, reply }) => {
        await endSessions(who, { only: who.sessionId }, facts)
        reply.header('set-cookie', clearedCookies(isSecure))
        return { status: 'signed out' }
      },
    }),
    ...cliPageRoutes(cli),
    route({
      does: 'Begin the sign-in of a command line',
      method: 'POST',
      path: '/auth/cli/start',
      needs: 'anyone',
      bodyBytesMax: 4096,
      handle: async ({ facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { page, state, verifier } = await cli.begin('Rack Gateway command line', facts)
        return { auth_url: page, state, code_verifier: verifier }
      },
    }),
    route({
      does: 'Fetch the session of a command line once it was let in',
      method: 'POST',
      path: '/auth/cli/complete',
      needs: 'anyone',
      bodyBytesMax: 4096,
      body: completion,
      answersItself: true,
      handle: async ({ body, facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { state = '', code_verifier: verifier = '', device_id: deviceId, device_name: deviceName } = body
        if (state === '' || verifier === '') return reply.code(400).send({ error: 'invalid request' })
        const done = await cli.complete(state, verifier, deviceName, facts).catch((cause: unknown) => {
          if (cause instanceof Problem && cause.kind.status === 404) return undefined
          throw cause
        })
        if (!done) return reply.code(400).send({ error: 'invalid or expired state' })
        if (done.is === 'pending') return reply.code(202).send({ status: 'pending' })
        if (done.is === 'denied') return reply.code(401).send({ error: 'user not authorized' })
        const { begun, person, isVerified } = done
        return reply.code(200).send({
          token: begun.token,
          email: person.email,
          name: person.name,
          expires_at: begun.expiresAt.toISOString(),
          session_id: await findWireNo(db, begun.id),
          channel: 'cli',
          device_id: deviceId ?? begun.id,
          device_name: deviceName ?? '',
          mfa_verified: isVerified,
          // Whoever had a second factor has proven it before the page let the command line in.
          mfa_required: false,
          enrollment_required: false,
        })
      },
    }),
  ]
}
