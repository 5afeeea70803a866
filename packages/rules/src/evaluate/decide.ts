import { type Call, type Counters, type Facts, noCounters, toolCount } from './call.ts'
import type { Compiled } from './compile.ts'
import type { Fired, Hold, PreDecision } from './decision.ts'
import { builtIn, fire, fireSandbox, fireTested } from './fire.ts'
import { visitRules } from './rule-index.ts'
import { type Host, type Materials, materialsOf } from './sandbox.ts'
import type { Situation } from './selector-value.ts'
import type { ToolRules } from './tool-rules.ts'

/**
 * Before the tool runs. `counters.attempts` already counts this call. After a human approved, ask again with the rule's
 * name in `facts.approved`: every later rule and limit still has its say.
 */
export function decidePre(compiled: Compiled, call: Call, facts: Facts = {}): PreDecision {
  const progress = startOf(compiled, call, facts)
  const stop = firstStop(compiled, progress)
  if (!stop) {
    if (compiled.candidates) runCandidates(compiled.candidates, progress)
    return decision('allow', progress)
  }
  const { fired, hold } = stop
  if (hold) return { ...decision('ask', progress), decidedBy: fired, hold }
  // An observing guard lets every block through, whoever pronounced it, and says so.
  const isObserving = compiled.guardMode === 'observe'
  if (!isObserving) return { ...decision('block', progress), decidedBy: fired }
  observe(progress, { ...fired, isObserved: true })
  return { ...decision('allow', progress), decidedBy: { ...fired, isObserved: true } }
}

/** One decision on its way, and what it is about: one object for each call, so that nothing else need be made. */
interface Progress extends Situation {
  readonly rules: ToolRules
  observed: Fired[] | undefined
  policyError: boolean
  rulesEvaluated: number
  stop: Stop | undefined
}

export interface Stop {
  readonly fired: Fired
  readonly hold?: Hold
}

function startOf(compiled: Compiled, call: Call, facts: Facts): Progress {
  return {
    call,
    facts,
    customSelectors: compiled.customSelectors,
    rules: compiled.rulesFor(call.tool),
    observed: undefined,
    policyError: false,
    rulesEvaluated: 0,
    stop: undefined,
  }
}

function decision(verdict: PreDecision['verdict'], progress: Progress): PreDecision {
  const { observed = [], policyError, rulesEvaluated } = progress
  return { verdict, observed, policyError, rulesEvaluated }
}

function observe(progress: Progress, fired: Fired): void {
  progress.observed ??= []
  progress.observed.push(fired)
}

/** By kind of rule first, then in document order: a sandbox written above a pre rule still runs after it. */
function firstStop(compiled: Compiled, progress: Progress): Stop | undefined {
  const counters = progress.facts.counters ?? noCounters
  const { merged } = compiled.session
  if (counters.attempts >= merged.maxAttempts) return { fired: attemptLimit(merged.maxAttempts) }
  return (
    preStop(progress) ??
    sandboxStop(compiled.host, progress) ??
    sessionStop(compiled, counters, progress) ??
    workflowStop(progress) ??
    operationLimit(compiled, progress.call, counters)
  )
}

function preStop(progress: Progress): Stop | undefined {
  const { pre, preIndex } = progress.rules
  visitRules(pre.length, preIndex, progress, askPre, progress)
  if (!progress.stop) progress.rulesEvaluated += pre.length
  return progress.stop
}

function askPre(number: number, progress: Progress): boolean {
  const compiled = progress.rules.pre[number]
  const fired = compiled && fireTested('yaml_precondition', compiled, progress)
  if (!fired) return false
  progress.stop = settle(fired, compiled.rule.then, progress)
  if (progress.stop) progress.rulesEvaluated = number + 1
  return progress.stop !== undefined
}

function sandboxStop(host: Host, progress: Progress): Stop | undefined {
  const { sandbox } = progress.rules
  if (sandbox.length === 0) return undefined
  const materials = materialsOf(progress.call, host)
  if (!mayBreak(progress.rules, materials)) {
    progress.rulesEvaluated += sandbox.length
    return undefined
  }
  for (const compiled of sandbox) {
    progress.rulesEvaluated += 1
    const fired = fireSandbox(compiled, progress, materials)
    if (!fired) continue
    const stop = settle(fired, compiled.rule, progress)
    if (stop) return stop
  }
  return undefined
}

/** Nearly no call breaks a sandbox, so all are asked at once first. */
function mayBreak({ breaksAnySandbox }: ToolRules, materials: Materials): boolean {
  try {
    return breaksAnySandbox(materials)
  } catch {
    // The host's path resolver threw; the rules that look at paths will say so.
    return true
  }
}

function sessionStop(compiled: Compiled, counters: Counters, progress: Progress): Stop | undefined {
  for (const { rule, mode, isOver } of compiled.session.steps) {
    progress.rulesEvaluated += 1
    if (!isOver(progress.call, counters)) continue
    const fired = fire(rule, {
      source: 'yaml_session',
      name: rule.id,
      action: 'block',
      message: compiled.sessionMessages.get(rule.id)?.(progress) ?? rule.then.message,
      tags: rule.then.tags,
      metadata: rule.then.metadata,
      isObserved: mode === 'observe',
      policyError: false,
    })
    if (!fired.isObserved) return { fired }
    observe(progress, fired)
  }
  return undefined
}

/** An observed rule is noted and passed; an approved one is passed; any other ends the pipeline. */
function settle(fired: Fired, wait: Hold, progress: Progress): Stop | undefined {
  progress.policyError ||= fired.policyError
  if (fired.isObserved) {
    observe(progress, fired)
    return undefined
  }
  if (fired.action !== 'ask') return { fired }
  if (progress.facts.approved?.has(fired.name)) return undefined
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
  if (max === undefined) return undefined
  const count = toolCount(counters, call.tool)
  if (count < max) return undefined
  const message = `Per-tool limit: ${call.tool} called ${count} times (limit: ${max}).`
  return { fired: builtIn({ ...limit, name: `max_calls_per_tool:${call.tool}`, message }) }
}

/** Shadow rules: what they would say is noted, nothing else comes of it. */
function runCandidates(candidates: Compiled, progress: Progress): void {
  const { call, facts } = progress
  const aside = startOf(candidates, call, facts)
  const materials = materialsOf(call, candidates.host)
  for (const one of aside.rules.pre) note(fireTested('yaml_precondition', one, aside))
  for (const one of aside.rules.sandbox) note(fireSandbox(one, aside, materials))
  const stop = sessionStop(candidates, facts.counters ?? noCounters, aside)
  for (const fired of aside.observed ?? []) note(fired)
  note(stop?.fired)

  function note(fired: Fired | undefined): void {
    if (fired) observe(progress, { ...fired, isObserved: true, isCandidate: true })
  }
}
