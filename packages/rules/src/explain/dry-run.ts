import type { Call, Facts } from '../evaluate/call.ts'
import type { Compiled } from '../evaluate/compile.ts'
import type { Output } from '../evaluate/selector-value.ts'
import type { Action, Dialect, JsonValue } from '../model.ts'
import { inDialect, words } from '../read/words.ts'
import { explain } from './explain.ts'
import type { RuleExplanation } from './explanation.ts'

/** One rule whose tool fits, evaluated by itself. */
export interface DryRunRule {
  readonly id: string
  readonly type: 'precondition' | 'postcondition' | 'sandbox'
  readonly passed: boolean
  /** Expanded for the call; null when the rule passed. */
  readonly message: string | null
  readonly tags: readonly string[]
  readonly observed: boolean
  readonly action: Action
  readonly policyError: boolean
}

export interface DryRun {
  readonly verdict: 'allow' | 'block' | 'warn'
  /** A rule that asks for a human is counted as a block, in the verdict's older meaning. */
  readonly wouldAsk: boolean
  readonly tool: string
  readonly rules: readonly DryRunRule[]
  readonly blockReasons: readonly string[]
  readonly warnReasons: readonly string[]
  readonly policyError: boolean
}

/**
 * What every rule says of a call by itself: no first stop, no session, no limits, no workflow, no candidates. This is the
 * `evaluate` of the SDKs, for clients that know its answers; `explain` says what would really happen.
 */
export function dryRun(compiled: Compiled, call: Call, facts: Facts = {}, output?: Output): DryRun {
  const { rules } = explain(compiled, call, facts, output ? { output } : {})
  const spoken = rules.filter(({ outcome, type, isCandidate }) => outcome && type !== 'session' && !isCandidate)
  const order = ['precondition', 'sandbox', 'postcondition']
  const made = spoken.map(toDryRunRule).toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type))
  const failed = made.filter((rule) => !rule.passed && !rule.observed)
  const blocking = failed.filter((rule) => rule.type !== 'postcondition' || rule.action === 'block')
  const warning = failed.filter((rule) => rule.type === 'postcondition' && rule.action !== 'block')
  return {
    verdict: blocking.length > 0 ? 'block' : warning.length > 0 ? 'warn' : 'allow',
    wouldAsk: blocking.some((rule) => rule.action === 'ask'),
    tool: call.tool,
    rules: made,
    blockReasons: blocking.map((rule) => rule.message ?? ''),
    warnReasons: warning.map((rule) => rule.message ?? ''),
    policyError: made.some((rule) => rule.policyError),
  }
}

const types = { pre: 'precondition', post: 'postcondition', sandbox: 'sandbox' } as const

function toDryRunRule(rule: RuleExplanation): DryRunRule {
  const type = rule.type === 'session' ? types.pre : types[rule.type]
  return {
    id: rule.id,
    type,
    passed: rule.outcome === 'passes',
    message: rule.message ?? null,
    tags: rule.tags,
    observed: rule.mode === 'observe' && rule.outcome !== 'passes',
    action: rule.action,
    policyError: rule.isPolicyError,
  }
}

type Json = { readonly [key: string]: JsonValue }

/** The answer in the words of one vocabulary, as the SDKs of that vocabulary print it. */
export function dryRunToJson(run: DryRun, dialect: Dialect): Json {
  const isOlder = dialect === 'ContractBundle'
  return {
    [isOlder ? 'verdict' : 'decision']: inDialect(run.verdict, dialect),
    tool_name: run.tool,
    [words.rules[dialect]]: run.rules.map((rule) => ({
      [isOlder ? 'contract_id' : 'rule_id']: rule.id,
      [isOlder ? 'contract_type' : 'rule_type']: rule.type,
      passed: rule.passed,
      message: rule.message,
      tags: rule.tags,
      observed: rule.observed,
      [words.action[dialect]]: inDialect(rule.action, dialect),
      policy_error: rule.policyError,
    })),
    [isOlder ? 'deny_reasons' : 'block_reasons']: run.blockReasons,
    warn_reasons: run.warnReasons,
    [isOlder ? 'contracts_evaluated' : 'rules_evaluated']: run.rules.length,
    would_ask: run.wouldAsk,
    policy_error: run.policyError,
  }
}
