import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bus } from '../../kernel/bus.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { type Person, type ProvenFactors, permissionsOf } from '../roles/index.ts'
import { tokenIn } from './session-cookie.ts'
import { findLiveSession, type LiveSession, touchSession } from './sessions-table.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly keyring: Keyring
  readonly bus: Pick<Bus, 'on' | 'isProven'>
  readonly idleMs: number
  readonly stepUpMinutes: (tenant: string) => Promise<number>
}

type Known = { readonly session: LiveSession; readAt: number; touchedAt: number }

/** How long a session that was read is believed without asking again, while the bus would tell of its end. */
const believedMs = 5_000
/** How stale `last_seen_at` may be at most: writing it on every request would make each one a transaction. */
const touchMsMax = 60_000
const knownMax = 10_000

/** A factor proven for one act must be used within this time. */
export const unspentMs = 120_000

export type SessionReader = {
  readonly person: (request: FastifyRequest) => Promise<Person | undefined>
  /** Asks the database again, for streams that live long. */
  readonly isLive: (request: FastifyRequest) => Promise<boolean>
  readonly expiresAt: (request: FastifyRequest) => Date | undefined
}

/**
 * Finds the person behind a cookie. What was read is kept for a few seconds; the end of a session is told over the
 * bus and forgets it at once, and while the bus is not proven alive nothing is kept.
 */
export function authenticatePerson({ db, clock, keyring, bus, idleMs, stepUpMinutes }: Needs): SessionReader {
  const known = new Map<string, Known>()
  // A session that may be idle for a minute must not end in the middle of its use.
  const touchMs = Math.min(touchMsMax, idleMs / 4)
  const forget = (isMeant: (session: LiveSession) => boolean): void => {
    for (const [token, { session }] of known) if (isMeant(session)) known.delete(token)
  }
  for (const topic of ['session.ended', 'session.changed'])
    bus.on(topic, ({ body }) => {
      forget(({ id }) => id === body['session_id'])
    })
  bus.on('person.changed', ({ body }) => {
    forget(({ person }) => person === body['person_id'])
  })

  bus.on('settings.changed', ({ tenant }) => {
    forget((session) => session.tenant === tenant)
  })

  const read = async (token: string, isUse: boolean): Promise<LiveSession | undefined> => {
    const now = clock.now()
    const kept = known.get(token)
    if (kept && bus.isProven() && now.getTime() - kept.readAt < believedMs && kept.session.expiresAt > now) {
      if (isUse) await touch(kept, now)
      return kept.session
    }
    known.delete(token)
    const session = await findLiveSession(db, keyring.digests('session-token', token), now, idleMs)
    if (!session) return undefined
    const fresh = { session, readAt: now.getTime(), touchedAt: session.lastSeenAt.getTime() }
    if (known.size >= knownMax) known.clear()
    known.set(token, fresh)
    if (isUse) await touch(fresh, now)
    return session
  }

  const touch = async (kept: Known, now: Date): Promise<void> => {
    if (now.getTime() - kept.touchedAt < touchMs) return
    kept.touchedAt = now.getTime()
    await touchSession(db, kept.session.tenant, kept.session.id, now)
  }

  return {
    person: async (request) => {
      const token = tokenIn(request.headers.cookie)
      if (token === undefined) return undefined
      // What a page refreshes by itself is no sign of a person: an unattended one must not keep its session alive.
      const isUse = request.headers['x-countersign-background'] === undefined
      const session = await read(token, isUse)
      if (!session) throw new Problem(problems.notSignedIn, 'Session expired or invalid.')
      return {
        is: 'person',
        tenant: session.tenant,
        id: session.person,
        email: session.email,
        name: session.name,
        role: session.role,
        sessionId: session.id,
        factors: provenIn(session, clock.now(), await stepUpMinutes(session.tenant)),
        permissions: permissionsOf(session.role),
      }
    },
    isLive: async (request) => {
      const token = tokenIn(request.headers.cookie)
      if (token === undefined) return false
      return (await findLiveSession(db, keyring.digests('session-token', token), clock.now(), idleMs)) !== undefined
    },
    expiresAt: (request) => known.get(tokenIn(request.headers.cookie) ?? '')?.session.expiresAt,
  }
}

/** A proof counts for the account as it is now: a password typed before a factor was added is not a factor. */
function provenIn(session: LiveSession, now: Date, stepUpMinutes: number): ProvenFactors {
  const isSince = (at: Date | null, ms: number): boolean => at !== null && now.getTime() - at.getTime() < ms
  const isVerified = session.verifiedAt !== null
  return {
    isEnrolled: session.isEnrolled,
    isRequired: session.isRequired,
    isVerified,
    isSteppedUp: isSince(session.steppedUpAt, stepUpMinutes * 60_000) && (isVerified || !session.isEnrolled),
    isUnspent: isVerified && isSince(session.unspentAt, unspentMs),
    hasPassword: session.hasPassword,
  }
}

type RenewNeeds = {
  readonly clock: { readonly now: () => Date }
  readonly sessions: SessionReader
  readonly cookie: (token: string, maxAgeSeconds: number) => string
}

/** Sends the cookie again while it is used, so that the browser keeps it as long as we keep the session. */
export function renewCookie({ clock, sessions, cookie }: RenewNeeds) {
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const token = tokenIn(request.headers.cookie)
    const expiresAt = sessions.expiresAt(request)
    if (token === undefined || expiresAt === undefined || reply.hasHeader('set-cookie')) return
    reply.header('set-cookie', cookie(token, (expiresAt.getTime() - clock.now().getTime()) / 1000))
  }
}
