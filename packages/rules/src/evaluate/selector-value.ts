import type { JsonValue } from '../model.ts'
import { asJson, type Call, type Facts, isObject, own, type Principal } from './call.ts'

/** What the tool gave back, for rules that run afterwards. */
export interface Output {
  readonly result: JsonValue
  /** The result as text, when the caller knows better than its JSON. */
  readonly text?: string
}

export type CustomSelectors = Readonly<Record<string, (call: Call) => JsonValue | undefined>>

export interface Situation {
  readonly call: Call
  readonly facts: Facts
  readonly output?: Output
  readonly customSelectors: CustomSelectors
}

/** Undefined is "missing"; JSON null is missing too, for every operator. */
export type Read = (situation: Situation) => JsonValue | undefined

export function compileSelector(selector: string): Read {
  const read = compileRaw(selector)
  return (situation) => read(situation) ?? undefined
}

const principalFields: Readonly<Record<string, keyof Omit<Principal, 'claims'>>> = {
  'principal.user_id': 'userId',
  'principal.service_id': 'serviceId',
  'principal.org_id': 'orgId',
  'principal.role': 'role',
  'principal.ticket_ref': 'ticketRef',
}

function compileRaw(selector: string): Read {
  if (selector === 'environment') return ({ call }) => call.environment ?? 'production'
  if (selector === 'tool.name') return ({ call }) => call.tool
  if (Object.hasOwn(principalFields, selector)) {
    const field = principalFields[selector]
    return field === undefined ? missing : ({ call }) => call.principal?.[field]
  }
  if (selector === 'output.text') return ({ output }) => (output ? outputText(output) : undefined)
  const nested = (prefix: string, root: (situation: Situation) => JsonValue | undefined): Read | undefined => {
    if (!selector.startsWith(prefix)) return undefined
    const path = selector.slice(prefix.length).split('.')
    return (situation) => lookUp(root(situation), path)
  }
  const read =
    nested('args.', ({ call }) => call.args) ??
    nested('principal.claims.', ({ call }) => call.principal?.claims) ??
    nested('metadata.', ({ call }) => call.metadata) ??
    nested('result.', ({ output }) => output?.result) ??
    nested('output.', ({ output }) => output?.result)
  if (read) return read
  if (selector.startsWith('env.')) {
    const name = selector.slice('env.'.length)
    return ({ facts }) => (facts.env && Object.hasOwn(facts.env, name) ? coerce(facts.env[name] ?? '') : undefined)
  }
  const [prefix = '', ...path] = selector.split('.')
  return (situation) => {
    if (!Object.hasOwn(situation.customSelectors, prefix)) return undefined
    return lookUp(situation.customSelectors[prefix]?.(situation.call), path)
  }
}

function missing(): undefined {
  return undefined
}

/** Objects only: SDKs disagree on whether a list can be walked into, so no rule may count on it. */
function lookUp(root: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = root
  for (const key of path) {
    if (!isObject(value)) return undefined
    value = own(value, key)
  }
  return value
}

export function outputText({ result, text }: Output): string | undefined {
  if (text !== undefined) return text
  if (result === null) return undefined
  return typeof result === 'string' ? result : asJson(result)
}

/** Environment variables are text; rules compare them with numbers and booleans. */
function coerce(text: string): JsonValue {
  if (/^true$/i.test(text)) return true
  if (/^false$/i.test(text)) return false
  if (/^[+-]?[0-9]+$/.test(text)) {
    const whole = Number(text)
    return Number.isSafeInteger(whole) ? whole : text
  }
  if (/^[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][+-]?[0-9]+)?$/.test(text)) {
    const number = Number(text)
    return Number.isFinite(number) ? number : text
  }
  return text
}
