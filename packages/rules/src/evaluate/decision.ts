import type { JsonValue, Lines, TimeoutAction } from '../model.ts'

export type Verdict = 'allow' | 'block' | 'ask'

/** Which step of the pipeline spoke, in the words events carry. */
export type DecisionSource =
  | 'attempt_limit'
  | 'yaml_precondition'
  | 'yaml_sandbox'
  | 'yaml_session'
  | 'workflow'
  | 'operation_limit'
  | 'yaml_postcondition'

/** One rule or limit that fired. */
export interface Fired {
  readonly source: DecisionSource
  /** The rule's id, the limit's name, or the workflow's stage. */
  readonly name: string
  readonly action: 'block' | 'ask' | 'warn' | 'redact'
  readonly message: string
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, JsonValue>>
  /** It was only observed: nothing was stopped because of it. */
  readonly isObserved: boolean
  /** It is a candidate running alongside; it never decides. */
  readonly isCandidate: boolean
  /** The condition could not be evaluated (a wrong type, a budget); such a rule fires. */
  readonly policyError: boolean
  /** Where it stands in its document; absent for limits. */
  readonly lines?: Lines
}

/** How long a held call waits, and what then. */
export interface Hold {
  readonly timeoutSeconds: number
  readonly timeoutAction: TimeoutAction
}

export interface PreDecision {
  /** What to do with the call: run it, refuse it, or hold it for a human. */
  readonly verdict: Verdict
  /** What spoke last; absent when nothing objected. Under an observing guard it is set although the verdict is allow. */
  readonly decidedBy?: Fired
  readonly hold?: Hold
  /** Everything that would have blocked or asked, but is only observed. */
  readonly observed: readonly Fired[]
  readonly policyError: boolean
  /** How many rules were looked at. */
  readonly rulesEvaluated: number
}

export interface PostDecision {
  /** No enforced rule fired. */
  readonly passed: boolean
  /** In document order, observed ones among them. */
  readonly fired: readonly Fired[]
  readonly warnings: readonly string[]
  /** What the agent should see; the very same value when nothing was replaced. */
  readonly result: JsonValue
  readonly isReplaced: boolean
  readonly isSuppressed: boolean
  readonly policyError: boolean
  readonly rulesEvaluated: number
}
