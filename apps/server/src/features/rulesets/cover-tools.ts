import { type Compiled, compile, type Expression, parseRuleset, type Rule, type Ruleset } from '@countersign/rules'
import type { CoveredTool, ToolStatus } from '@countersign/wire'

/** The rules an agent says it has loaded; of its conditions nothing is known. */
export type ReportedRule = {
  readonly id: string
  readonly type: string | null
  readonly tools: readonly string[]
  readonly mode: string | null
}

export type CoverOrder = {
  readonly rules:
    | { readonly is: 'text'; readonly text: string }
    | { readonly is: 'reported'; readonly rules: readonly ReportedRule[] }
  readonly tools: readonly string[]
}

export type ToolCover = {
  readonly tool: string
  readonly status: ToolStatus
  readonly rules: CoveredTool['rules']
}

export type Cover = {
  /** The tools asked for, and those the document or the report names itself. */
  readonly tools: readonly ToolCover[]
  /** Those it names itself. */
  readonly declared: readonly string[]
  readonly sessionLimits: readonly { readonly name: string; readonly max: number }[]
}

/** Which rules are about each tool, as the engine picks them for a call. Pure. */
export function coverTools({ rules, tools }: CoverOrder): Cover {
  const ruleset = rules.is === 'text' ? modelOf(rules.text) : asRuleset(rules.rules)
  const compiled = compile(ruleset)
  const declared = declaredBy(ruleset)
  const all = [...new Set([...tools, ...declared])]
  return {
    tools: all.map((tool) => coverOf(compiled, tool)),
    declared,
    sessionLimits: sessionLimitsOf(ruleset),
  }
}

function modelOf(text: string): Ruleset {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(`A stored revision is refused: ${parsed.diagnostics[0]?.message ?? ''}`)
  return parsed.ruleset
}

function coverOf(compiled: Compiled, tool: string): ToolCover {
  const { pre, sandbox, post } = compiled.rulesFor(tool)
  const limits = compiled.ruleset.rules.filter((rule) => rule.enabled && limitsTool(rule, tool))
  const found = [
    ...[...pre, ...sandbox, ...post].map(({ rule, isObserved }) => ({ rule, isObserved })),
    ...limits.map((rule) => ({ rule, isObserved: (rule.mode ?? compiled.ruleset.defaultMode) === 'observe' })),
  ]
  const isEnforced = found.some(({ rule, isObserved }) => !isObserved && hasEffect(rule, compiled.guardMode))
  return {
    tool,
    status: isEnforced ? 'enforced' : found.length > 0 ? 'observed' : 'ungoverned',
    rules: found.map(({ rule, isObserved }) => ({
      id: rule.id,
      type: rule.type,
      action: actionOf(rule),
      mode: isObserved || !hasEffect(rule, compiled.guardMode) ? 'observe' : 'enforce',
    })),
  }
}

/** An observing guard lets every block through, also that of a rule which says of itself that it enforces. */
function hasEffect(rule: Rule, guardMode: Ruleset['defaultMode']): boolean {
  return guardMode === 'enforce' || rule.type === 'post' || actionOf(rule) === 'ask'
}

function limitsTool(rule: Rule, tool: string): boolean {
  return rule.type === 'session' && rule.limits.maxCallsPerTool.some((limit) => limit.tool === tool)
}

function actionOf(rule: Rule): string {
  return rule.type === 'sandbox' ? rule.outside : rule.then.action
}

/** Names, not patterns: what stands for many tools declares none. */
function declaredBy({ tools, rules }: Ruleset): readonly string[] {
  const named = rules.flatMap((rule) => {
    if (!rule.enabled) return []
    if (rule.type === 'session') return rule.limits.maxCallsPerTool.map(({ tool }) => tool)
    return rule.type === 'sandbox' ? [...rule.tools] : [rule.tool]
  })
  return [...new Set([...tools.map(({ name }) => name), ...named.filter((name) => !/[*?[]/.test(name))])]
}

function sessionLimitsOf({ rules }: Ruleset): Cover['sessionLimits'] {
  return rules.flatMap((rule) => {
    if (rule.type !== 'session' || !rule.enabled) return []
    const { maxToolCalls, maxAttempts } = rule.limits
    return [
      ...(maxToolCalls === undefined ? [] : [{ name: `${rule.id}: max_tool_calls`, max: maxToolCalls }]),
      ...(maxAttempts === undefined ? [] : [{ name: `${rule.id}: max_attempts`, max: maxAttempts }]),
    ]
  })
}

const always: Expression = { is: 'test', selector: 'tool.name', operator: 'exists', operand: true, line: 1 }

/** A report as a ruleset, so that one engine answers which of its rules are about a tool. */
function asRuleset(reported: readonly ReportedRule[]): Ruleset {
  const rules = reported.flatMap(({ id, type, tools, mode }) =>
    // A rule that names no tool, such as a session limit, is about none.
    tools.map((tool): Rule => {
      const common = {
        id,
        enabled: true,
        mode: mode === 'observe' ? ('observe' as const) : ('enforce' as const),
        tool,
        when: always,
        line: 1,
        endLine: 1,
      }
      const then = { message: '', tags: [], metadata: {} }
      return type === 'post'
        ? { ...common, type: 'post', then: { ...then, action: 'warn' } }
        : { ...common, type: 'pre', then: { ...then, action: 'block', timeoutSeconds: 300, timeoutAction: 'block' } }
    }),
  )
  return {
    dialect: 'Ruleset',
    name: 'reported',
    defaultMode: 'enforce',
    tools: [],
    observeAlongside: false,
    rules,
  }
}
