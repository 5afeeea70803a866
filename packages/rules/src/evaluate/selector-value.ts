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
  const { root, path } = placeOf(selector)
  const [first] = path
  if (first === undefined) return (situation) => root(situation) ?? undefined
  // Nearly every selector goes one step down; a loop costs as much again.
  if (path.length === 1) return (situation) => stepInto(root(situation), first) ?? undefined
  return (situation) => {
    let value = root(situation)
    for (const key of path) value = stepInto(value, key)
    return value ?? undefined
  }
}

/** Where a selector begins and which keys it then descends through. */
export interface SelectorPlace {
  readonly root: Read
  readonly path: readonly string[]
}

const principalFields: Readonly<Record<string, keyof Omit<Principal, 'claims'>>> = {
  'principal.user_id': 'userId',
  'principal.service_id': 'serviceId',
  'principal.org_id': 'orgId',
  'principal.role': 'role',
  'principal.ticket_ref': 'ticketRef',
}

export function placeOf(selector: string): SelectorPlace {
  const whole = (root: Read): SelectorPlace => ({ root, path: [] })
  if (selector === 'environment') return whole(({ call }) => call.environment ?? 'production')
  if (selector === 'tool.name') return whole(({ call }) => call.tool)
  if (Object.hasOwn(principalFields, selector)) {
    const field = principalFields[selector]
    return whole(field === undefined ? missing : ({ call }) => call.principal?.[field])
  }
  if (selector === 'output.text') return whole(({ output }) => (output ? outputText(output) : undefined))
  for (const [prefix, root] of roots) {
    if (selector.startsWith(prefix)) return { root, path: selector.slice(prefix.length).split('.') }
  }
  if (selector.startsWith('env.')) {
    const name = selector.slice('env.'.length)
    return whole(({ facts }) =>
      facts.env && Object.hasOwn(facts.env, name) ? coerce(facts.env[name] ?? '') : undefined,
    )
  }
  const [prefix = '', ...path] = selector.split('.')
  const root: Read = ({ call, customSelectors }) =>
    Object.hasOwn(customSelectors, prefix) ? customSelectors[prefix]?.(call) : undefined
  return { root, path }
}

const roots: readonly (readonly [string, Read])[] = [
  ['args.', ({ call }) => call.args],
  ['principal.claims.', ({ call }) => call.principal?.claims],
  ['metadata.', ({ call }) => call.metadata],
  ['result.', ({ output }) => output?.result],
  ['output.', ({ output }) => output?.result],
]

function missing(): undefined {
  return undefined
}

/** Objects only: SDKs disagree on whether a list can be walked into, so no rule may count on it. */
export function stepInto(value: JsonValue | undefined, key: string): JsonValue | undefined {
  return isObject(value) ? own(value, key) : undefined
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
