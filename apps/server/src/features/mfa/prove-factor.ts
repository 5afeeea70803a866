import { passwordMatches, randomToken } from '../../kernel/crypto.ts'
import type { Sql, Tx } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { findPerson } from '../people/index.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import type { Lifted } from '../sessions/index.ts'
import { digestsOfCode, readBackupCode } from './backup-codes.ts'
import { type Checked, wrong } from './factor.ts'
import type { FactorNeeds } from './factor-needs.ts'
import { advanceCounter, listFactors, noteUse } from './factors-table.ts'
import { assertOptions, checkAssertion } from './passkeys.ts'
import { insertChallenge, takeChallenge, useBackupCode, useStep } from './proofs-tables.ts'
import { openSecret, stepOf } from './totp.ts'
import { readYubicoOtp } from './yubico.ts'

export type Proven = { readonly at: Date; readonly lifted: Lifted; readonly kind: string }
export type Assertion = { readonly challengeId: string; readonly credential: Readonly<Record<string, unknown>> }

const challengeMs = 300_000

export type ProveFactors = ReturnType<typeof proveFactors>

/** Proves a factor one has: at sign-in, for a fresh step-up, or along with a single request. */
export function proveFactors(needs: FactorNeeds) {
  const { kernel, keyrings, attempt, proveSession, rp, yubico } = needs
  const { db, clock, newId } = kernel

  const lift =
    (who: Person) =>
    async (tx: Tx, factor: { readonly kind: string }, at: Date): Promise<Proven> => ({
      at,
      kind: factor.kind,
      lifted: await proveSession(tx, who, 'factor', at),
    })

  /** A code of an authenticator app, a backup code, or what a Yubico key types: told apart by their form. */
  const code = async (who: Person, typed: string, facts: RequestFacts): Promise<Proven> => {
    const otp = readYubicoOtp(typed)
    const identity = otp !== undefined && yubico ? await yubico(otp) : undefined
    return attempt(
      who,
      facts,
      async (tx, _state, now) => {
        if (otp !== undefined) return checkYubico(tx, who, identity, now)
        const backup = readBackupCode(typed)
        if (backup === undefined) return checkTotp(tx, who, typed.replaceAll(' ', ''), now)
        const digests = digestsOfCode(keyrings.keyring, who.tenant, who.id, backup)
        const isRight = await useBackupCode(tx, who.tenant, who.id, digests, now)
        return isRight ? { isRight, factor: 'backup_code', kind: 'backup_code' } : wrong('invalid_code')
      },
      lift(who),
    )
  }

  const checkTotp = async (tx: Tx, who: Person, typed: string, now: Date): Promise<Checked> => {
    for (const { id, sealedSecret } of await listFactors(tx, who.tenant, who.id)) {
      if (sealedSecret === null) continue
      const step = stepOf(openSecret(keyrings.sealing, who.tenant, id, sealedSecret), typed, now)
      if (step === undefined) continue
      if (!(await useStep(tx, who.tenant, who.id, step, now))) return wrong('replay_detected')
      await noteUse(tx, who.tenant, id, now)
      return { isRight: true, factor: id, kind: 'totp' }
    }
    return wrong('invalid_code')
  }

  const checkYubico = async (tx: Tx, who: Person, identity: string | undefined, now: Date): Promise<Checked> => {
    const factors = await listFactors(tx, who.tenant, who.id)
    const factor = factors.find(({ credentialId }) => identity !== undefined && credentialId === `yubico:${identity}`)
    if (!factor) return wrong('invalid_code')
    await noteUse(tx, who.tenant, factor.id, now)
    return { isRight: true, factor: factor.id, kind: 'yubico' }
  }

  /** Checks a passkey's answer to a challenge that was given out for this session and purpose, and takes the challenge. */
  const checkPasskey = async (
    tx: Tx,
    who: Person,
    { challengeId, credential }: Assertion,
    purpose: 'verify' | 'countersign',
    now: Date,
  ): Promise<Checked & { readonly content?: string | null }> => {
    const of = { tenant: who.tenant, id: challengeId, person: who.id, session: who.sessionId, purpose }
    const taken = await takeChallenge(tx, of, now)
    if (!taken) return wrong('invalid_challenge')
    const factors = await listFactors(tx, who.tenant, who.id)
    const factor = factors.find(({ credentialId }) => credentialId !== null && credentialId === credential['id'])
    if (factor?.kind !== 'passkey') return wrong('invalid_credential')
    const checked = await checkAssertion(rp, taken.challenge, factor, credential)
    if (!checked) return wrong('invalid_credential')
    const isForward = await advanceCounter(tx, who.tenant, factor.id, checked.counter, now)
    if (!isForward) return wrong('counter_regressed')
    return { isRight: true, factor: factor.id, kind: 'passkey', content: taken.content }
  }

  /** Gives out a challenge for the passkeys of a person. `content` is what a countersignature is about. */
  const challenge = async (
    tx: Sql,
    who: Person,
    about:
      | { readonly purpose: 'verify'; readonly ofCli?: boolean }
      | { readonly purpose: 'countersign'; readonly challenge: string; readonly content: string },
  ) => {
    const all = await listFactors(tx, who.tenant, who.id)
    const ofCli = about.purpose === 'verify' && about.ofCli === true
    const factors = ofCli ? all.filter(({ cliCapable }) => cliCapable) : all
    if (!factors.some(({ kind }) => kind === 'passkey'))
      throw new Problem(problems.conflict, 'You have no passkey. Add one under Account & security.')
    const id = newId()
    const text = about.purpose === 'countersign' ? about.challenge : randomToken()
    await insertChallenge(tx, {
      tenant: who.tenant,
      id,
      person: who.id,
      session: who.sessionId,
      purpose: about.purpose,
      challenge: text,
      content: about.purpose === 'countersign' ? about.content : null,
      expiresAt: new Date(clock.now().getTime() + challengeMs),
    })
    return { id, options: await assertOptions({ rp, challenge: text, factors }) }
  }

  return {
    code,
    /** Of a command line: only the keys it can reach, which a browser's own passkeys are not. */
    startPasskey: (who: Person, from: { readonly ofCli?: boolean } = {}) =>
      challenge(db, who, { purpose: 'verify', ...from }),
    passkey: (who: Person, assertion: Assertion, facts: RequestFacts): Promise<Proven> =>
      attempt(who, facts, (tx, _state, now) => checkPasskey(tx, who, assertion, 'verify', now), lift(who)),
    /** For acts of other features that are themselves signed with a passkey. */
    challenge,
    checkPasskey,

    /** The password again, by somebody who has no factor: the only thing they can prove. */
    password: async (who: Person, password: string, facts: RequestFacts): Promise<Proven> => {
      if (who.factors.isEnrolled)
        throw new Problem(problems.mfaStepUpRequired, 'You have a second factor: the password does not replace it.')
      const person = await findPerson(db, who.tenant, who.id)
      const hash = person?.passwordHash
      if (!hash) throw new Problem(problems.mfaEnrollmentRequired, 'You have no password here. Add a second factor.')
      const isRight = !password.includes('\0') && (await passwordMatches(password, hash))
      return attempt(
        who,
        facts,
        () =>
          Promise.resolve(isRight ? { isRight: true, factor: 'password', kind: 'password' } : wrong('wrong_password')),
        async (tx, { kind }, at) => ({ at, kind, lifted: await proveSession(tx, who, 'password', at) }),
      )
    },
  }
}
