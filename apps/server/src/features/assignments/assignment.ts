import { compileGlob } from './glob.ts'

export type Tags = Readonly<Record<string, string>>

export type AssignmentRule = {
  readonly id: string
  readonly priority: number
  readonly pattern: string
  readonly tagMatch: Tags | null
  readonly environment: string
  readonly ruleset: string
}

export type AssignmentSource = 'explicit' | 'rule' | 'agent_provided' | 'none'

export type Resolution = {
  readonly ruleset: string | null
  readonly source: AssignmentSource
  readonly ruleId?: string
  readonly rulePattern?: string
}

export type AssignmentOrder = 'operator_first' | 'agent_first'

export type Ask = {
  readonly environment: string
  readonly agentId: string
  /** What operators gave it, overlaid by what it says of itself. */
  readonly tags: Tags
  /** What the agent itself names. */
  readonly asked?: string | undefined
}

/** Everything that decides, of one tenant, made ready to be asked often. */
export type AssignmentBook = {
  readonly resolve: (ask: Ask, order: AssignmentOrder) => Resolution
}

type Ready = AssignmentRule & { readonly matches: (agentId: string) => boolean }

const identifier = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/

/** `explicit` names the ruleset of an agent in an environment, or nothing. */
export function assignmentBook(
  rules: readonly AssignmentRule[],
  explicit: (environment: string, agentId: string) => string | undefined,
): AssignmentBook {
  const ready = new Map<string, Ready[]>()
  for (const rule of rules.toSorted((a, b) => a.priority - b.priority)) {
    const list = ready.get(rule.environment) ?? []
    ready.set(rule.environment, list)
    list.push({ ...rule, matches: compileGlob(rule.pattern) })
  }
  const byOperator = ({ environment, agentId, tags }: Ask): Resolution | undefined => {
    const own = explicit(environment, agentId)
    if (own !== undefined) return { ruleset: own, source: 'explicit' }
    const rule = ready.get(environment)?.find((one) => one.matches(agentId) && hasTags(one.tagMatch, tags))
    return rule && { ruleset: rule.ruleset, source: 'rule', ruleId: rule.id, rulePattern: rule.pattern }
  }
  return {
    resolve: (ask, order) => {
      const isNamed = ask.asked !== undefined && identifier.test(ask.asked)
      const byAgent: Resolution | undefined = isNamed
        ? { ruleset: ask.asked ?? null, source: 'agent_provided' }
        : undefined
      const none: Resolution = { ruleset: null, source: 'none' }
      return order === 'agent_first' ? (byAgent ?? byOperator(ask) ?? none) : (byOperator(ask) ?? byAgent ?? none)
    },
  }
}

/** Whether a rule is about an agent at all, won by it or not. */
export function ruleMatches(rule: AssignmentRule, { environment, agentId, tags }: Ask): boolean {
  return rule.environment === environment && hasTags(rule.tagMatch, tags) && compileGlob(rule.pattern)(agentId)
}

export function sameResolution(a: Resolution, b: Resolution): boolean {
  return a.ruleset === b.ruleset
}

function hasTags(wanted: Tags | null, tags: Tags): boolean {
  if (wanted === null) return true
  return Object.entries(wanted).every(([name, value]) => Object.hasOwn(tags, name) && tags[name] === value)
}
