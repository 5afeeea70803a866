import type { Call, Facts } from '../src/evaluate/call.ts'
import { addressesIn, tidyDomainPattern } from '../src/evaluate/domains.ts'
import { lexicalPath, pathForms } from '../src/evaluate/paths.ts'
import { splitWords } from '../src/evaluate/shell-words.ts'
import type { Expression, JsonValue, Rule, Ruleset } from '../src/model.ts'
import { parsePattern } from '../src/pattern/parse-pattern.ts'
import { toProgram } from '../src/pattern/program.ts'
import { runProgram } from '../src/pattern/run-program.ts'

/**
 * The language once more, slow and obvious: no compilation, no index, no caches, other means wherever there are any. It
 * shares with the engine only what takes shell words, addresses and paths apart.
 */
export interface ReferenceAnswer {
  readonly verdict: 'allow' | 'block' | 'ask'
  readonly name: string | undefined
  readonly message: string | undefined
  readonly policyError: boolean
  readonly observed: readonly string[]
}

type Outcome = boolean | 'error'

interface World {
  readonly call: Call
  readonly facts: Facts
  readonly output?: { readonly result: JsonValue; readonly text?: string }
}

export function referencePre(ruleset: Ruleset, call: Call, facts: Facts): ReferenceAnswer {
  const world: World = { call, facts }
  const observed: string[] = []
  let policyError = false
  const counters = facts.counters ?? { attempts: 0, executions: 0, perTool: {} }
  const perTool = (counters.perTool as Record<string, number>)[call.tool] ?? 0
  const rules = ruleset.rules.filter((rule) => rule.enabled)
  const isEnforced = (rule: Rule): boolean => (rule.mode ?? ruleset.defaultMode) === 'enforce'
  const sessions = rules.filter((rule) => rule.type === 'session')
  const enforced = sessions.filter(isEnforced)
  const least = (fallback: number, values: readonly (number | undefined)[]): number =>
    Math.min(fallback, ...values.filter((value) => value !== undefined))

  const answer = (): Omit<ReferenceAnswer, 'policyError' | 'observed'> => {
    const maxAttempts = least(
      500,
      enforced.map((rule) => rule.limits.maxAttempts),
    )
    if (counters.attempts >= maxAttempts) {
      return stop(
        'max_attempts',
        `Attempt limit reached (${maxAttempts}). Agent may be stuck in a retry loop. Stop and reassess.`,
      )
    }
    for (const type of ['pre', 'sandbox'] as const) {
      for (const rule of rules) {
        if (rule.type !== type) continue
        const globs = rule.type === 'pre' ? [rule.tool] : rule.tools
        if (!globs.some((glob) => fnmatch(glob, call.tool))) continue
        const fired = rule.type === 'pre' ? evaluate(rule.when, world) : breaks(rule, call)
        if (fired === false) continue
        if (fired === 'error') policyError = true
        if (!isEnforced(rule)) {
          observed.push(rule.id)
          continue
        }
        const action = rule.type === 'pre' ? rule.then.action : rule.outside
        if (action === 'ask' && facts.approved?.has(rule.id)) continue
        const message = expand(rule.type === 'pre' ? rule.then.message : rule.message, world)
        return { verdict: action, name: rule.id, message }
      }
    }
    for (const [index, rule] of sessions.entries()) {
      const { limits } = rule
      if (!isEnforced(rule)) {
        const own = limits.maxCallsPerTool.find((one) => one.tool === call.tool)
        const isOver =
          counters.executions >= (limits.maxToolCalls ?? Number.POSITIVE_INFINITY) ||
          counters.attempts >= (limits.maxAttempts ?? Number.POSITIVE_INFINITY) ||
          (own !== undefined && perTool >= own.max)
        if (isOver) observed.push(rule.id)
        continue
      }
      const upTo = sessions.slice(0, index + 1).filter(isEnforced)
      const maxCalls = least(
        200,
        upTo.map((one) => one.limits.maxToolCalls),
      )
      const maxTries = least(
        500,
        upTo.map((one) => one.limits.maxAttempts),
      )
      if (counters.executions >= maxCalls || counters.attempts >= maxTries)
        return stop(rule.id, expand(rule.then.message, world))
    }
    const maxCalls = least(
      200,
      enforced.map((rule) => rule.limits.maxToolCalls),
    )
    if (counters.executions >= maxCalls) {
      return stop('max_tool_calls', `Execution limit reached (${maxCalls} calls). Summarize progress and stop.`)
    }
    const maxPerTool = least(
      Number.POSITIVE_INFINITY,
      enforced.flatMap((rule) =>
        rule.limits.maxCallsPerTool.filter((one) => one.tool === call.tool).map((one) => one.max),
      ),
    )
    if (perTool >= maxPerTool) {
      return stop(
        `max_calls_per_tool:${call.tool}`,
        `Per-tool limit: ${call.tool} called ${perTool} times (limit: ${maxPerTool}).`,
      )
    }
    return { verdict: 'allow', name: undefined, message: undefined }
  }

  const made = answer()
  if (made.verdict !== 'block' || ruleset.defaultMode === 'enforce') return { ...made, policyError, observed }
  return { ...made, verdict: 'allow', policyError, observed: [...observed, made.name ?? ''] }
}

