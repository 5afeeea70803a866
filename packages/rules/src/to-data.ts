import type { Dialect, Expression, JsonValue, Observability, Rule, Ruleset, Tool } from './model.ts'
import { inDialect, words } from './read/words.ts'

type Data = { readonly [key: string]: JsonValue }

/** The model as the data of a `kind: Ruleset` document, keys in the order people write them. */
export function rulesetToData(ruleset: Ruleset): Data {
  return {
    apiVersion: 'edictum/v1',
    kind: 'Ruleset',
    metadata: { name: ruleset.name, ...optional('description', ruleset.description) },
    defaults: { mode: ruleset.defaultMode },
    ...optional('extends', ruleset.extends),
    ...(ruleset.tools.length > 0 ? { tools: object(ruleset.tools.map(toolToData)) } : {}),
    ...(ruleset.observability ? { observability: observabilityToData(ruleset.observability) } : {}),
    ...(ruleset.observeAlongside ? { observe_alongside: true } : {}),
    ...(ruleset.rules.length > 0 ? { rules: ruleset.rules.map(ruleToData) } : {}),
  }
}

export function toolToData(tool: Tool): readonly [string, Data] {
  return [tool.name, { side_effect: tool.sideEffect, ...(tool.idempotent ? { idempotent: true } : {}) }]
}

export function observabilityToData({ otel, stdout, file }: Observability): Data {
  const attributes = otel?.resourceAttributes
  const exporter = otel && {
    ...optional('enabled', otel.enabled),
    ...optional('endpoint', otel.endpoint),
    ...optional('protocol', otel.protocol),
    ...optional('service_name', otel.serviceName),
    ...optional('insecure', otel.insecure),
    ...(attributes ? { resource_attributes: object(attributes.map(({ name, value }) => [name, value])) } : {}),
  }
  return { ...(exporter ? { otel: exporter } : {}), ...optional('stdout', stdout), ...optional('file', file) }
}

export function ruleToData(rule: Rule): Data {
  const head = {
    id: rule.id,
    type: rule.type,
    ...(rule.enabled ? {} : { enabled: false }),
    ...optional('mode', rule.mode),
  }
  switch (rule.type) {
    case 'pre':
      return { ...head, tool: rule.tool, when: expressionToData(rule.when), then: thenToData(rule) }
    case 'post':
      return { ...head, tool: rule.tool, when: expressionToData(rule.when), then: thenToData(rule) }
    case 'session':
      return { ...head, limits: limitsToData(rule), then: thenToData(rule) }
    case 'sandbox':
      return { ...head, ...sandboxToData(rule) }
  }
}

/** The same in the words of a vocabulary. */
export function ruleToDataIn(rule: Rule, dialect: Dialect): Data {
  return dialect === 'Ruleset' ? ruleToData(rule) : inWordsOf(ruleToData(rule), dialect)
}

/** Only what the language itself names: keys and values below `metadata` and in conditions are the author's own. */
function inWordsOf(data: Data, dialect: Dialect): Data {
  const made: Record<string, JsonValue> = {}
  for (const [key, value] of Object.entries(data)) {
    if (key === 'action' || key === 'timeout_action') {
      const word = key === 'action' ? words.action : words.timeoutAction
      made[word[dialect]] = typeof value === 'string' ? inDialect(value, dialect) : value
    } else if (key === 'outside' && typeof value === 'string') made[key] = inDialect(value, dialect)
    else if (key === 'then' && isData(value)) made[key] = inWordsOf(value, dialect)
    else made[key] = value
  }
  return made
}

function isData(value: JsonValue): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function thenToData({ then }: Exclude<Rule, { type: 'sandbox' }>): Data {
  return {
    action: then.action,
    message: then.message,
    ...(then.tags.length > 0 ? { tags: then.tags } : {}),
    ...(Object.keys(then.metadata).length > 0 ? { metadata: then.metadata } : {}),
    ...('timeoutSeconds' in then ? waitToData(then) : {}),
  }
}

function waitToData(wait: { readonly timeoutSeconds: number; readonly timeoutAction: string }): Data {
  return {
    ...(wait.timeoutSeconds === 300 ? {} : { timeout: wait.timeoutSeconds }),
    ...(wait.timeoutAction === 'block' ? {} : { timeout_action: wait.timeoutAction }),
  }
}

function limitsToData({ limits }: Extract<Rule, { type: 'session' }>): Data {
  const perTool = limits.maxCallsPerTool
  return {
    ...optional('max_tool_calls', limits.maxToolCalls),
    ...optional('max_attempts', limits.maxAttempts),
    ...(perTool.length > 0 ? { max_calls_per_tool: object(perTool.map(({ tool, max }) => [tool, max])) } : {}),
  }
}

function sandboxToData(rule: Extract<Rule, { type: 'sandbox' }>): Data {
  const allows = { ...optional('commands', rule.allowedCommands), ...optional('domains', rule.allowedDomains) }
  // A sandbox without boundaries of either kind was written with an empty `allows`, and must be again.
  const hasAllows = Object.keys(allows).length > 0 || !rule.within
  return {
    tools: rule.tools,
    ...optional('within', rule.within),
    ...(rule.notWithin.length > 0 ? { not_within: rule.notWithin } : {}),
    ...(hasAllows ? { allows } : {}),
    ...(rule.blockedDomains.length > 0 ? { not_allows: { domains: rule.blockedDomains } } : {}),
    ...(rule.outside === 'block' ? {} : { outside: rule.outside }),
    message: rule.message,
    ...waitToData(rule),
  }
}

function expressionToData(expression: Expression): Data {
  switch (expression.is) {
    case 'all':
    case 'any':
      return { [expression.is]: expression.of.map(expressionToData) }
    case 'not':
      return { not: expressionToData(expression.of) }
    case 'test':
      return { [expression.selector]: { [expression.operator]: expression.operand } }
  }
}

function optional(key: string, value: JsonValue | undefined): Data {
  return value === undefined ? {} : { [key]: value }
}

/** Without a prototype, so that a tool may be called `__proto__`. */
function object(entries: readonly (readonly [string, JsonValue])[]): Data {
  const made: Record<string, JsonValue> = Object.create(null)
  for (const [key, value] of entries) made[key] = value
  return made
}
