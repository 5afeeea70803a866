import { randomToken } from '../../kernel/crypto.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { Checked } from './factor.ts'
import { holdState, type State, writeFailures } from './proofs-tables.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly recordAct: RecordAct
  readonly log: Pick<Log, 'error'>
}

/** Checks a proof inside the transaction that counts it. What `onRight` writes commits with the success. */
export type Attempt = <Result>(
  who: Person,
  facts: RequestFacts,
  check: (tx: Tx, state: State, now: Date) => Promise<Checked>,
  onRight: (tx: Tx, factor: Extract<Checked, { isRight: true }>, now: Date) => Promise<Result>,
) => Promise<Result>

/** As many may fail in a row without a wait: a mistyped code is no attack. */
const freeFailures = 3
const failuresToLock = 10
const lockMs = 15 * 60_000
/** A row of failures this old does not count any more. */
const forgetMs = 24 * 3_600_000

/**
 * What follows the `failures`th failure in a row: waits of 1, 2, 4 … seconds, then a lock that ends by itself, since a
 * lock that only an administrator ends would let anybody with the first factor lock the owner out.
 */
export function waitAfter(failures: number): { readonly ms: number; readonly isLock: boolean } {
  if (failures >= failuresToLock && failures % 5 === 0) {
    return { ms: lockMs * 2 ** Math.min((failures - failuresToLock) / 5, 4), isLock: true }
  }
  return { ms: failures <= freeFailures ? 0 : 1000 * 2 ** Math.min(failures - freeFailures - 1, 6), isLock: false }
}

/** Counts failures only, in PostgreSQL and with the person's row held, so that neither restarts nor races help to guess. */
export function makeAttempts({ db, clock, recordAct, log }: Needs): Attempt {
  return async (who, facts, check, onRight) => {
    const outcome = await db.inTx(async (tx) => {
      const now = clock.now()
      const state = await holdState(tx, who.tenant, who.id, randomToken())
      refuseTooEarly(state, now)
      const checked = await check(tx, state, now)
      const act = { ...actorOf(who), tenant: who.tenant, request: facts }
      const subject = { kind: 'person', id: who.id }
      if (checked.isRight) {
        await writeFailures(tx, who.tenant, who.id, { failures: 0, failedAt: null, nextTryAt: null, lockedUntil: null })
        await recordAct(tx, {
          ...act,
          subject,
          act: 'factor.proven',
          details: { factor: checked.factor, kind: checked.kind },
        })
        return { is: 'right', result: await onRight(tx, checked, now) } as const
      }
      const isOld = state.failedAt !== null && now.getTime() - state.failedAt.getTime() > forgetMs
      const failures = (isOld ? 0 : state.failures) + 1
      const { ms, isLock } = waitAfter(failures)
      const until = ms === 0 ? null : new Date(now.getTime() + ms)
      await writeFailures(tx, who.tenant, who.id, {
        failures,
        failedAt: now,
        nextTryAt: until,
        lockedUntil: isLock ? until : null,
      })
      const details = { why: checked.why, failures }
      await recordAct(tx, { ...act, subject, act: 'factor.refused', outcome: 'refused', details })
      if (isLock && until)
        await recordAct(tx, {
          ...act,
          subject,
          act: 'factor.locked',
          details: { until: until.toISOString(), failures },
        })
      return { is: 'wrong', why: checked.why, until, isLock } as const
    })
    if (outcome.is === 'right') return outcome.result
    if (outcome.why === 'counter_regressed') {
      log.error(
        { tenant: who.tenant, person: who.id },
        'A passkey signed with a counter that had been used: somebody may have a copy of it. Have it removed.',
      )
    }
    throw refused(outcome, clock.now())
  }
}

function refuseTooEarly({ lockedUntil, nextTryAt }: State, now: Date): void {
  for (const [until, isLock] of [
    [lockedUntil, true],
    [nextTryAt, false],
  ] as const) {
    if (until !== null && until > now) throw tooEarly(until, isLock, now)
  }
}

function tooEarly(until: Date, isLock: boolean, now: Date): Problem {
  const retryAfterSeconds = (until.getTime() - now.getTime()) / 1000
  const words = isLock
    ? `Too many attempts failed, so none is taken until ${until.toISOString()}. An administrator can unlock you sooner.`
    : `Too many attempts failed. Wait ${Math.ceil(retryAfterSeconds)} s before the next one.`
  return new Problem(problems.tooManyRequests, words, {
    retryAfterSeconds,
    facts: { locked_until: isLock ? until.toISOString() : null },
  })
}

type Failed = { readonly why: string; readonly until: Date | null; readonly isLock: boolean }

function refused({ why, until, isLock }: Failed, now: Date): Problem {
  if (isLock && until) return tooEarly(until, true, now)
  const words =
    {
      replay_detected: 'This code was used already. Wait for the next one.',
      wrong_password: 'This is not your password. Nothing was done; try again.',
      invalid_challenge: 'This was answered already, or too late. Start again.',
      counter_regressed:
        'This passkey was refused: it may have been copied. Use another factor and tell an administrator.',
    }[why] ?? 'This was not accepted. Check the code, or take another factor.'
  return new Problem(problems.mfaFailed, words, {
    facts: { reason: why },
    ...(until && { retryAfterSeconds: (until.getTime() - now.getTime()) / 1000 }),
  })
}
