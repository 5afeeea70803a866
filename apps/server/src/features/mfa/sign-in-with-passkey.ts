import { type Keyring, randomToken } from '../../kernel/crypto.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import { findPerson, isActive } from '../people/index.ts'
import type { RequestFacts } from '../roles/index.ts'
import { type Begun, insertAttempt, type StartSession, takeAttempt } from '../sessions/index.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { advanceCounter, findPasskeyOwner } from './factors-table.ts'
import { assertOptions, checkAssertion } from './passkeys.ts'
import type { Assertion } from './prove-factor.ts'

type Needs = {
  readonly kernel: Pick<FactorNeeds['kernel'], 'db' | 'clock' | 'newId'>
  readonly keyrings: {
    readonly keyring: Pick<Keyring, 'digest' | 'digests'>
    readonly sealing: Pick<Keyring, 'seal' | 'unseal'>
  }
  readonly recordAct: FactorNeeds['recordAct']
  readonly rp: FactorNeeds['rp']
  readonly start: StartSession
  readonly takeFromLimit: TakeFromLimit
  /** Where only identity providers let people in, a passkey of ours does not. */
  readonly takesPassword: (tenant: string) => Promise<boolean>
}

const attemptMs = 300_000
/** Stands where the name of an identity provider stands for others; no provider may have it. */
const way = 'passkey'

/**
 * A passkey that knows its user is both steps of a sign-in at once: it is something one has, opened by something one
 * knows or is. Nobody names themselves before, so nobody learns from the answer whether somebody has one.
 */
export function signInWithPasskey({ kernel, keyrings, recordAct, rp, start, takeFromLimit, takesPassword }: Needs) {
  const { db, clock, newId } = kernel
  const { keyring, sealing } = keyrings

  const limit = async (scope: string, { address }: RequestFacts, max: number): Promise<void> => {
    const { isAllowed, retryAfterSeconds } = await takeFromLimit({ scope, subject: address, max, windowSeconds: 300 })
    if (!isAllowed)
      throw new Problem(problems.tooManyRequests, 'Too many login attempts. Please try again later.', {
        retryAfterSeconds,
      })
  }

  const refuse = async (
    reason: string,
    facts: RequestFacts,
    owner?: { readonly tenant: string; readonly person: string },
  ): Promise<never> => {
    await db.inTx((tx) =>
      recordAct(tx, {
        tenant: owner?.tenant ?? null,
        act: 'session.refused',
        outcome: 'refused',
        actor: { kind: 'anyone', id: '-' },
        subject: owner ? { kind: 'person', id: owner.person } : { kind: 'passkey', id: '-' },
        request: facts,
        details: { reason, way },
      }),
    )
    throw new Problem(problems.wrongCredentials, 'This passkey lets nobody in here. Sign in another way.')
  }

  return {
    begin: async (facts: RequestFacts) => {
      await limit('passkey-challenge-address', facts, 60)
      const state = randomToken()
      const challenge = randomToken()
      const id = newId()
      const madeAt = clock.now()
      await insertAttempt(db, {
        id,
        way,
        stateDigest: keyring.digest('sign-in-state', state),
        sealed: sealing.seal('sign-in-state', id, Buffer.from(challenge)),
        madeAt,
        expiresAt: new Date(madeAt.getTime() + attemptMs),
      })
      return { id: state, options: await assertOptions({ rp, challenge, factors: [] }) }
    },

    finish: async ({ challengeId, credential }: Assertion, facts: RequestFacts): Promise<Begun> => {
      await limit('passkey-sign-in-address', facts, 30)
      // Taken whatever comes of it: an answer is looked at once.
      const taken = await takeAttempt(db, keyring.digests('sign-in-state', challengeId), clock.now())
      if (taken?.way !== way) return refuse('invalid_challenge', facts)
      const challenge = sealing.unseal('sign-in-state', taken.id, taken.sealed).toString()
      const owner = await findPasskeyOwner(db, String(credential['id']))
      if (!owner) return refuse('invalid_credential', facts)
      const checked = await checkAssertion(rp, challenge, owner.factor, credential)
      // Until the signature holds, whose passkey was named is only what a stranger says.
      if (!checked) return refuse('invalid_credential', facts)
      if (handleIn(credential) !== owner.userHandle) return refuse('invalid_credential', facts, owner)
      const person = await findPerson(db, owner.tenant, owner.person)
      if (!person || !isActive(person, clock.now())) return refuse('inactive', facts, owner)
      if (!(await takesPassword(owner.tenant))) return refuse('only identity providers let people in', facts, owner)
      const begun = await db.inTx(async (tx) => {
        const now = clock.now()
        if (!(await advanceCounter(tx, owner.tenant, owner.factor.id, checked.counter, now))) return undefined
        return start(tx, { person, credential: way, verifiedAt: now, steppedUpAt: now, facts })
      })
      return begun ?? refuse('counter_regressed', facts, owner)
    },
  }
}

/** Whom the passkey itself says it belongs to; one that does not say is not enough alone. */
function handleIn(credential: Readonly<Record<string, unknown>>): string | undefined {
  const { response } = credential
  if (typeof response !== 'object' || response === null || !('userHandle' in response)) return undefined
  return typeof response.userHandle === 'string' ? response.userHandle : undefined
}
