import type { Bus } from '../../kernel/bus.ts'
import { type Keyring, randomToken } from '../../kernel/crypto.ts'
import type { Tx } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { Person } from '../roles/index.ts'
import { replaceToken, stampProof } from './sessions-table.ts'

type Needs = { readonly keyring: Pick<Keyring, 'digest'>; readonly bus: Pick<Bus, 'announce'> }

/** A new cookie when the session was lifted: whoever saw the old token has nothing. */
export type Lifted = { readonly token: string; readonly expiresAt: Date } | null

export type ProveSession = (tx: Tx, who: Person, by: 'factor' | 'password', at: Date) => Promise<Lifted>

export type RotateSession = (tx: Tx, who: Person) => Promise<Lifted>

/** A new token for a browser whose person has just changed what opens their account; a command line keeps its own. */
export function rotateSession({ keyring, bus }: Needs): RotateSession {
  return async (tx, who) => {
    const token = randomToken()
    const tokenDigest = keyring.digest('session-token', token)
    const expiresAt = await replaceToken(tx, who.tenant, who.sessionId, tokenDigest)
    if (expiresAt === undefined) return null
    await bus.announce(tx, { topic: 'session.changed', tenant: who.tenant, body: { session_id: who.sessionId } })
    return { token, expiresAt }
  }
}

/** Writes into the session what its person has just proven. The first factor of a session replaces its token. */
export function proveSession({ keyring, bus }: Needs): ProveSession {
  return async (tx, who, by, at) => {
    const isFactor = by === 'factor'
    const token = isFactor && !who.factors.isVerified ? randomToken() : undefined
    const stamped = await stampProof(tx, who.tenant, who.sessionId, {
      at,
      isFactor,
      ...(token !== undefined && { tokenDigest: keyring.digest('session-token', token) }),
    })
    if (!stamped) throw new Problem(problems.notSignedIn, 'Session expired or invalid.')
    await bus.announce(tx, { topic: 'session.changed', tenant: who.tenant, body: { session_id: who.sessionId } })
    // A command line keeps the token it was given: it could not be told of a new one.
    return token === undefined || stamped.channel !== 'web' ? null : { token, expiresAt: stamped.expiresAt }
  }
}
