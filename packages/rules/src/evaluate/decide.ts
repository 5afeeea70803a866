import type { JsonValue, Rule } from '../model.ts'
import { type Call, type Counters, type Facts, noCounters, sideEffectOf, toolCount } from './call.ts'
import type { Compiled, CompiledPost, CompiledPre, CompiledSandbox, ToolRules } from './compile.ts'
import type { DecisionSource, Fired, Hold, PostDecision, PreDecision } from './decision.ts'
import type { RuleIndex } from './rule-index.ts'
import { materialsOf } from './sandbox.ts'
import { type Output, outputText, type Situation } from './selector-value.ts'

/**
 * Before the tool runs. `counters.attempts` already counts this call. After a human approved, ask again with the rule's
 * name in `facts.approved`: every later rule and limit still has its say.
 */
export function decidePre(compiled: Compiled, call: Call, facts: Facts = {}): PreDecision {
  const situation = { call, facts, customSelectors: compiled.customSelectors }
  const progress: Progress = { observed: [], policyError: false, rulesEvaluated: 0 }
  const stop = firstStop(compiled, situation, progress)
  if (!stop) {
    runCandidates(compiled, situation, progress)
    return { verdict: 'allow', ...progress }
  }
  const { fired, hold } = stop
  if (hold) return { verdict: 'ask', decidedBy: fired, hold, ...progress }
  // An observing guard lets every block through, whoever pronounced it, and says so.
  const isObserving = compiled.guardMode === 'observe'
  if (!isObserving) return { verdict: 'block', decidedBy: fired, ...progress }
  const observed = { ...fired, isObserved: true }
  return { verdict: 'allow', decidedBy: observed, ...progress, observed: [...progress.observed, observed] }
}

interface Progress {
  readonly observed: Fired[]
  policyError: boolean
  rulesEvaluated: number
}

export interface Stop {
  readonly fired: Fired
  readonly hold?: Hold
}

/** By kind of rule first, then in document order: a sandbox written above a pre rule still runs after it. */
function firstStop(compiled: Compiled, situation: Situation, progress: Progress): Stop | undefined {
  const counters = situation.facts.counters ?? noCounters
  const { merged } = compiled.session
  if (counters.attempts >= merged.maxAttempts) return { fired: attemptLimit(merged.maxAttempts) }
  const rules = compiled.rulesFor(situation.call.tool)
  return (
    preStop(rules, situation, progress) ??
    sandboxStop(compiled, rules.sandbox, situation, progress) ??
    sessionStop(compiled, situation, counters, progress) ??
    workflowStop(situation) ??
    operationLimit(compiled, situation.call, counters)
  )
}

function preStop({ pre, preIndex }: ToolRules, situation: Situation, progress: Progress): Stop | undefined {
  let stop: Stop | undefined
  visitRules(pre.length, preIndex, situation, (number) => {
    const compiled = pre[number]
    const fired = compiled && firePre(compiled, situation)
    if (fired) stop = settle(fired, compiled.rule.then, situation, progress)
    if (stop) progress.rulesEvaluated = number + 1
    return stop !== undefined
  })
  if (!stop) progress.rulesEvaluated += pre.length
  return stop
}

/** In document order. With an index only those that could fire; the others are answered by it, and count as evaluated. */
function visitRules(
  count: number,
  index: RuleIndex | undefined,
  situation: Situation,
  visit: (number: number) => boolean,
): void {
  if (index) {
    index.visit(situation, visit)
    return
  }
  for (let number = 0; number < count; number += 1) if (visit(number)) return
}

function firePre({ rule, test, message, isObserved }: CompiledPre, situation: Situation): Fired | undefined {
  const { action, tags, metadata } = rule.then
  const made = { source: 'yaml_precondition', name: rule.id, action, tags, metadata, isObserved } as const
  try {
    const outcome = test(situation)
    if (outcome === 'no') return undefined
    return fire(rule, { ...made, message: message(situation), policyError: outcome === 'error' })
  } catch (cause) {
    return fire(rule, { ...made, message: `Precondition error: ${reasonOf(cause)}`, policyError: true })
  }
}

function sandboxStop(
  { host }: Compiled,
  rules: readonly CompiledSandbox[],
  situation: Situation,
  progress: Progress,
): Stop | undefined {
  if (rules.length === 0) return undefined
  const materials = materialsOf(situation.call, host)
  for (const compiled of rules) {
    progress.rulesEvaluated += 1
    const fired = fireSandbox(compiled, situation, materials)
    if (!fired) continue
    const stop = settle(fired, compiled.rule, situation, progress)
    if (stop) return stop
  }
  return undefined
}

function fireSandbox(
  { rule, test, message, isObserved }: CompiledSandbox,
  situation: Situation,
  materials: ReturnType<typeof materialsOf>,
): Fired | undefined {
  const made = {
    source: 'yaml_sandbox',
    name: rule.id,
    action: rule.outside,
    tags: [],
    metadata: {},
    isObserved,
  } as const
  try {
    if (!test(materials)) return undefined
    return fire(rule, { ...made, message: message(situation), policyError: false })
  } catch (cause) {
    return fire(rule, { ...made, message: `Sandbox rule error: ${reasonOf(cause)}`, policyError: true })
  }
}

