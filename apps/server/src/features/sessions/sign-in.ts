import type { Bus } from '../../kernel/bus.ts'
import { hashPassword, type Keyring, passwordMatches, unusablePassword } from '../../kernel/crypto.ts'
import type { Db } from '../../kernel/db.ts'
import { invalidInput, Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import {
  checkPassword,
  findByEmail,
  findPerson,
  isActive,
  type PersonRow,
  setPassword,
  statusOf,
} from '../people/index.ts'
import type { Person, RequestFacts } from '../roles/index.ts'
import type { RecordAct } from '../trail/index.ts'
import type { Lifted, RotateSession } from './prove-session.ts'
import { deleteSessions } from './sessions-table.ts'
import type { Begun, StartSession } from './start-session.ts'

export type SignInNeeds = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly keyring: Keyring
  readonly start: StartSession
  readonly recordAct: RecordAct
  readonly takeFromLimit: TakeFromLimit
  readonly policy: SignInPolicy
  /** Whether the tenant lets people in with a password at all. */
  readonly takesPassword: (tenant: string) => Promise<boolean>
}

export type SignInPolicy = {
  readonly attempts: number
  readonly windowSeconds: number
}

export type SignIn = (email: string, password: string, facts: RequestFacts) => Promise<Begun>

/**
 * A session for the right password. Attempts are counted for the address and, so that many addresses do not help,
 * for the account, whether it exists or not. Wrong password and unknown account look and take the same.
 */
export function signIn({
  db,
  clock,
  keyring,
  start,
  recordAct,
  takeFromLimit,
  policy,
  takesPassword,
}: SignInNeeds): SignIn {
  return async (email, password, facts) => {
    if (email.includes('\0') || password.includes('\0'))
      throw invalidInput('body.password', 'Neither address nor password can contain a NUL character.')
    const { attempts: max, windowSeconds } = policy
    // The account's name is digested: what strangers type at the door is not ours to keep.
    const account = keyring.digest('account-name', email.toLowerCase())
    const limits = [
      { scope: 'sign-in-address', subject: facts.address, max, windowSeconds },
      { scope: 'sign-in-account', subject: account, max: 3 * max, windowSeconds },
    ]
    for (const limit of limits) {
      const { isAllowed, retryAfterSeconds } = await takeFromLimit(limit)
      if (!isAllowed)
        throw new Problem(problems.tooManyRequests, 'Too many login attempts. Please try again later.', {
          retryAfterSeconds,
        })
    }
    const person = await findByEmail(db, email)
    const isRight = await passwordMatches(password, person?.passwordHash ?? unusablePassword)
    const isTaken = person === undefined || (await takesPassword(person.tenant))
    if (!person || !isRight || !isTaken || !isActive(person, clock.now())) {
      await db.inTx((tx) =>
        recordAct(tx, {
          tenant: person?.tenant ?? null,
          act: 'session.refused',
          outcome: 'refused',
          actor: { kind: 'anyone', id: account },
          subject: person ? { kind: 'person', id: person.id } : { kind: 'account', id: account },
          request: facts,
          details: { reason: reasonOf(person, isRight, isTaken, clock.now()) },
        }),
      )
      throw new Problem(problems.wrongCredentials, 'Invalid email or password.')
    }
    return db.inTx((tx) => start(tx, { person, credential: 'password', facts }))
  }
}

function reasonOf(person: PersonRow | undefined, isRight: boolean, isTaken: boolean, now: Date): string {
  if (!person || !isRight) return 'wrong credentials'
  return isTaken ? statusOf(person, now) : 'passwords are switched off'
}

type ChangeNeeds = Pick<SignInNeeds, 'db' | 'takeFromLimit' | 'recordAct' | 'policy'> & {
  readonly bus: Pick<Bus, 'announce'>
  readonly rotate: RotateSession
}

type Changed = { readonly ended: number; readonly lifted: Lifted }

/** Changes one's own password, ends every other session of the person and gives this one another token. */
export function changePassword({ db, takeFromLimit, recordAct, policy, bus, rotate }: ChangeNeeds) {
  return async (who: Person, current: string, next: string, facts: RequestFacts): Promise<Changed> => {
    checkPassword(next, 'body.new_password')
    const { isAllowed, retryAfterSeconds } = await takeFromLimit({
      scope: 'password-change',
      subject: who.id,
      max: policy.attempts,
      windowSeconds: policy.windowSeconds,
    })
    if (!isAllowed)
      throw new Problem(problems.tooManyRequests, 'Too many attempts. Please try again later.', { retryAfterSeconds })
    const person = await findPerson(db, who.tenant, who.id)
    if (!person?.passwordHash || !(await passwordMatches(current, person.passwordHash))) {
      throw invalidInput('body.current_password', 'This is not your current password.')
    }
    const hash = await hashPassword(next)
    return db.inTx(async (tx) => {
      await setPassword(tx, who.tenant, who.id, hash)
      const ended = await deleteSessions(tx, who.tenant, who.id, { except: who.sessionId })
      for (const session of ended)
        await bus.announce(tx, { topic: 'session.ended', tenant: who.tenant, body: { session_id: session } })
      await recordAct(tx, {
        tenant: who.tenant,
        act: 'password.changed',
        actor: { kind: 'person', id: who.id, credential: 'session' },
        subject: { kind: 'person', id: who.id },
        request: facts,
        details: { sessions_ended: ended.length },
      })
      return { ended: ended.length, lifted: await rotate(tx, who) }
    })
  }
}
