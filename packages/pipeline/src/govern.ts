import type { Allow, Block, Challenge, Hold, Verdict } from './verdict.ts'

/** A governed call. `isRead` may be claimed only by what changes nothing and discloses no secret. */
export type Call = { readonly isRead: boolean }

/** Where on the road a call is. */
export type Place = 'authenticate' | 'authorize' | 'rules' | 'approval' | 'intent' | 'execute'

export type Outcome<Result> =
  | { readonly is: 'done'; readonly result: Result }
  | { readonly is: 'blocked'; readonly at: Place; readonly verdict: Block }
  | { readonly is: 'challenged'; readonly at: Place; readonly verdict: Challenge }
  | { readonly is: 'held'; readonly at: Place; readonly verdict: Hold }

/** Something broke. `at: 'execute'` means that the effect may have happened. */
export type Failed = { readonly is: 'failed'; readonly at: Place; readonly cause: unknown }

/** A stage that knows its answer gives it at once: in an agent's process waiting costs more than most stages do. */
type Soon<Value> = Value | Promise<Value>

/** Whatever can be waited for, of any realm: one that was taken for its answer would let a call pass. */
function isPending<Value>(answer: Soon<Value>): answer is Promise<Value> {
  return typeof answer === 'object' && answer !== null && 'then' in answer
}

/**
 * What the road is paved with. A stage returns a verdict or throws; it never answers the caller,
 * writes a refusal down or calls the next stage.
 */
export type Stages<C extends Call, Who, Result> = {
  /** Undefined for a caller whom nothing identifies. */
  readonly authenticate: (call: C) => Soon<Who | undefined>
  readonly authorize: (call: C, who: Who) => Soon<Allow | Block | Challenge>
  readonly rules: (call: C, who: Who) => Soon<Verdict>
  /** Asked only when the rules hold. Allows when an approval for exactly this call is there to be spent. */
  readonly approval: (call: C, who: Who, hold: Hold) => Soon<Allow | Block | Hold>
  /** Must be durable when it returns or resolves. Not called for reads. */
  readonly recordIntent: (call: C, who: Who, allowed: Allow) => Soon<void>
  readonly execute: (call: C, who: Who, allowed: Allow) => Promise<Result>
  readonly recordEnd: (call: C, who: Who | undefined, outcome: Outcome<Result> | Failed) => Soon<void>
  /** Told when an end could not be written although the call was answered; must not throw. */
  readonly endLost: (call: C, cause: unknown) => void
}

/**
 * The one road every governed call takes. Permission comes before a second factor, before rules, before
 * an approver is asked; intent is durable before the effect; every exit is recorded. When the trail
 * cannot be written, effects do not happen; reads may.
 */
export async function govern<C extends Call, Who, Result>(
  call: C,
  stages: Stages<C, Who, Result>,
): Promise<Outcome<Result>> {
  const road: Road<Who> = { at: 'authenticate', who: undefined }
  let outcome: Outcome<Result>
  try {
    outcome = await pass(call, stages, road)
  } catch (cause) {
    // The caller must learn of the first failure, also when the trail is gone as well.
    await recordIfPossible(call, stages, road.who, { is: 'failed', at: road.at, cause })
    throw cause
  }
  // A read changes nothing, so that refusing its answer for want of a record would protect nobody.
  if (call.isRead) await recordIfPossible(call, stages, road.who, outcome)
  else {
    const recorded = stages.recordEnd(call, road.who, outcome)
    if (recorded !== undefined) await recorded
  }
  return outcome
}

async function recordIfPossible<C extends Call, Who, Result>(
  call: C,
  stages: Stages<C, Who, Result>,
  who: Who | undefined,
  outcome: Outcome<Result> | Failed,
): Promise<void> {
  try {
    await stages.recordEnd(call, who, outcome)
  } catch (lost) {
    // Not lost silently: the surface counts it and says so in its health.
    stages.endLost(call, lost)
  }
}

/** How far a call has come and who it turned out to be: known also when a stage throws. */
type Road<Who> = { at: Place; who: Who | undefined }

const signIn: Challenge = {
  is: 'challenge',
  wants: 'sign_in',
  says: 'Show who you are: the call carries no valid credential.',
}

async function pass<C extends Call, Who, Result>(
  call: C,
  stages: Stages<C, Who, Result>,
  road: Road<Who>,
): Promise<Outcome<Result>> {
  const asked = stages.authenticate(call)
  const who = isPending(asked) ? await asked : asked
  if (who === undefined) return exit(signIn, road.at)
  road.who = who

  road.at = 'authorize'
  const authorized = stages.authorize(call, who)
  const permitted = isPending(authorized) ? await authorized : authorized
  if (permitted.is !== 'allow') return exit(permitted, road.at)

  road.at = 'rules'
  const judged = stages.rules(call, who)
  const ruled = isPending(judged) ? await judged : judged
  if (ruled.is !== 'allow' && ruled.is !== 'hold') return exit(ruled, road.at)

  if (ruled.is === 'hold') road.at = 'approval'
  const allowed = ruled.is === 'hold' ? await stages.approval(call, who, ruled) : ruled
  if (allowed.is !== 'allow') return exit(allowed, road.at)

  road.at = 'intent'
  if (!call.isRead) {
    const recorded = stages.recordIntent(call, who, allowed)
    if (recorded !== undefined) await recorded
  }

  road.at = 'execute'
  return { is: 'done', result: await stages.execute(call, who, allowed) }
}

function exit<Result>(verdict: Block | Challenge | Hold, at: Place): Outcome<Result> {
  switch (verdict.is) {
    case 'block':
      return { is: 'blocked', at, verdict }
    case 'challenge':
      return { is: 'challenged', at, verdict }
    case 'hold':
      return { is: 'held', at, verdict }
    default:
      // Types forbid it; a stage written without them must still end in no effect.
      throw new TypeError(`The stage ${at} gave no verdict.`)
  }
}
