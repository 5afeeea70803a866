import { noCounters } from '../evaluate/call.ts'
import type { Compiled } from '../evaluate/compile.ts'
import { attemptLimit, operationLimit, type Stop, workflowStop } from '../evaluate/decide.ts'
import type { Fired, Verdict } from '../evaluate/decision.ts'
import type { Situation } from '../evaluate/selector-value.ts'
import type { PreRule, Rule, SandboxRule } from '../model.ts'
import { bits, type Possible } from './possible.ts'

/** A verdict the call may get, and what would pronounce it; no name for an allow that nothing objects to. */
export interface PossibleVerdict {
  readonly verdict: Verdict
  /** The rule, limit or workflow stage. */
  readonly name?: string
}

export interface Walk {
  /** Never empty; one when all is known. */
  readonly possible: readonly PossibleVerdict[]
  /** Rules the call gets to, or may get to. */
  readonly reached: ReadonlySet<Rule>
  /** Enforced rules of them that may or may not stop the call. */
  readonly undecidedRules: readonly string[]
  /** What the built-in limit or the workflow said, when it stops the call for certain. */
  readonly builtIn?: Fired
}

/** What a rule may come to for the call at hand. Its tool fits and it is enabled. */
export interface Judge {
  readonly pre: (rule: PreRule) => Possible
  readonly sandbox: (rule: SandboxRule) => Possible
}

/** The same road as `decidePre`, for conditions that may be open. Nothing behind a certain stop is judged. */
export function walkPipeline(compiled: Compiled, situation: Situation, judge: Judge): Walk {
  const possible: PossibleVerdict[] = []
  const reached = new Set<Rule>()
  const undecidedRules: string[] = []
  for (const step of steps(compiled, situation, judge)) {
    if (step.rule) reached.add(step.rule)
    if (step.isHarmless || step.possible === bits.no) continue
    const isLetThrough = step.action === 'block' && compiled.guardMode === 'observe'
    possible.push({ verdict: isLetThrough ? 'allow' : step.action, name: step.name })
    const { builtIn } = step
    if ((step.possible & bits.no) === 0) return { possible, reached, undecidedRules, ...(builtIn ? { builtIn } : {}) }
    undecidedRules.push(step.name)
  }
  possible.push({ verdict: 'allow' })
  return { possible, reached, undecidedRules }
}

interface Step {
  readonly name: string
  readonly action: 'block' | 'ask'
  readonly possible: Possible
  /** Observed, or approved by a human: whatever it says, the call goes on. */
  readonly isHarmless: boolean
  readonly rule?: Rule
  readonly builtIn?: Fired
}

function* steps(compiled: Compiled, situation: Situation, judge: Judge): Generator<Step> {
  const { call, facts } = situation
  const counters = facts.counters ?? noCounters
  const { merged, steps: sessions } = compiled.session
  if (counters.attempts >= merged.maxAttempts) yield builtInStep({ fired: attemptLimit(merged.maxAttempts) })
  const { pre, sandbox } = compiled.rulesFor(call.tool)
  for (const { rule, isObserved } of pre) {
    const { action } = rule.then
    yield { rule, name: rule.id, action, possible: judge.pre(rule), isHarmless: isObserved || isApproved(rule, action) }
  }
  for (const { rule, isObserved } of sandbox) {
    const action = rule.outside
    const isHarmless = isObserved || isApproved(rule, action)
    yield { rule, name: rule.id, action, possible: judge.sandbox(rule), isHarmless }
  }
  for (const { rule, mode, isOver } of sessions) {
    const possible = isOver(call, counters) ? bits.yes : bits.no
    yield { rule, name: rule.id, action: 'block', possible, isHarmless: mode === 'observe' }
  }
  const stop = workflowStop(situation) ?? operationLimit(compiled, call, counters)
  if (stop) yield builtInStep(stop)

  function isApproved(rule: Rule, action: string): boolean {
    return action === 'ask' && facts.approved?.has(rule.id) === true
  }
}

function builtInStep({ fired, hold }: Stop): Step {
  return { name: fired.name, action: hold ? 'ask' : 'block', possible: bits.yes, isHarmless: false, builtIn: fired }
}
