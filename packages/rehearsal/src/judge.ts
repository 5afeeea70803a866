import {
  type Call,
  type Compiled,
  decidePre,
  type Expression,
  judgeCall,
  type Rule,
  type Verdict,
} from '@countersign/rules'
import { isUnrecorded, mayHideValues, type RecordedEvent, recordedUnknowns, type Was } from './recorded-call.ts'

/** What a ruleset says to a recorded call. */
export type Judgement =
  | {
      readonly is: 'decided'
      readonly verdict: Was
      /** What spoke; undefined when nothing objected, or when it is not certain which of several would. */
      readonly rule: string | undefined
      readonly message: string | undefined
      /** Rules that would have fired and are only observed. */
      readonly observed: readonly string[]
    }
  | { readonly is: 'undecided'; readonly rules: readonly string[] }

export type JudgeRecorded = (event: Pick<RecordedEvent, 'payload'>, call: Call) => Judgement

/** The session is not replayed: whatever a call meets, it meets as the first of its session. */
const facts = { counters: { attempts: 0, executions: 0, perTool: {} } }

export function judgeWith(compiled: Compiled): JudgeRecorded {
  const looksElsewhere = compiled.ruleset.rules.some((rule) => rule.enabled && readsUnrecorded(rule))
  return ({ payload }, call) => {
    if (looksElsewhere || mayHideValues(payload)) {
      const { isDecided, verdict, possible, undecidedRules } = judgeCall(compiled, call, facts, recordedUnknowns)
      if (!isDecided || verdict === undefined) return { is: 'undecided', rules: undecidedRules }
      // Of several that may speak none is certain; when one is, it is asked below what it says.
      if (possible.length > 1) return { is: 'decided', verdict: wasOfVerdict(verdict), ...unnamed }
    }
    const { verdict, decidedBy, observed } = decidePre(compiled, call, facts)
    const stops = verdict !== 'allow'
    return {
      is: 'decided',
      verdict: wasOfVerdict(verdict),
      rule: stops ? decidedBy?.name : undefined,
      message: stops ? decidedBy?.message : undefined,
      observed: observed.map(({ name }) => name),
    }
  }
}

const unnamed = { rule: undefined, message: undefined, observed: [] }

function wasOfVerdict(verdict: Verdict): Was {
  return verdict === 'ask' ? 'hold' : verdict
}

/** Whether a condition looks at something that events do not carry, such as the agent's environment variables. */
function readsUnrecorded(rule: Rule): boolean {
  return rule.type === 'pre' && reads(rule.when)
}

function reads(expression: Expression): boolean {
  switch (expression.is) {
    case 'all':
    case 'any':
      return expression.of.some(reads)
    case 'not':
      return reads(expression.of)
    case 'test':
      return isUnrecorded(expression.selector)
  }
}

/** What the replay took for granted, as far as this ruleset makes it matter. */
export function assumptionsOf({ ruleset, guardMode }: Compiled, isAgainstRecord: boolean): readonly string[] {
  const rules = ruleset.rules.filter(({ enabled }) => enabled)
  const has = (type: Rule['type']): boolean => rules.some((rule) => rule.type === type)
  const asks = rules.some((rule) => (rule.type === 'sandbox' ? rule.outside : rule.then.action) === 'ask')
  const paths = rules.some((rule) => rule.type === 'sandbox' && (rule.within ?? rule.notWithin).length > 0)
  return [
    ...(has('session')
      ? [
          'Session rules count what happened before a call. Each call was replayed as the first of its session, so no limit was reached.',
        ]
      : []),
    ...(asks ? ['A call that asks a human counts as held, whatever was or would be decided.'] : []),
    ...(has('post') ? ['Post rules look at what a tool answered, which is not recorded. They were left out.'] : []),
    ...(paths
      ? [
          'Paths were compared as text: links on the agent’s disk were not followed, and a relative path was taken to begin at /.',
        ]
      : []),
    ...(rules.some(readsUnrecorded)
      ? [
          'Some conditions read what events do not carry, such as environment variables. Calls that depend on one are undecided.',
        ]
      : []),
    ...(guardMode === 'observe'
      ? ['The ruleset only observes by default: what it would block counts as allowed.']
      : []),
    ...(isAgainstRecord
      ? [
          'Calls were compared with what their agents reported. Those decided by a session limit or a workflow were left out.',
        ]
      : []),
  ]
}