/** Ids of the post rules that fire, in order. */
export function referencePost(
  ruleset: Ruleset,
  call: Call,
  output: NonNullable<World['output']>,
  facts: Facts,
): readonly string[] {
  const world: World = { call, facts, output }
  return ruleset.rules
    .filter((rule) => rule.type === 'post' && rule.enabled && fnmatch(rule.tool, call.tool))
    .filter((rule) => rule.type === 'post' && evaluate(rule.when, world) !== false)
    .map((rule) => rule.id)
}

function stop(name: string, message: string): { verdict: 'block'; name: string; message: string } {
  return { verdict: 'block', name, message }
}

function evaluate(expression: Expression, world: World): Outcome {
  if (expression.is === 'not') {
    const inner = evaluate(expression.of, world)
    return inner === 'error' ? 'error' : !inner
  }
  if (expression.is === 'test') {
    const value = select(expression.selector, world)
    return hold(expression.operator, value, expression.operand)
  }
  const last = expression.is === 'all'
  for (const one of expression.of) {
    const outcome = evaluate(one, world)
    if (outcome !== last) return outcome
  }
  return last
}

function select(selector: string, { call, facts, output }: World): JsonValue | undefined {
  const { principal } = call
  const root: Record<string, unknown> = {
    environment: call.environment ?? 'production',
    tool: { name: call.tool },
    args: call.args,
    metadata: call.metadata,
    principal: principal && {
      user_id: principal.userId,
      service_id: principal.serviceId,
      org_id: principal.orgId,
      role: principal.role,
      ticket_ref: principal.ticketRef,
      claims: principal.claims,
    },
    result: output?.result,
    output: output?.result,
  }
  if (selector.startsWith('env.')) return coerce(facts.env?.[selector.slice(4)])
  if (selector === 'output.text') {
    if (!output || (output.text === undefined && output.result === null)) return undefined
    return output.text ?? (typeof output.result === 'string' ? output.result : JSON.stringify(output.result))
  }
  let value: unknown = root
  for (const key of selector.split('.')) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return (value ?? undefined) as JsonValue | undefined
}

function coerce(text: string | undefined): JsonValue | undefined {
  if (text === undefined) return undefined
  if (['true', 'false'].includes(text.toLowerCase())) return text.toLowerCase() === 'true'
  return text !== '' && /^[+-]?[0-9.]+$/.test(text) && !Number.isNaN(Number(text)) ? Number(text) : text
}

function hold(operator: string, value: JsonValue | undefined, operand: JsonValue): Outcome {
  if (operator === 'exists') return (value !== undefined) === operand
  if (value === undefined) return false
  const list = Array.isArray(operand) ? (operand as readonly JsonValue[]) : [operand]
  const isOneOf = (): boolean => list.some((one) => same(one, value))
  switch (operator) {
    case 'equals':
      return same(value, operand)
    case 'not_equals':
      return !same(value, operand)
    case 'in':
      return isOneOf()
    case 'not_in':
      return !isOneOf()
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      if (typeof value !== 'number') return 'error'
      const difference = value - Number(operand)
      if (operator === 'gt') return difference > 0
      if (operator === 'lt') return difference < 0
      return operator === 'gte' ? difference >= 0 : difference <= 0
    }
    default: {
      if (typeof value !== 'string') return 'error'
      const outcomes = list.map((one) => holdText(operator, value, String(one)))
      // Patterns are asked one by one until one answers.
      return outcomes.find((outcome) => outcome !== false) ?? false
    }
  }
}

