import { type Compiled, type Explanation, explain, type PostDecision, type PreDecision } from '@countersign/rules'
import type { CallInput } from './call-input.ts'

export type TriedVerdict = 'allow' | 'block' | 'hold'

export type Tried = {
  readonly verdict: TriedVerdict
  readonly decision: PreDecision
  readonly post: PostDecision | undefined
  /** Ids of rules that fired and were only observed. */
  readonly observed: readonly string[]
  readonly explanation: Explanation
}

/** What a ruleset says to a call, with the reason. */
export function tryCall(compiled: Compiled, { call, facts, output }: CallInput): Tried {
  const explanation = explain(compiled, call, facts, output === undefined ? {} : { output: { result: output } })
  const { decision, post } = explanation
  if (!decision) throw new Error('A call without hidden parts was not decided.')
  return {
    verdict: decision.verdict === 'ask' ? 'hold' : decision.verdict,
    decision,
    post,
    observed: decision.observed.map(({ name }) => name),
    explanation,
  }
}
