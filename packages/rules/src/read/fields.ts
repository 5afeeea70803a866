import { type Findings, quote, type Span, step } from '../diagnostic.ts'
import type { Limits } from '../limits.ts'
import type { Dialect, JsonValue, Lines } from '../model.ts'
import { remedies } from '../remedies.ts'
import type { Entry, ListNode, MapNode, Node } from './tree.ts'

/** What every reader needs to know of the document it reads a part of. */
export interface Reading {
  readonly findings: Findings
  readonly limits: Limits
  readonly dialect: Dialect
  readonly customOperators: ReadonlySet<string>
  readonly customSelectors: ReadonlySet<string>
  readonly isStrict: boolean
  readonly lineOf: (offset: number) => number
}

/** A node and the way to it. */
export interface Place {
  readonly node: Node
  readonly path: string
  readonly at: Span
}

export interface MapPlace extends Place {
  readonly node: MapNode
}

export function child(parent: MapPlace, key: string): Place | undefined {
  const entry = parent.node.entries.get(key)
  return entry ? placeOf(entry, step(parent.path, key)) : undefined
}

function placeOf(entry: Entry, path: string): Place {
  // A complaint about an aliased value belongs where the alias stands.
  const at = entry.alias ?? (entry.value.span.end > entry.value.span.start ? entry.value.span : entry.key.span)
  return { node: entry.value, path, at }
}

export function items(list: ListNode, path: string): readonly Place[] {
  return list.items.map((item, index) => ({
    node: item.node,
    path: step(path, index),
    at: item.alias ?? item.node.span,
  }))
}

export function asMap(place: Place | undefined): MapPlace | undefined {
  return place?.node.is === 'map' ? { ...place, node: place.node } : undefined
}

export function text(place: Place | undefined): string | undefined {
  return place?.node.is === 'scalar' && typeof place.node.value === 'string' ? place.node.value : undefined
}

/** Where to point when something inside a mapping is missing: its first key, since a whole block is too much to mark. */
export function headOf(parent: MapPlace): Span {
  const [first] = parent.node.entries.values()
  return first ? first.key.span : parent.at
}

export function linesOf(node: Node, reading: Reading): Lines {
  const line = reading.lineOf(node.span.start)
  return {
    line,
    endLine: Math.max(line, reading.lineOf(Math.max(node.span.start, node.span.end - 1))),
  }
}

/** Keys that nobody reads are refused: a mistyped `not_within` would otherwise be a hole. */
export function refuseUnknown(parent: MapPlace, known: readonly string[], what: string, reading: Reading): void {
  for (const [name, entry] of parent.node.entries) {
    if (known.includes(name)) continue
    const path = step(parent.path, name)
    if (name === '_observe' || name === '_shadow') {
      reading.findings.error({
        code: 'rule.reserved',
        at: entry.key.span,
        path,
        message: `The key ${name} is reserved for rules made by composition and may not be written.`,
        hint: 'Use `mode: observe` to try a rule out.',
      })
      continue
    }
    const near = nearest(name, known)
    reading.findings.error({
      code: 'doc.unknown_field',
      at: entry.key.span,
      path,
      message: `Unknown field ${quote(name)} in ${what}.`,
      hint: near ? `Did you mean ${quote(near)}?` : `Known here: ${known.join(', ')}.`,
    })
  }
}

export interface StringRule {
  readonly code: string
  /** The field in words, for the message. */
  readonly name: string
  readonly isRequired: boolean
  readonly pattern?: RegExp
  readonly patternWords?: string
  readonly charactersMax?: number
  readonly mayBeEmpty?: boolean
}

export function readString(parent: MapPlace, key: string, rule: StringRule, reading: Reading): string | undefined {
  const place = child(parent, key)
  if (!place) {
    if (rule.isRequired) missing(parent, key, rule.code, `${rule.name} is missing`, reading)
    return undefined
  }
  const value = text(place)
  const complain = (message: string, hint?: string): undefined => {
    reading.findings.error({
      code: rule.code,
      at: place.at,
      path: place.path,
      message,
      ...(hint ? { hint } : {}),
    })
  }
  if (value === undefined) return complain(`${rule.name} must be a string.`, 'Put the value in quotes.')
  if (value === '' && !rule.mayBeEmpty) return complain(`${rule.name} must not be empty.`)
  if (rule.charactersMax !== undefined && characters(value) > rule.charactersMax) {
    return complain(`${rule.name} has ${characters(value)} characters, at most ${rule.charactersMax} are accepted.`)
  }
  if (rule.pattern && !rule.pattern.test(value)) {
    return complain(`${rule.name} ${quote(value)} is not valid.`, rule.patternWords)
  }
  return value
}

