import { randomToken } from '../../kernel/crypto.ts'
import { isUniqueViolation, type Tx } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import { demandStepUp, type Person, type RequestFacts } from '../roles/index.ts'
import type { Lifted } from '../sessions/index.ts'
import { actorOf } from '../trail/index.ts'
import { digestsOfCode, newBackupCodes } from './backup-codes.ts'
import { wrong } from './factor.ts'
import type { FactorNeeds } from './factor-needs.ts'
import {
  confirmFactor,
  deleteUnconfirmed,
  findFactor,
  insertFactor,
  listFactors,
  type NewFactor,
} from './factors-table.ts'
import { checkEnrollment, enrollOptions } from './passkeys.ts'
import { holdState, insertChallenge, replaceBackupCodes, takeChallenge, useStep } from './proofs-tables.ts'
import { newTotpSecret, openSecret, sealSecret, stepOf, totpUri } from './totp.ts'
import { readYubicoOtp } from './yubico.ts'

export type Enrolled = {
  readonly id: string
  /** With the first factor only. */
  readonly backupCodes: readonly string[] | null
  readonly lifted: Lifted
  readonly at: Date
}

const factorsMax = 20
const challengeMs = 300_000

/** Adds factors. Once one is confirmed, adding another needs a session that proved one lately. */
export function enrollFactors(needs: FactorNeeds) {
  const { kernel, keyrings, recordAct, attempt, proveSession, rp, yubico } = needs
  const { db, clock, newId } = kernel

  const room = async (who: Person): Promise<void> => {
    mayEnroll(who)
    const factors = await listFactors(db, who.tenant, who.id)
    if (factors.length >= factorsMax)
      throw new Problem(problems.conflict, `You have ${factorsMax} factors already. Remove one first.`)
  }

  /** In the transaction that made the factor count: codes for the first one, the session lifted, the entry written. */
  const enrolled = async (
    tx: Tx,
    who: Person,
    made: Pick<NewFactor, 'id' | 'kind' | 'label'> & { readonly registration?: NewFactor['registration'] },
    facts: RequestFacts,
    at: Date,
  ): Promise<Enrolled> => {
    const isFirst = (await listFactors(tx, who.tenant, who.id)).length === 1
    // Somebody who raced this one to the first factor has proven nothing to this session.
    if (!isFirst) mayAddAnother(who)
    const codes = isFirst ? newBackupCodes() : null
    if (codes) {
      const digests = codes.flatMap((code) => digestsOfCode(keyrings.keyring, who.tenant, who.id, code).slice(0, 1))
      await replaceBackupCodes(tx, who.tenant, who.id, digests, at)
    }
    const { public_key: publicKey = null } = made.registration ?? {}
    await recordAct(tx, {
      ...actorOf(who),
      tenant: who.tenant,
      act: 'factor.added',
      subject: { kind: 'factor', id: made.id },
      request: facts,
      details: {
        kind: made.kind,
        person: who.id,
        ...(typeof publicKey === 'string' && { registration: JSON.parse(JSON.stringify(made.registration)) }),
      },
      personal: { ...actorOf(who).personal, subject: { label: made.label } },
    })
    const lifted = await proveSession(tx, who, 'factor', at)
    await kernel.bus.announce(tx, { topic: 'person.changed', tenant: who.tenant, body: { person_id: who.id } })
    return { id: made.id, backupCodes: codes, lifted, at }
  }

  return {
    startTotp: async (who: Person, label: string) => {
      await room(who)
      const secret = newTotpSecret()
      const id = newId()
      await db.inTx(async (tx) => {
        await deleteUnconfirmed(tx, who.tenant, who.id)
        await insertFactor(tx, {
          ...blank(who, id, label, clock.now()),
          kind: 'totp',
          confirmedAt: null,
          sealedSecret: sealSecret(keyrings.sealing, who.tenant, id, secret.bytes),
        })
      })
      return { id, secret: secret.base32, uri: totpUri(secret.bytes, rp.name, who.email) }
    },

    confirmTotp: async (
      who: Person,
      id: string,
      code: string,
      facts: RequestFacts,
      label?: string,
    ): Promise<Enrolled> => {
      mayEnroll(who)
      return attempt(
        who,
        facts,
        async (tx, _state, now) => {
          const factor = await findFactor(tx, who.tenant, who.id, id)
          if (!factor?.sealedSecret || factor.confirmedAt !== null)
            throw notFound('authenticator app that waits to be confirmed')
          const step = stepOf(openSecret(keyrings.sealing, who.tenant, id, factor.sealedSecret), code.trim(), now)
          if (step === undefined) return wrong('invalid_code')
          // Confirming uses the code up as well: it must not open anything a second time.
          if (!(await useStep(tx, who.tenant, who.id, step, now))) return wrong('replay_detected')
          return { isRight: true, factor: id, kind: 'totp' }
        },
        async (tx, _factor, now) => {
          if (!(await confirmFactor(tx, who.tenant, id, now, label)))
            throw notFound('authenticator app that waits to be confirmed')
          const factor = await findFactor(tx, who.tenant, who.id, id)
          return enrolled(tx, who, { id, kind: 'totp', label: label ?? factor?.label ?? '' }, facts, now)
        },
      )
    },

    startPasskey: async (who: Person) => {
      await room(who)
      const challenge = randomToken()
      const id = newId()
      const { userHandle, factors, wireNo } = await db.inTx(async (tx) => {
        const state = await holdState(tx, who.tenant, who.id, randomToken())
        const wireNo = await insertChallenge(tx, {
          tenant: who.tenant,
          id,
          person: who.id,
          session: who.sessionId,
          purpose: 'enroll',
          challenge,
          content: null,
          expiresAt: new Date(clock.now().getTime() + challengeMs),
        })
        return { userHandle: state.userHandle, factors: await listFactors(tx, who.tenant, who.id), wireNo }
      })
      const { email, name } = who
      return {
        id,
        wireNo,
        options: await enrollOptions({ rp, challenge, factors, userHandle, email, name: name || email }),
      }
    },

    confirmPasskey: async (
      who: Person,
      given: {
        readonly challengeId: string
        readonly label: string
        readonly credential: Readonly<Record<string, unknown>>
      },
      facts: RequestFacts,
    ): Promise<Enrolled> => {
      mayEnroll(who)
      const of = {
        tenant: who.tenant,
        id: given.challengeId,
        person: who.id,
        session: who.sessionId,
        purpose: 'enroll' as const,
      }
      const taken = await takeChallenge(db, of, clock.now())
      if (!taken) throw invalidInput('body.challenge_id', 'This was answered already, or too late. Start again.')
      const made = await checkEnrollment(rp, taken.challenge, given.credential)
      if (!made) throw invalidInput('body.credential', 'This is not a passkey made for this question and this address.')
      const { aaguid, deviceType, attestation, ...key } = made
      return db.inTx(async (tx) => {
        const at = clock.now()
        await holdState(tx, who.tenant, who.id, randomToken())
        const id = newId()
        const registration = {
          credential_id: key.credentialId,
          public_key: key.publicKey,
          rp_id: rp.id,
          registered_at: at.toISOString(),
          aaguid,
          device_type: deviceType,
          attestation,
        }
        const factor = { ...blank(who, id, given.label, at), ...key, kind: 'passkey' as const, registration }
        await inserted(tx, { ...factor, algorithm: null })
        return enrolled(tx, who, { id, kind: 'passkey', label: given.label, registration }, facts, at)
      })
    },

    addYubico: async (who: Person, typed: string, label: string, facts: RequestFacts): Promise<Enrolled> => {
      await room(who)
      if (!yubico) throw new Problem(problems.unavailable, 'Yubico keys are not set up on this server.')
      const otp = readYubicoOtp(typed)
      // Asked before the person's row is held: the service may take seconds.
      const identity = otp === undefined ? undefined : await yubico(otp)
      return attempt(
        who,
        facts,
        () =>
          Promise.resolve(
            identity === undefined ? wrong('invalid_code') : { isRight: true, factor: identity, kind: 'yubico' },
          ),
        async (tx, factor, at) => {
          const id = newId()
          await inserted(tx, { ...blank(who, id, label, at), kind: 'yubico', credentialId: `yubico:${factor.factor}` })
          return enrolled(tx, who, { id, kind: 'yubico', label }, facts, at)
        },
      )
    },
  }
}

/** The first factor needs the password of somebody who has one, typed lately; every other one a factor, proven lately. */
function mayEnroll(who: Person): void {
  if (who.factors.isEnrolled) return mayAddAnother(who)
  if (who.factors.hasPassword) demandStepUp(who)
}

function mayAddAnother(who: Person): void {
  const { isEnrolled, isVerified } = who.factors
  if (!isEnrolled || !isVerified)
    throw new Problem(problems.mfaRequired, 'Complete the sign-in with your second factor first.')
  demandStepUp(who)
}

async function inserted(tx: Tx, factor: NewFactor): Promise<void> {
  await insertFactor(tx, factor).catch((cause: unknown) => {
    if (!isUniqueViolation(cause)) throw cause
    throw new Problem(problems.conflict, 'This key is somebody’s factor already.', { cause })
  })
}

function blank(who: Person, id: string, label: string, at: Date): Omit<NewFactor, 'kind'> {
  return {
    tenant: who.tenant,
    id,
    person: who.id,
    label,
    madeAt: at,
    confirmedAt: at,
    sealedSecret: null,
    credentialId: null,
    publicKey: null,
    algorithm: null,
    counter: null,
    transports: null,
    isBackedUp: null,
    registration: null,
  }
}
