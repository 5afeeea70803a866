import { type Call, type Counters, noCounters, toolCount } from '../evaluate/call.ts'
import type { Compiled } from '../evaluate/compile.ts'
import { compileMessage } from '../evaluate/message.ts'
import type { Situation } from '../evaluate/selector-value.ts'
import type { CheckedLimits } from '../evaluate/session-limits.ts'
import { type Action, type Rule, ruleMode } from '../model.ts'
import type { LimitFinding, NotConsidered, RuleExplanation } from './explanation.ts'
import type { JudgedRule } from './judge-rules.ts'
import { bits } from './possible.ts'
import { ruleInWords } from './summary.ts'
import type { Walk } from './walk-pipeline.ts'

/** Where a rule stands: in the document that decides, or in one that runs alongside. */
export interface RulePlace {
  readonly compiled: Compiled
  readonly situation: Situation
  readonly walk: Walk
  readonly isCandidate: boolean
}

export function explainRule(judged: JudgedRule, place: RulePlace): RuleExplanation {
  const { rule, possible, condition, sandbox } = judged
  const notConsidered = judged.notFor ?? reasonNotReached(rule, place)
  const outcome = judged.notFor ? undefined : outcomeOf(judged)
  const limits = judged.notFor ? undefined : limitsOf(rule, place)
  const message = outcome === 'fires' ? messageOf(rule, place.situation) : undefined
  const explained: Omit<RuleExplanation, 'words'> = {
    id: rule.id,
    type: rule.type,
    mode: ruleMode(rule, place.compiled.ruleset),
    action: actionOf(rule),
    tags: rule.type === 'sandbox' ? [] : rule.then.tags,
    isCandidate: place.isCandidate,
    line: rule.line,
    endLine: rule.endLine,
    ...(notConsidered ? { notConsidered } : {}),
    ...(outcome ? { outcome } : {}),
    isPolicyError: possible === bits.error,
    effect: notConsidered || !outcome ? 'none' : effectOf(rule, outcome, place),
    ...(message === undefined ? {} : { message }),
    ...(condition ? { condition } : {}),
    ...(sandbox ? { sandbox } : {}),
    ...(limits ? { limits } : {}),
  }
  return { ...explained, words: ruleInWords(explained, rule) }
}

function actionOf(rule: Rule): Action {
  return rule.type === 'sandbox' ? rule.outside : rule.then.action
}

function outcomeOf({ possible }: JudgedRule): 'fires' | 'passes' | 'unknown' {
  if (possible === bits.no) return 'passes'
  return (possible & bits.no) === 0 ? 'fires' : 'unknown'
}

function reasonNotReached(rule: Rule, { walk, isCandidate }: RulePlace): NotConsidered | undefined {
  if (rule.type === 'post') return undefined
  const mayGoThrough = walk.possible.some(({ name }) => name === undefined)
  return (isCandidate ? mayGoThrough : walk.reached.has(rule)) ? undefined : 'already_stopped'
}

function effectOf(
  rule: Rule,
  outcome: 'fires' | 'passes' | 'unknown',
  { compiled, situation, isCandidate }: RulePlace,
): RuleExplanation['effect'] {
  if (outcome === 'passes') return 'none'
  if (isCandidate || ruleMode(rule, compiled.ruleset) === 'observe') return outcome === 'fires' ? 'observed' : 'open'
  if (actionOf(rule) === 'ask' && situation.facts.approved?.has(rule.id))
    return outcome === 'fires' ? 'approved' : 'open'
  if (outcome === 'unknown') return 'open'
  return rule.type === 'post' ? 'reported' : 'decided'
}

function messageOf(rule: Rule, situation: Situation): string {
  const template = rule.type === 'sandbox' ? rule.message : rule.then.message
  try {
    return compileMessage(template, rule.type === 'post')(situation)
  } catch {
    // A custom selector threw; the words say what failed.
    return template
  }
}

function limitsOf(rule: Rule, { compiled, situation }: RulePlace): readonly LimitFinding[] | undefined {
  const step = compiled.session.steps.find((one) => one.rule === rule)
  return step && limitFindings(step.checks, situation.call, situation.facts.counters ?? noCounters)
}

/** Counters beside the limits that are set. */
export function limitFindings(limits: CheckedLimits, call: Call, counters: Counters): readonly LimitFinding[] {
  const finding = (limit: LimitFinding['limit'], max: number, count: number): LimitFinding => {
    return { limit, max, count, isReached: count >= max }
  }
  const all: LimitFinding[] = [
    finding('max_attempts', limits.maxAttempts, counters.attempts),
    finding('max_tool_calls', limits.maxToolCalls, counters.executions),
  ]
  const max = limits.perTool.get(call.tool)
  if (max !== undefined) {
    all.push({ ...finding('max_calls_per_tool', max, toolCount(counters, call.tool)), tool: call.tool })
  }
  return all.filter((one) => Number.isFinite(one.max))
}
