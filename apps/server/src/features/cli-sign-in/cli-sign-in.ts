import { type Keyring, randomToken } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import { findPerson, isActive } from '../people/index.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import type { Begun, StartSession } from '../sessions/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import {
  type CliSignIn,
  decideWaiting,
  findByState,
  findPresented,
  findWaiting,
  insertCliSignIn,
  takeDecided,
} from './cli-sign-ins-table.ts'
import { makeUserCode, readUserCode } from './user-code.ts'

type Needs = {
  readonly kernel: {
    readonly db: Db
    readonly clock: { readonly now: () => Date }
    readonly newId: () => string
    readonly keyring: Keyring
  }
  readonly baseUrl: string
  readonly takeFromLimit: TakeFromLimit
  readonly recordAct: RecordAct
  readonly start: StartSession
}

const cliSignInSeconds = 600

export type Started = {
  /** Together with the verifier, what the command line shows that it is the one that began. */
  readonly state: string
  readonly verifier: string
  readonly userCode: string
  /** Where a person looks at it and decides. */
  readonly page: string
  readonly expiresAt: Date
}

export type Completed =
  | { readonly is: 'pending' }
  | { readonly is: 'denied' }
  | {
      readonly is: 'signed in'
      readonly begun: Begun
      readonly person: { readonly email: string; readonly name: string }
      readonly isVerified: boolean
    }

export type CliSignIns = ReturnType<typeof cliSignIns>

/**
 * Lets a command line in through a browser (RFC 8628 in spirit): it waits, a person who is signed in sees which machine
 * asks and compares a code, and only then is there a session. Following somebody's link signs nobody in.
 */
export function cliSignIns({ kernel, baseUrl, takeFromLimit, recordAct, start }: Needs) {
  const { db, clock, newId, keyring } = kernel
  const digests = (what: 'state' | 'verifier' | 'code', text: string) =>
    keyring.digests('cli-sign-in', `${what}:${text}`)

  const pageOf = (userCode: string): string => `${baseUrl}/cli?code=${userCode}`

  const limit = async (scope: string, subject: string, max: number): Promise<void> => {
    const { isAllowed, retryAfterSeconds } = await takeFromLimit({ scope, subject, max, windowSeconds: 300 })
    if (!isAllowed)
      throw new Problem(problems.tooManyRequests, 'Too many attempts. Wait a moment.', { retryAfterSeconds })
  }

  const waiting = async (who: Person, typed: string): Promise<CliSignIn> => {
    // Codes are short: nobody may try many.
    await limit('cli-code', who.id, 30)
    const found = await findWaiting(db, digests('code', readUserCode(typed)), clock.now())
    if (!found)
      throw new Problem(problems.notFound, 'No command line waits with this code. It may have waited too long.')
    return found
  }

  return {
    begin: async (device: string, facts: RequestFacts): Promise<Started> => {
      await limit('cli-start', facts.address, 60)
      const [state, verifier, userCode] = [randomToken(), randomToken(64), makeUserCode()]
      const madeAt = clock.now()
      const expiresAt = new Date(madeAt.getTime() + cliSignInSeconds * 1000)
      const [stateDigest = '', verifierDigest = '', userCodeDigest = ''] = [
        digests('state', state)[0],
        digests('verifier', verifier)[0],
        digests('code', userCode)[0],
      ]
      await insertCliSignIn(db, {
        id: newId(),
        stateDigest,
        verifierDigest,
        userCode,
        userCodeDigest,
        device: device.slice(0, 150),
        address: facts.address,
        agent: facts.userAgent,
        madeAt,
        expiresAt,
      })
      return { state, verifier, userCode, page: pageOf(userCode), expiresAt }
    },

    look: waiting,

    /** Where the one who began it with this state is decided about, and whether it was. Nothing when none waits. */
    pageOfState: async (
      state: string,
      facts: RequestFacts,
    ): Promise<{ readonly page: string; readonly isApproved: boolean | null } | undefined> => {
      await limit('cli-complete', facts.address, 1500)
      const found = await findByState(db, digests('state', state), clock.now())
      return found && { page: pageOf(found.userCode), isApproved: found.isApproved }
    },

    decide: async (who: Person, typed: string, isApproved: boolean, facts: RequestFacts): Promise<void> => {
      const found = await waiting(who, typed)
      await db.inTx(async (tx) => {
        const at = clock.now()
        const verifiedAt = who.factors.isVerified ? at : null
        const decision = { tenant: who.tenant, person: who.id, isApproved, verifiedAt, at }
        if (!(await decideWaiting(tx, found.id, decision)))
          throw new Problem(problems.conflict, 'Somebody has decided this already, or it waited too long.')
        await recordAct(tx, {
          tenant: who.tenant,
          act: isApproved ? 'cli.approved' : 'cli.denied',
          ...actorOf(who),
          subject: { kind: 'cli_sign_in', id: found.id },
          request: facts,
          details: { device: found.device },
        })
      })
    },

    /** Asked again and again by the command line; whoever lacks either half learns nothing. */
    complete: async (
      state: string,
      verifier: string,
      device: string | undefined,
      facts: RequestFacts,
    ): Promise<Completed> => {
      await limit('cli-complete', facts.address, 1500)
      const now = clock.now()
      const presented = { state: digests('state', state), verifier: digests('verifier', verifier) }
      const found = await findPresented(db, presented, now)
      if (!found) throw new Problem(problems.notFound, 'This sign-in is unknown, was used, or waited too long.')
      if (found.isApproved === null) return { is: 'pending' }
      return db.inTx(async (tx): Promise<Completed> => {
        const taken = await takeDecided(tx, found.id, now)
        if (taken?.tenant == null || taken.person === null)
          throw new Problem(problems.notFound, 'This sign-in is unknown, was used, or waited too long.')
        const person = await findPerson(tx, taken.tenant, taken.person)
        if (!taken.isApproved || !person || !isActive(person, now)) return { is: 'denied' }
        const begun = await start(tx, {
          person,
          credential: 'cli',
          channel: 'cli',
          device: (device ?? taken.device).slice(0, 150),
          ...(taken.verifiedAt && { verifiedAt: taken.verifiedAt }),
          // Letting it in needed a fresh proof, which counts for what it was let in to do.
          ...(taken.decidedAt && { steppedUpAt: taken.decidedAt }),
          facts,
        })
        return { is: 'signed in', begun, person, isVerified: taken.verifiedAt !== null }
      })
    },
  }
}
