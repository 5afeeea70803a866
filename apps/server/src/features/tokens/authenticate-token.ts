import { isPermission, permissionRows } from '@countersign/wire'
import type { FastifyRequest } from 'fastify'
import type { Bus } from '../../kernel/bus.ts'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import { digestRenewals } from '../../kernel/digest-renewals.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import { authorityOfList, type Token } from '../roles/index.ts'
import { tokenPattern } from './token-text.ts'
import { findPresentedToken, type LiveToken, noteTokenUses } from './tokens-table.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly keyring: Keyring
  readonly bus: Pick<Bus, 'on' | 'isProven'>
  readonly takeFromLimit: TakeFromLimit
}

type Known = { readonly token: LiveToken; readonly principal: Token; readonly endsAt: number; readonly readAt: number }

const believedMs = 5_000
const knownMax = 10_000
/** Wrong tokens one address may present in a minute; right ones are not counted. */
const failuresMax = 60

export type TokenReader = {
  /** The machine that presents this text; throws when it is not worth anything. */
  readonly read: (text: string, request: FastifyRequest) => Promise<Token>
  readonly flushUses: () => Promise<void>
}

/** Finds the token behind a header. What was read is believed for seconds, while the bus would tell of its end. */
export function authenticateToken({ db, clock, keyring, bus, takeFromLimit }: Needs): TokenReader {
  const known = new Map<string, Known>()
  let uses = new Map<string, { tenant: string; id: string; at: Date }>()
  const renewals = digestRenewals(db, 'api_token_secrets')
  let changes = 0
  const forget = (isMeant: (token: LiveToken) => boolean): void => {
    changes += 1
    for (const [text, { token }] of known) if (isMeant(token)) known.delete(text)
  }
  bus.on('token.changed', ({ body }) => {
    forget(({ id }) => id === body['token_id'])
  })
  bus.on('person.changed', ({ body }) => {
    forget(({ ownerId }) => ownerId === body['person_id'])
  })
  bus.on('environment.changed', ({ tenant }) => {
    forget((token) => token.tenant === tenant)
  })

  const look = async (text: string, now: Date): Promise<Known> => {
    const digests = keyring.digests('api-token', text)
    const token = await findPresentedToken(db, digests, now)
    if (!token || token.revokedAt) throw refused('invalid or revoked token')
    const ends = [token.expiresAt, token.secretEndsAt].map((end) => end?.getTime() ?? Number.POSITIVE_INFINITY)
    const endsAt = Math.min(...ends)
    if (endsAt <= now.getTime()) throw refused('token has expired')
    if (!token.isOwnerActive) throw refused('the token’s owner may not sign in')
    renewals.note({ tenant: token.tenant, id: token.secret.id, was: token.secret.digest }, digests[0])
    return { token, principal: principalOf(token), endsAt, readAt: now.getTime() }
  }

  const find = async (text: string): Promise<Known> => {
    const now = clock.now()
    const kept = bus.isProven() ? known.get(text) : undefined
    if (kept && now.getTime() - kept.readAt < believedMs && kept.endsAt > now.getTime()) return kept
    known.delete(text)
    if (!tokenPattern.test(text)) throw refused('invalid or revoked token')
    const before = changes
    const found = await look(text, now)
    if (known.size >= knownMax) known.clear()
    // News that came while it was read may have been of this very token, and will not come again.
    if (before === changes) known.set(text, found)
    return found
  }

  return {
    read: async (text, request) => {
      try {
        const { token, principal } = await find(text)
        uses.set(token.id, { tenant: token.tenant, id: token.id, at: clock.now() })
        return principal
      } catch (cause) {
        if (!(cause instanceof Problem)) throw cause
        const { isAllowed, retryAfterSeconds } = await takeFromLimit({
          scope: 'token-failures',
          subject: request.ip,
          max: failuresMax,
          windowSeconds: 60,
        })
        if (isAllowed) throw cause
        throw new Problem(problems.tooManyRequests, 'Too many wrong tokens came from this address. Wait a moment.', {
          retryAfterSeconds,
          cause,
        })
      }
    },
    flushUses: async () => {
      await renewals.flush()
      if (uses.size === 0) return
      const batch = [...uses.values()]
      uses = new Map()
      await noteTokenUses(db, batch)
    },
  }
}

/** Older command lines look for the words "token" and "expired" to tell people what to do. */
function refused(reason: string): Problem {
  return new Problem(problems.notSignedIn, `Authentication failed: invalid API token: ${reason}.`)
}

function principalOf({
  tenant,
  id,
  name,
  ownerId,
  prefix,
  permissions,
  environments,
  protectedEnvironments,
}: LiveToken): Token {
  const own = new Set(permissions.filter(isPermission).filter((one) => permissionRows[one].forTokens))
  const authority = authorityOfList(own, environments, protectedEnvironments)
  return { is: 'token', tenant, id, name, ownerId, prefix, ...authority }
}
