import type { Rule } from '../model.ts'
import type { CompiledPost, CompiledPre, CompiledSandbox } from './compiled-rule.ts'
import type { DecisionSource, Fired } from './decision.ts'
import type { Materials } from './sandbox.ts'
import type { Situation } from './selector-value.ts'

/** A rule with a condition: what it says when the condition holds or cannot be evaluated, else nothing. */
export function fireTested(
  source: 'yaml_precondition' | 'yaml_postcondition',
  { rule, test, message: said, isObserved }: CompiledPre | CompiledPost,
  situation: Situation,
): Fired | undefined {
  let message: string
  let policyError = true
  try {
    const outcome = test(situation)
    if (outcome === 'no') return undefined
    policyError = outcome === 'error'
    message = said(situation)
  } catch (cause) {
    const what = source === 'yaml_precondition' ? 'Precondition' : 'Postcondition'
    message = `${what} error: ${reasonOf(cause)}`
    policyError = true
  }
  const { action, tags, metadata } = rule.then
  return fire(rule, { source, name: rule.id, action, message, tags, metadata, isObserved, policyError })
}

/** A sandbox that the call breaks. */
export function fireSandbox(
  { rule, test, message: said, isObserved }: CompiledSandbox,
  situation: Situation,
  materials: Materials,
): Fired | undefined {
  let message: string
  let policyError = false
  try {
    if (!test(materials)) return undefined
    message = said(situation)
  } catch (cause) {
    message = `Sandbox rule error: ${reasonOf(cause)}`
    policyError = true
  }
  const { id: name, outside: action } = rule
  return fire(rule, { source: 'yaml_sandbox', name, action, message, tags: [], metadata: {}, isObserved, policyError })
}

type Spoken = Omit<Fired, 'isCandidate' | 'lines'>

export function fire(rule: Rule, spoken: Spoken): Fired {
  return { ...spoken, isCandidate: false, lines: { line: rule.line, endLine: rule.endLine } }
}

export function builtIn(
  spoken: Pick<Spoken, 'name' | 'action' | 'message' | 'policyError'> & { source: DecisionSource },
): Fired {
  return { ...spoken, tags: [], metadata: {}, isObserved: false, isCandidate: false }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
