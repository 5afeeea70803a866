import { Problem, problems } from '../../kernel/problem.ts'
import type { Caller, Person } from './principal.ts'
import type { Route } from './route.ts'

/**
 * What a session has to have proven before a route serves it. A session of somebody with a confirmed factor reaches
 * nothing but the way to prove it; somebody who must have a factor and has none reaches nothing but the way to add one.
 */
export function passFactorGate(who: Person, { needs, factor }: Pick<Route, 'needs' | 'factor'>): void {
  if (needs === 'anyone' || factor === 'before') return
  const { isEnrolled, isRequired, isVerified } = who.factors
  if (isEnrolled && !isVerified) {
    throw new Problem(problems.mfaRequired, 'Complete the sign-in with your second factor first.', {
      facts: { level: factor ?? 'step-up' },
    })
  }
  if (isRequired && !isEnrolled) {
    throw new Problem(
      problems.mfaEnrollmentRequired,
      'Your role needs a second factor. Add one under Account & security, then go on.',
    )
  }
  if (factor !== undefined) demandStepUp(who, factor)
}

/**
 * Whether a factor that came along is needed: only then is it used up. Some acts that change something find out by
 * themselves that they need a fresh proof.
 */
export function lacksProof(
  who: Person,
  { needs, factor, method }: Pick<Route, 'needs' | 'factor' | 'method'>,
): boolean {
  const { isEnrolled, isVerified, isSteppedUp } = who.factors
  if (!isEnrolled || needs === 'anyone' || factor === 'before') return false
  if (!isVerified || factor === 'always') return true
  return !isSteppedUp && (factor === 'step-up' || method !== 'GET')
}

/** For acts that need a fresh proof only sometimes: a rollout to a protected environment, a decision that policy guards. */
export function demandStepUp(who: Caller, level: 'step-up' | 'always' = 'step-up'): void {
  // A token has nobody who could tap a key: what it may do was said when it was made.
  if (who.is === 'token') return
  const { isEnrolled, isSteppedUp, isUnspent, hasPassword } = who.factors
  if (!isEnrolled && !hasPassword) {
    throw new Problem(
      problems.mfaEnrollmentRequired,
      'This needs a fresh proof that it is you. Add a second factor under Account & security first.',
      { facts: { level } },
    )
  }
  // Without a factor there is only the password, which proves no more when it is typed for each act.
  const isProven = isEnrolled && level === 'always' ? isUnspent : isSteppedUp
  if (!isProven) throw stepUpNeeded(level)
}

export function stepUpNeeded(level: 'step-up' | 'always'): Problem {
  const why =
    level === 'always' ? 'This act needs a factor of its own' : 'It was some time ago that you proved it is you'
  return new Problem(problems.mfaStepUpRequired, `${why}: confirm with your second factor, or your password.`, {
    facts: { level },
  })
}
