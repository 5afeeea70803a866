import type { JsonValue } from '../model.ts'
import { type Call, type Facts, sideEffectOf } from './call.ts'
import type { Compiled } from './compile.ts'
import type { Fired, PostDecision } from './decision.ts'
import { fireTested } from './fire.ts'
import { visitRules } from './rule-index.ts'
import { type Output, outputText } from './selector-value.ts'

/** After the tool ran. Every matching rule is evaluated; what may be done to the result depends on what the tool does. */
export function decidePost(compiled: Compiled, call: Call, output: Output, facts: Facts = {}): PostDecision {
  const situation = { call, facts, output, customSelectors: compiled.customSelectors }
  const sideEffect = sideEffectOf(call, compiled.tools)
  const isSafe = sideEffect === 'pure' || sideEffect === 'read' || compiled.enforcesOutputOnUnsafe
  const { post: rules, postIndex } = compiled.rulesFor(call.tool)
  const fired: Fired[] = []
  const warnings: string[] = []
  let result = output.result
  let isReplaced = false
  let isSuppressed = false
  const ask = (number: number): boolean => {
    const one = rules[number]
    const made = one && fireTested('yaml_postcondition', one, situation)
    if (!made) return false
    fired.push(made)
    warnings.push(warningOf(made, isSafe))
    if (made.isObserved || !isSafe || made.action === 'warn') return false
    if (made.action === 'block') {
      result = `[OUTPUT SUPPRESSED] ${made.message}`
      isSuppressed = true
    } else result = one.replacement(replaceable(result, output, isReplaced))
    isReplaced = true
    return false
  }
  visitRules(rules.length, postIndex, situation, ask, undefined)
  for (const one of compiled.candidates?.rulesFor(call.tool).post ?? []) {
    const made = fireTested('yaml_postcondition', one, situation)
    if (made) fired.push({ ...made, isObserved: true, isCandidate: true })
  }
  return {
    passed: fired.every((one) => one.isObserved),
    fired,
    warnings,
    result,
    isReplaced,
    isSuppressed,
    policyError: fired.some((one) => one.policyError),
    rulesEvaluated: rules.length,
  }
}

/** A caller may have given the text apart from the result; when it did so alone, the text is what is replaced. */
function replaceable(result: JsonValue, output: Output, isReplaced: boolean): JsonValue {
  return !isReplaced && result === null ? (outputText(output) ?? null) : result
}

function warningOf({ action, message, name, isObserved }: Fired, isSafe: boolean): string {
  if (isObserved) return `⚠️ [observe] ${message}`
  if (!isSafe) return `⚠️ ${message} Tool already executed — assess before proceeding.`
  if (action === 'redact') return `⚠️ Content redacted by ${name}.`
  if (action === 'block') return `⚠️ Output suppressed by ${name}.`
  return `⚠️ ${message} Consider retrying.`
}
