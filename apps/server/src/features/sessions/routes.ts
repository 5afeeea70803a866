import {
  endedSessions,
  idText,
  pageOf,
  passkeySignIn,
  passkeySignInOptions,
  passwordChange,
  sessionRow,
  sessionView,
  signInBody,
  Type,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import { listEnvironments } from '../environments/index.ts'
import { type Person, permittedIn, type RequestFacts, type Route, rolesInWords, route } from '../roles/index.ts'
import { findTenantName } from '../tenants/index.ts'
import type { EndSessions } from './end-sessions.ts'
import { clearedCookies } from './session-cookie.ts'
import type { ReadSessionLimits } from './session-limits.ts'
import { listSessions, type SessionRow } from './sessions-table.ts'
import type { changePassword, SignIn } from './sign-in.ts'

export type SessionRoutesNeeds = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly signIn: SignIn
  readonly endSessions: EndSessions
  /** The two ends of a sign-in with a passkey alone. */
  readonly passkeys: {
    readonly begin: (facts: RequestFacts) => Promise<{ readonly id: string; readonly options: object }>
    readonly finish: (
      answer: { readonly challengeId: string; readonly credential: Readonly<Record<string, unknown>> },
      facts: RequestFacts,
    ) => Promise<{ readonly token: string; readonly expiresAt: Date }>
  }
  readonly changePassword: ReturnType<typeof changePassword>
  readonly cookie: (token: string, maxAgeSeconds: number) => string
  readonly isSecure: boolean
  readonly limitsOf: ReadSessionLimits
  /** Whether somebody else removed the person's factors, and they have not taken note of it. */
  readonly factorsReset: (who: Person) => Promise<{ readonly at: Date; readonly by: string | null } | null>
  /** Links for administrators who could not get in that this person was not yet told of. */
  readonly recoveriesToTell: (who: Person) => Promise<readonly RecoveryToTell[]>
  readonly server: { readonly version: string; readonly base_url: string; readonly profile: string }
}

type RecoveryToTell = {
  readonly id: string
  readonly person: string
  readonly email: string
  readonly stage: 'made' | 'used'
  readonly at: Date
}

