import { type Call, noCounters } from '../evaluate/call.ts'
import type { Compiled } from '../evaluate/compile.ts'
import type { Situation } from '../evaluate/selector-value.ts'
import type { Rule } from '../model.ts'
import { explainCondition } from './explain-condition.ts'
import { explainSandbox } from './explain-sandbox.ts'
import type { Condition, NotConsidered, SandboxFinding } from './explanation.ts'
import { checksFor } from './judge-call.ts'
import { type KnownMaterials, knownMaterials, sandboxOutcomes } from './judge-sandbox.ts'
import { bits, type Possible } from './possible.ts'
import type { Unknowns } from './unknowns.ts'

/** One rule by itself: whether it is for this call at all, and what it comes to. */
export interface JudgedRule {
  readonly rule: Rule
  readonly notFor?: NotConsidered
  readonly possible: Possible
  readonly condition?: Condition
  readonly sandbox?: readonly SandboxFinding[]
}

/** Each rule of a document, in its order, whatever the others say. */
export function judgeRules(
  compiled: Compiled,
  situation: Situation,
  unknowns: Unknowns,
): ReadonlyMap<Rule, JudgedRule> {
  const { pre, sandbox, post } = compiled.rulesFor(situation.call.tool)
  const matching = new Set<Rule>([...pre, ...sandbox, ...post].map(({ rule }) => rule))
  const materials = knownMaterials(situation, compiled.host, unknowns)
  const judge = (rule: Rule): JudgedRule => {
    const notFor = reasonNotFor(rule, matching, situation)
    if (notFor) return { rule, notFor, possible: bits.no }
    return judgeRule(rule, { compiled, situation, unknowns, materials })
  }
  return new Map(compiled.ruleset.rules.map((rule) => [rule, judge(rule)]))
}

function reasonNotFor(rule: Rule, matching: ReadonlySet<Rule>, { output }: Situation): NotConsidered | undefined {
  if (!rule.enabled) return 'disabled'
  if (rule.type === 'session') return undefined
  if (!matching.has(rule)) return 'other_tool'
  return rule.type === 'post' && !output ? 'no_output' : undefined
}

interface Judging {
  readonly compiled: Compiled
  readonly situation: Situation
  readonly unknowns: Unknowns
  readonly materials: KnownMaterials
}

function judgeRule(rule: Rule, { compiled, situation, unknowns, materials }: Judging): JudgedRule {
  switch (rule.type) {
    case 'pre':
    case 'post':
      return { rule, ...explainCondition(rule.when, { situation, unknowns, custom: compiled.customOperators }) }
    case 'session':
      return { rule, possible: isOver(rule, compiled, situation) ? bits.yes : bits.no }
    case 'sandbox': {
      const checks = checksFor(rule, compiled)
      try {
        const possible = sandboxOutcomes(checks, materials)
        return { rule, possible, sandbox: explainSandbox(rule, checks, materials) }
      } catch {
        // The host's path resolver threw; then the rule fires.
        return { rule, possible: bits.error, sandbox: [] }
      }
    }
  }
}

function isOver(
  rule: Rule,
  { session }: Compiled,
  { call, facts }: { readonly call: Call; readonly facts: Situation['facts'] },
): boolean {
  const step = session.steps.find((one) => one.rule === rule)
  return step?.isOver(call, facts.counters ?? noCounters) === true
}