/** Code points, which is what people count. */
export function characters(value: string): number {
  let count = 0
  for (const _ of value) count += 1
  return count
}

export function missing(
  parent: MapPlace,
  key: string,
  code: string,
  what: string,
  reading: Reading,
  hint?: string,
): void {
  reading.findings.error({
    code,
    at: headOf(parent),
    path: step(parent.path, key),
    message: `${what}.`,
    hint: hint ?? remedies[code] ?? `Add \`${key}:\`.`,
  })
}

export function readChoice<Value extends string>(
  place: Place,
  choices: readonly Value[],
  code: string,
  name: string,
  reading: Reading,
): Value | undefined {
  const value = text(place)
  const chosen = choices.find((choice) => choice === value)
  if (chosen !== undefined) return chosen
  const got = value === undefined ? '' : `, not ${quote(value)}`
  reading.findings.error({
    code,
    at: place.at,
    path: place.path,
    message: `${name} must be ${choices.map((choice) => `\`${choice}\``).join(' or ')}${got}.`,
  })
  return undefined
}

export function readBoolean(parent: MapPlace, key: string, code: string, reading: Reading): boolean | undefined {
  const place = child(parent, key)
  if (!place) return undefined
  if (place.node.is === 'scalar' && typeof place.node.value === 'boolean') return place.node.value
  reading.findings.error({
    code,
    at: place.at,
    path: place.path,
    message: `${key} must be true or false.`,
  })
  return undefined
}

export function readCount(place: Place, code: string, name: string, reading: Reading): number | undefined {
  const value = place.node.is === 'scalar' ? place.node.value : undefined
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return value
  reading.findings.error({
    code,
    at: place.at,
    path: place.path,
    message: `${name} must be a whole number, 1 or more.`,
  })
  return undefined
}

export interface StringsRule {
  readonly code: string
  readonly name: string
  readonly mayBeEmpty?: boolean
}

export function readStrings(place: Place, rule: StringsRule, reading: Reading): readonly string[] | undefined {
  const complain = (at: Place, message: string): undefined => {
    reading.findings.error({
      code: rule.code,
      at: at.at,
      path: at.path,
      message,
    })
  }
  if (place.node.is !== 'list') return complain(place, `${rule.name} must be a list of strings.`)
  if (place.node.items.length === 0 && !rule.mayBeEmpty) {
    return complain(place, `${rule.name} must have at least one entry.`)
  }
  const values: string[] = []
  for (const item of items(place.node, place.path)) {
    const value = text(item)
    if (value === undefined || value === '') complain(item, `Each entry of ${rule.name} must be a non-empty string.`)
    else values.push(value)
  }
  return values
}

/** The value as JSON. Objects have no prototype, so no key is special. */
export function toJson(node: Node): JsonValue {
  if (node.is === 'scalar') return node.value
  if (node.is === 'list') return node.items.map((item) => toJson(item.node))
  const object: Record<string, JsonValue> = Object.create(null)
  for (const [key, entry] of node.entries) object[key] = toJson(entry.value)
  return object
}

/** The known word closest to a mistyped one, when it is close. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 40) return undefined
  const near = known.map((candidate) => ({
    candidate,
    far: distance(word.toLowerCase(), candidate.toLowerCase()),
  }))
  near.sort((a, b) => a.far - b.far)
  const best = near[0]
  return best && best.far <= Math.max(1, Math.floor(best.candidate.length / 3)) ? best.candidate : undefined
}

function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/** Where the id of the rule at this place in the list stands. */
export function placeOfId(root: MapPlace, index: number): Span {
  const list = child(root, 'rules') ?? child(root, 'contracts')
  const rule = list?.node.is === 'list' ? asMap(items(list.node, list.path)[index]) : undefined
  return (rule && child(rule, 'id')?.at) ?? rule?.at ?? root.at
}