export function sessionRoutes(needs: SessionRoutesNeeds): readonly Route[] {
  const { db, clock, signIn, passkeys, endSessions, changePassword, cookie, isSecure, limitsOf } = needs
  const { factorsReset, recoveriesToTell, server } = needs
  const view = async (who: Person) => {
    const [tenantName = '', environments, { idleMs }, reset, recoveries] = await Promise.all([
      findTenantName(db, who.tenant),
      listEnvironments(db, who.tenant),
      limitsOf(who.tenant),
      factorsReset(who),
      recoveriesToTell(who),
    ])
    return {
      person: {
        id: who.id,
        email: who.email,
        name: who.name,
        role: rolesInWords(who.held),
        roles: who.held.map(({ role, environment, rack }) => ({ role, environment, rack })),
      },
      tenant: { id: who.tenant, name: tenantName },
      permissions: [...who.permissions],
      factors: {
        is_enrolled: who.factors.isEnrolled,
        is_required: who.factors.isRequired,
        is_verified: who.factors.isVerified,
        has_password: who.factors.hasPassword,
        was_reset: reset && { at: reset.at.toISOString(), by: reset.by },
      },
      permitted_in: permittedIn(
        who,
        environments.map(({ name }) => name),
      ),
      environments: environments.map(({ name, color, position, isProtected }) => ({
        name,
        color,
        position,
        is_protected: isProtected,
      })),
      recoveries: recoveries.map(({ id, person, email, stage, at }) => ({
        id,
        person: { id: person, email },
        stage,
        at: at.toISOString(),
      })),
      idle_seconds: idleMs / 1000,
      server,
    }
  }
  const secondsUntil = (end: Date): number => (end.getTime() - clock.now().getTime()) / 1000
  return [
    route({
      does: 'Tell who is signed in',
      method: 'GET',
      path: '/session',
      // Asking who one is, is how a page learns that nobody is signed in: no refusal to be kept in the trail.
      needs: 'anyone',
      answers: sessionView,
      handle: ({ who }) => {
        if (who?.is !== 'person') throw new Problem(problems.notSignedIn, 'Nobody is signed in.')
        return view(who)
      },
    }),
    route({
      does: 'Sign in',
      method: 'POST',
      path: '/session',
      needs: 'anyone',
      bodyBytesMax: 4096,
      body: signInBody,
      answers: Type.Object({ expires_at: Type.String() }),
      handle: async ({ body, facts, reply }) => {
        const { token, expiresAt } = await signIn(body.email, body.password, facts)
        reply.header('set-cookie', cookie(token, secondsUntil(expiresAt)))
        return { expires_at: expiresAt.toISOString() }
      },
    }),
    route({
      does: 'Get what a passkey signs to sign in with it alone',
      method: 'POST',
      path: '/sign-in/passkey/challenge',
      needs: 'anyone',
      answers: passkeySignInOptions,
      handle: async ({ facts, reply }) => {
        reply.header('cache-control', 'no-store')
        const { id, options } = await passkeys.begin(facts)
        return { challenge_id: id, options: { ...options } }
      },
    }),
    route({
      does: 'Sign in with a passkey alone',
      method: 'POST',
      path: '/sign-in/passkey',
      needs: 'anyone',
      bodyBytesMax: 32_768,
      body: passkeySignIn,
      answers: Type.Object({ expires_at: Type.String() }),
      handle: async ({ body: { challenge_id: challengeId, credential }, facts, reply }) => {
        const { token, expiresAt } = await passkeys.finish({ challengeId, credential }, facts)
        reply.header('set-cookie', cookie(token, secondsUntil(expiresAt)))
        return { expires_at: expiresAt.toISOString() }
      },
    }),
    route({
      does: 'Sign out',
      method: 'DELETE',
      path: '/session',
      needs: 'anyone',
      answers: endedSessions,
      handle: async ({ who, facts, reply }) => {
        reply.header('set-cookie', clearedCookies(isSecure))
        return { ended: who?.is === 'person' ? await endSessions(who, { only: who.sessionId }, facts) : 0 }
      },
    }),
    route({
      does: 'List one’s own sessions',
      method: 'GET',
      path: '/sessions',
      needs: 'signed-in',
      answers: pageOf(sessionRow),
      handle: async ({ who }) => {
        const rows = await listSessions(db, who.tenant, who.id, clock.now(), await limitsOf(who.tenant))
        return { items: rows.map((row) => sessionOnWire(row, who)), next_cursor: null }
      },
    }),
    route({
      does: 'End one of one’s own sessions',
      method: 'DELETE',
      path: '/sessions/:id',
      needs: 'signed-in',
      params: Type.Object({ id: idText }),
      answers: endedSessions,
      handle: async ({ who, params, facts }) => {
        const ended = await endSessions(who, { only: params.id }, facts)
        if (ended === 0) throw notFound('session')
        return { ended }
      },
    }),
    route({
      does: 'End all one’s other sessions',
      method: 'DELETE',
      path: '/sessions',
      needs: 'signed-in',
      answers: endedSessions,
      handle: async ({ who, facts }) => ({ ended: await endSessions(who, { except: who.sessionId }, facts) }),
    }),
    route({
      does: 'Change one’s own password',
      method: 'PUT',
      path: '/session/password',
      needs: 'signed-in',
      bodyBytesMax: 4096,
      body: passwordChange,
      answers: endedSessions,
      handle: async ({ who, body, facts, reply }) => {
        const { ended, lifted } = await changePassword(who, body.current_password, body.new_password, facts)
        if (lifted) reply.header('set-cookie', cookie(lifted.token, secondsUntil(lifted.expiresAt)))
        return { ended }
      },
    }),
  ]
}

export function sessionOnWire(row: SessionRow, who: Pick<Person, 'sessionId'>) {
  return {
    id: row.id,
    channel: row.channel,
    credential: row.credential,
    device: row.device,
    made_at: row.madeAt.toISOString(),
    last_seen_at: row.lastSeenAt.toISOString(),
    expires_at: row.expiresAt.toISOString(),
    address: row.address,
    user_agent: row.agent,
    is_current: row.id === who.sessionId,
  }
}