function sessionStop(
  compiled: Compiled,
  situation: Situation,
  counters: Counters,
  progress: Progress,
): Stop | undefined {
  for (const { rule, mode, isOver } of compiled.session.steps) {
    progress.rulesEvaluated += 1
    if (!isOver(situation.call, counters)) continue
    const fired = fire(rule, {
      source: 'yaml_session',
      name: rule.id,
      action: 'block',
      message: compiled.sessionMessages.get(rule.id)?.(situation) ?? rule.then.message,
      tags: rule.then.tags,
      metadata: rule.then.metadata,
      isObserved: mode === 'observe',
      policyError: false,
    })
    if (!fired.isObserved) return { fired }
    progress.observed.push(fired)
  }
  return undefined
}

/** An observed rule is noted and passed; an approved one is passed; any other ends the pipeline. */
function settle(fired: Fired, wait: Hold, { facts }: Situation, progress: Progress): Stop | undefined {
  progress.policyError ||= fired.policyError
  if (fired.isObserved) {
    progress.observed.push(fired)
    return undefined
  }
  if (fired.action !== 'ask') return { fired }
  if (facts.approved?.has(fired.name)) return undefined
  return { fired, hold: { timeoutSeconds: wait.timeoutSeconds, timeoutAction: wait.timeoutAction } }
}

export function workflowStop({ facts }: Situation): Stop | undefined {
  const answer = facts.workflow?.()
  if (!answer || answer.verdict === 'allow') return undefined
  const { verdict: action, stageId, message } = answer
  const policyError = answer.verdict === 'block' && answer.policyError === true
  const fired = builtIn({ source: 'workflow', name: stageId, action, message, policyError })
  if (action === 'block') return { fired }
  return { fired, hold: { timeoutSeconds: 300, timeoutAction: 'block' } }
}

export function attemptLimit(max: number): Fired {
  const message = `Attempt limit reached (${max}). Agent may be stuck in a retry loop. Stop and reassess.`
  return builtIn({ source: 'attempt_limit', name: 'max_attempts', action: 'block', message, policyError: false })
}

export function operationLimit({ session }: Compiled, call: Call, counters: Counters): Stop | undefined {
  const { maxToolCalls, perTool } = session.merged
  const limit = { source: 'operation_limit', action: 'block', policyError: false } as const
  if (counters.executions >= maxToolCalls) {
    const message = `Execution limit reached (${maxToolCalls} calls). Summarize progress and stop.`
    return { fired: builtIn({ ...limit, name: 'max_tool_calls', message }) }
  }
  const max = perTool.get(call.tool)
  const count = toolCount(counters, call.tool)
  if (max === undefined || count < max) return undefined
  const message = `Per-tool limit: ${call.tool} called ${count} times (limit: ${max}).`
  return { fired: builtIn({ ...limit, name: `max_calls_per_tool:${call.tool}`, message }) }
}

/** Shadow rules: what they would say is noted, nothing else comes of it. */
function runCandidates({ candidates }: Compiled, situation: Situation, progress: Progress): void {
  if (!candidates) return
  const aside: Progress = { observed: [], policyError: false, rulesEvaluated: 0 }
  const rules = candidates.rulesFor(situation.call.tool)
  const materials = materialsOf(situation.call, candidates.host)
  for (const one of rules.pre) note(firePre(one, situation))
  for (const one of rules.sandbox) note(fireSandbox(one, situation, materials))
  const stop = sessionStop(candidates, situation, situation.facts.counters ?? noCounters, aside)
  for (const fired of aside.observed) note(fired)
  note(stop?.fired)

  function note(fired: Fired | undefined): void {
    if (fired) progress.observed.push({ ...fired, isObserved: true, isCandidate: true })
  }
}

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
  visitRules(rules.length, postIndex, situation, (number) => {
    const one = rules[number]
    const made = one && firePost(one, situation)
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
  })
  for (const one of compiled.candidates?.rulesFor(call.tool).post ?? []) {
    const made = firePost(one, situation)
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

function firePost({ rule, test, message, isObserved }: CompiledPost, situation: Situation): Fired | undefined {
  const { action, tags, metadata } = rule.then
  const made = { source: 'yaml_postcondition', name: rule.id, action, tags, metadata, isObserved } as const
  try {
    const outcome = test(situation)
    if (outcome === 'no') return undefined
    return fire(rule, { ...made, message: message(situation), policyError: outcome === 'error' })
  } catch (cause) {
    return fire(rule, { ...made, message: `Postcondition error: ${reasonOf(cause)}`, policyError: true })
  }
}

function warningOf({ action, message, name, isObserved }: Fired, isSafe: boolean): string {
  if (isObserved) return `⚠️ [observe] ${message}`
  if (!isSafe) return `⚠️ ${message} Tool already executed — assess before proceeding.`
  if (action === 'redact') return `⚠️ Content redacted by ${name}.`
  if (action === 'block') return `⚠️ Output suppressed by ${name}.`
  return `⚠️ ${message} Consider retrying.`
}

type Spoken = Omit<Fired, 'isCandidate' | 'lines'>

function fire(rule: Rule, spoken: Spoken): Fired {
  return { ...spoken, isCandidate: false, lines: { line: rule.line, endLine: rule.endLine } }
}

function builtIn(
  spoken: Pick<Spoken, 'name' | 'action' | 'message' | 'policyError'> & { source: DecisionSource },
): Fired {
  return { ...spoken, tags: [], metadata: {}, isObserved: false, isCandidate: false }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
