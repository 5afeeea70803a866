import { type Mode, type Ruleset, ruleMode, type SessionRule } from '../model.ts'
import { type Call, type Counters, toolCount } from './call.ts'

export interface CheckedLimits {
  /** Infinite where an observed rule sets none. */
  readonly maxAttempts: number
  readonly maxToolCalls: number
  readonly perTool: ReadonlyMap<string, number>
}

/** In force even without any rule: an agent in a loop is stopped. */
const fallback: CheckedLimits = { maxAttempts: 500, maxToolCalls: 200, perTool: new Map() }

export interface SessionStep {
  readonly rule: SessionRule
  readonly mode: Mode
  /** What it compares the counters with: for an enforced rule everything up to itself, without limits of single tools. */
  readonly checks: CheckedLimits
  /** Whether the session is over a limit this rule checks. */
  readonly isOver: (call: Call, counters: Counters) => boolean
}

export interface SessionSteps {
  readonly steps: readonly SessionStep[]
  /** All enforced rules together: what the limits before and after the rules check. */
  readonly merged: CheckedLimits
}

/**
 * Rules only tighten. An enforced rule is checked against everything up to and including itself; an observing one stands
 * alone and tightens nothing.
 */
export function compileSession(ruleset: Ruleset): SessionSteps {
  let merged = fallback
  const steps: SessionStep[] = []
  for (const rule of ruleset.rules) {
    if (rule.type !== 'session' || !rule.enabled) continue
    const mode = ruleMode(rule, ruleset)
    if (mode === 'observe') {
      steps.push({ rule, mode, checks: ownLimits(rule), isOver: ownTest(rule) })
      continue
    }
    merged = tighten(merged, rule)
    const { maxAttempts, maxToolCalls } = merged
    const isOver: SessionStep['isOver'] = (_, { attempts, executions }) =>
      executions >= maxToolCalls || attempts >= maxAttempts
    steps.push({ rule, mode, checks: { maxAttempts, maxToolCalls, perTool: new Map() }, isOver })
  }
  return { steps, merged }
}

function ownLimits({ limits }: SessionRule): CheckedLimits {
  const { maxAttempts = Number.POSITIVE_INFINITY, maxToolCalls = Number.POSITIVE_INFINITY } = limits
  return { maxAttempts, maxToolCalls, perTool: new Map(limits.maxCallsPerTool.map(({ tool, max }) => [tool, max])) }
}

function ownTest(rule: SessionRule): SessionStep['isOver'] {
  const { maxAttempts, maxToolCalls, perTool } = ownLimits(rule)
  return (call, counters) => {
    if (counters.executions >= maxToolCalls || counters.attempts >= maxAttempts) return true
    const max = perTool.get(call.tool)
    return max !== undefined && toolCount(counters, call.tool) >= max
  }
}

function tighten(limits: CheckedLimits, { limits: more }: SessionRule): CheckedLimits {
  const perTool = new Map(limits.perTool)
  for (const { tool, max } of more.maxCallsPerTool) perTool.set(tool, Math.min(max, perTool.get(tool) ?? max))
  return {
    maxAttempts: Math.min(limits.maxAttempts, more.maxAttempts ?? limits.maxAttempts),
    maxToolCalls: Math.min(limits.maxToolCalls, more.maxToolCalls ?? limits.maxToolCalls),
    perTool,
  }
}