function holdText(operator: string, value: string, operand: string): Outcome {
  switch (operator) {
    case 'contains':
    case 'contains_any':
      return value.split(operand).length > 1
    case 'starts_with':
      return value.slice(0, operand.length) === operand
    case 'ends_with':
      return operand === '' || value.slice(-operand.length) === operand
    default: {
      const parsed = parsePattern(operand)
      const points = Int32Array.from(Array.from(value, (one) => one.codePointAt(0) ?? 0))
      const program = toProgram(parsed.root, parsed.groups)
      const found = runProgram(program, points, 0, { steps: program.isRegular ? 5_000_000 : 100_000 })
      return found.is === 'exhausted' ? 'error' : found.is === 'match'
    }
  }
}

function same(a: JsonValue, b: JsonValue): boolean {
  return typeof a === typeof b && canonical(a) === canonical(b)
}

function canonical(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`).join()}}`
}

function fnmatch(glob: string, text: string): boolean {
  const source = glob.replace(/\[!?[^\]]+\]|[\s\S]/g, (piece) => {
    if (piece === '*') return '[\\s\\S]*'
    if (piece === '?') return '[\\s\\S]'
    return piece.length > 1 ? piece.replace('[!', '[^') : piece.replace(/[\\^$.|+(){}[\]/]/, '\\$&')
  })
  return new RegExp(`^${source}$`, 'u').test(text)
}

function breaks(rule: Extract<Rule, { type: 'sandbox' }>, call: Call): boolean {
  const strings = Object.entries(call.args).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const given = call.args['command']
  const text = (typeof given === 'string' ? given : '').trim()
  const words = splitWords(text)
  const addresses = strings.flatMap(([, value]) => addressesIn(value))
  if (rule.within) {
    const pathKey =
      /^(?:path|file_path|filePath|directory|dir|folder|target|destination|source|src|dst|filename|file|filepath|read_path|write_path|working_directory|cwd|workdir)$/
    const raw = [
      ...strings.filter(([key]) => pathKey.test(key)).map(([, value]) => value),
      ...Object.entries(call.args).flatMap(([key, value]) =>
        pathKey.test(key) && Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [],
      ),
      ...strings
        .map(([, value]) => value)
        .filter(
          (value) =>
            value.startsWith('/') ||
            value === '..' ||
            /^\.{1,2}\/|^~/.test(value) ||
            (value.includes('../') && !value.includes('://')),
        ),
      ...words.filter((word) => word.startsWith('/')),
      ...addresses.flatMap((address) => (address.is === 'file' ? [address.path] : [])),
    ].filter((path) => path !== '')
    for (const path of raw) {
      const forms = pathForms(path, '/', undefined)
      if (forms.is === 'bad') return true
      for (const form of forms.forms) {
        if (rule.notWithin.some((one) => isBelow(form, lexicalPath(one, '/')))) return true
        if (!rule.within.some((one) => isBelow(form, lexicalPath(one, '/')))) return true
      }
    }
  }
  const opaque = [';', '|', '&', '\n', '\r', '`', '$(', '${', "$'", '<(', '>(', '<<']
  if (opaque.some((part) => text.includes(part)) || /^[0-9]*[<>]/.test(text)) return true
  if (text !== '' && rule.allowedCommands && !rule.allowedCommands.includes(words[0] ?? '')) return true
  for (const address of addresses) {
    if (address.is === 'unknown' && rule.allowedDomains) return true
    if (address.is !== 'host') continue
    const matches = (globs: readonly string[]): boolean =>
      globs.some((glob) => fnmatch(tidyDomainPattern(glob), address.host))
    if (matches(rule.blockedDomains)) return true
    if (rule.allowedDomains && !matches(rule.allowedDomains)) return true
  }
  return false
}

function isBelow(path: string, folder: string): boolean {
  return folder === '/' || `${path}/`.startsWith(`${folder}/`)
}

function expand(message: string, world: World): string {
  return message.replace(/\{([^}]+)\}/g, (whole, selector: string) => {
    const value = select(selector, world)
    if (value === undefined) return whole
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return text.length > 200 ? `${text.slice(0, 197)}...` : text
  })
}
