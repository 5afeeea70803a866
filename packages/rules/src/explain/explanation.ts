import type { Fired, PostDecision, PreDecision, Verdict } from '../evaluate/decision.ts'
import type { Action, JsonValue, Lines, Mode, Rule } from '../model.ts'
import type { PossibleVerdict } from './walk-pipeline.ts'

/** `error`: it could not be evaluated, and such a rule fires. `unknown`: it depends on a value that is hidden. */
export type ConditionOutcome = 'held' | 'not_held' | 'error' | 'unknown'

interface ConditionCommon {
  readonly outcome: ConditionOutcome
  /** The answer was settled before this was looked at. */
  readonly isSkipped: boolean
  readonly line: number
}

/** One rule's condition with what came of each part, shaped as it was written. */
export type Condition =
  | (ConditionCommon & { readonly is: 'all' | 'any'; readonly of: readonly Condition[] })
  | (ConditionCommon & { readonly is: 'not'; readonly of: Condition })
  | (ConditionCommon & {
      readonly is: 'test'
      readonly selector: string
      readonly operator: string
      readonly operand: JsonValue
      readonly actual: Actual
      /** The test in one sentence. */
      readonly words: string
    })

/** What a selector found. Secrets are hidden, and what is long is cut. */
export type Actual =
  | { readonly is: 'value'; readonly value: JsonValue }
  | { readonly is: 'missing' }
  /** Hidden or cut before it came here; `start` is how the text begins, when that is known. */
  | { readonly is: 'unknown'; readonly start?: string }
  | { readonly is: 'failure'; readonly message: string }

/** One thing a sandbox looked at. */
export interface SandboxFinding {
  readonly is: 'path' | 'command' | 'address'
  /** Without secrets, cut. Empty when it is hidden. */
  readonly subject: string
  readonly outcome: 'inside' | 'outside' | 'unknown'
  readonly words: string
}

/** One limit of a session. */
export interface LimitFinding {
  readonly limit: 'max_attempts' | 'max_tool_calls' | 'max_calls_per_tool'
  readonly tool?: string
  readonly max: number
  readonly count: number
  readonly isReached: boolean
}

/** Why a rule had no say. */
export type NotConsidered =
  | 'disabled'
  | 'other_tool'
  /** An earlier rule or limit had already stopped the call. */
  | 'already_stopped'
  /** A post rule, and nothing is known of what the tool gave back. */
  | 'no_output'

export interface RuleExplanation extends Lines {
  readonly id: string
  readonly type: Rule['type']
  readonly mode: Mode
  readonly action: Action
  readonly tags: readonly string[]
  /** It runs alongside for comparison and never decides. */
  readonly isCandidate: boolean
  /** Absent when it was considered. */
  readonly notConsidered?: NotConsidered
  /** What its condition comes to, also where an earlier stop kept it from being asked; absent when it does not apply. */
  readonly outcome?: 'fires' | 'passes' | 'unknown'
  /** It fires because its condition could not be evaluated. */
  readonly isPolicyError: boolean
  /**
   * What its firing did: `decided` the verdict, was `observed` only, had been `approved` by a human, was `reported` (a post
   * rule); `none` when it did not fire or had no say; `open` when that depends on what is hidden.
   */
  readonly effect: 'decided' | 'observed' | 'approved' | 'reported' | 'none' | 'open'
  /** Expanded for this call, when the rule fires. */
  readonly message?: string
  /** Of pre and post rules. */
  readonly condition?: Condition
  /** Of sandbox rules: everything they looked at. */
  readonly sandbox?: readonly SandboxFinding[]
  /** Of session rules. */
  readonly limits?: readonly LimitFinding[]
  /** The whole in one or two sentences. */
  readonly words: string
}

export interface Explanation {
  /** False when the verdict depends on values that are hidden. */
  readonly isDecided: boolean
  /** Absent when it is not decided. */
  readonly verdict?: Verdict
  /** What each of the values that are hidden could lead to; one entry when nothing is. */
  readonly possible: readonly PossibleVerdict[]
  /** What `decidePre` says; absent when parts of the call are hidden. */
  readonly decision?: PreDecision
  /** What `decidePost` says, when the tool's output was given and nothing is hidden. */
  readonly post?: PostDecision
  /** What stopped the call when it was no rule: a built-in limit, or the workflow. */
  readonly builtIn?: Fired
  /** Every rule of the document in its order, then candidates. */
  readonly rules: readonly RuleExplanation[]
  /** The limits in force for every session, rules of this document merged in. */
  readonly limits: readonly LimitFinding[]
  readonly words: string
}
