import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Bus } from '../../kernel/bus.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { authorityOf, credentialIn, type Person, type ProvenFactors } from '../roles/index.ts'
import { tokenIn } from './session-cookie.ts'
import { absoluteEndOf, hasEnded, type ReadSessionLimits } from './session-limits.ts'
import { findSession, type LiveSession, touchSession } from './sessions-table.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly keyring: Keyring
  readonly bus: Pick<Bus, 'on' | 'isProven'>
  readonly limitsOf: ReadSessionLimits
  readonly stepUpMinutes: (tenant: string) => Promise<number>
}

type Known = {
  readonly session: LiveSession
  readonly person: Omit<Person, 'factors'>
  readonly endsAt: Date
  readonly touchMs: number
  readAt: number
  touchedAt: number
}

/** How long a session that was read is believed without asking again, while the bus would tell of its end. */
const believedMs = 5_000
/** How stale `last_seen_at` may be at most: writing it on every request would make each one a transaction. */
const touchMsMax = 60_000
const knownMax = 10_000

/** A factor proven for one act must be used within this time. */
export const unspentMs = 120_000

export type SessionReader = {
  readonly person: (request: FastifyRequest) => Promise<Person | undefined>
  /** The person whose session a command line presents in its header. */
  readonly personOf: (token: string) => Promise<Person>
  /** Asks the database again, for streams that live long. */
  readonly isLive: (request: FastifyRequest) => Promise<boolean>
  readonly expiresAt: (request: FastifyRequest) => Date | undefined
}

/**
 * Finds the person behind a cookie. What was read is kept for a few seconds; the end of a session is told over the
 * bus and forgets it at once, and while the bus is not proven alive nothing is kept.
 */
export function authenticatePerson({ db, clock, keyring, bus, limitsOf, stepUpMinutes }: Needs): SessionReader {
  const known = new Map<string, Known>()
  const lookups = { changes: 0 }
  const forget = (isMeant: (session: LiveSession) => boolean): void => {
    lookups.changes += 1
    for (const [token, { session }] of known) if (isMeant(session)) known.delete(token)
  }
  for (const topic of ['session.ended', 'session.changed'] as const) {
    bus.on(topic, ({ body }) => {
      forget(({ id }) => id === body['session_id'])
    })
  }
  bus.on('person.changed', ({ body }) => {
    forget(({ person }) => person === body['person_id'])
  })
  // What everybody's permissions are made of, and how long everybody's sessions last.
  for (const topic of ['role.changed', 'environment.changed', 'settings.changed'] as const) {
    bus.on(topic, ({ tenant }) => {
      forget((session) => session.tenant === tenant)
    })
  }

  const read = async (token: string, isUse: boolean): Promise<Known | undefined> => {
    const now = clock.now()
    const kept = known.get(token)
    if (kept && bus.isProven() && now.getTime() - kept.readAt < believedMs && kept.endsAt > now) {
      if (isUse) await touch(kept, now)
      return kept
    }
    known.delete(token)
    const before = lookups.changes
    const fresh = await look(token, now)
    if (!fresh) return undefined
    if (known.size >= knownMax) known.clear()
    // News that came while it was read may have been of this very session, and will not come again.
    if (before === lookups.changes) known.set(token, fresh)
    if (isUse) await touch(fresh, now)
    return fresh
  }

  const look = async (token: string, now: Date): Promise<Known | undefined> => {
    const session = await findSession(db, keyring.digests('session-token', token), now)
    if (!session) return undefined
    const limits = await limitsOf(session.tenant)
    if (hasEnded(session, limits, now)) return undefined
    return {
      session,
      person: personOf(session),
      endsAt: absoluteEndOf(session, limits),
      // A session that may be idle for a minute must not end in the middle of its use.
      touchMs: Math.min(touchMsMax, limits.idleMs / 4),
      readAt: now.getTime(),
      touchedAt: session.lastSeenAt.getTime(),
    }
  }

  const touch = async (kept: Known, now: Date): Promise<void> => {
    if (now.getTime() - kept.touchedAt < kept.touchMs) return
    kept.touchedAt = now.getTime()
    await touchSession(db, kept.session.tenant, kept.session.id, now)
  }

  const must = async (token: string, isUse: boolean): Promise<Person> => {
    const found = await read(token, isUse)
    if (!found) throw new Problem(problems.notSignedIn, 'Session expired or invalid.')
    const { session, person } = found
    return { ...person, factors: provenIn(session, clock.now(), await stepUpMinutes(session.tenant)) }
  }

  return {
    person: async (request) => {
      const token = tokenIn(request.headers.cookie)
      if (token === undefined) return undefined
      // What a page refreshes by itself is no sign of a person: an unattended one must not keep its session alive.
      return must(token, request.headers['x-countersign-background'] === undefined)
    },
    personOf: (token) => must(token, true),
    isLive: async (request) => {
      const token = tokenIn(request.headers.cookie) ?? credentialIn(request.headers.authorization)?.token
      return token !== undefined && (await look(token, clock.now())) !== undefined
    },
    expiresAt: (request) => known.get(tokenIn(request.headers.cookie) ?? '')?.endsAt,
  }
}

function personOf(session: LiveSession): Omit<Person, 'factors'> {
  const { tenant, person: id, email, name, id: sessionId, grants, protectedEnvironments } = session
  return { is: 'person', tenant, id, email, name, sessionId, ...authorityOf(grants, protectedEnvironments) }
}

/** A proof counts for the account as it is now: a password typed before a factor was added is not a factor. */
function provenIn(session: LiveSession, now: Date, stepUpMinutes: number): ProvenFactors {
  const isSince = (at: Date | null, ms: number): boolean => at !== null && now.getTime() - at.getTime() < ms
  const isVerified = session.verifiedAt !== null
  const isSteppedUp = isSince(session.steppedUpAt, stepUpMinutes * 60_000) && (isVerified || !session.isEnrolled)
  return {
    isEnrolled: session.isEnrolled,
    isRequired: session.isRequired,
    isVerified,
    isSteppedUp,
    steppedUpUntil:
      isSteppedUp && session.steppedUpAt ? new Date(session.steppedUpAt.getTime() + stepUpMinutes * 60_000) : null,
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
