import {
  isExactNumber,
  type JsonObject,
  type JsonValue,
  jsonDepthMax,
  NestedTooDeep,
  writeSortedJson,
} from '../../kernel/json.ts'
import { isRemarkable, redact } from './redact.ts'
import { redacted } from './secret-text.ts'
import { isSensitiveKey } from './sensitive-keys.ts'

export type Checked = {
  /** As `writeSortedJson` writes it: every key, nothing hidden. */
  readonly text: string
  /** Nothing in it is to be hidden or escaped, and all numbers are plain: the text may be stored as it is. */
  readonly isClean: boolean
}

/** What stands before each value of an object of one shape, in the order of the keys, and whose values are hidden. */
type Shape = {
  readonly keys: readonly string[]
  readonly sorted: readonly string[]
  readonly labels: readonly string[]
  readonly isSensitive: readonly boolean[]
  readonly isClean: boolean
}

const shapes = new Map<string, Shape>()
const shapesMax = 5_000
/** One look at a text: what JSON escapes, and what may be a secret. */
const special = /["\\\0-\x1f\ud800-\udfff]|sk-|AKIA|eyJ|gh[pousr]_|xox|export\s|-p|:\/\/|[Bb]earer\s/

/**
 * Writes a value with sorted keys and finds out on the way whether redacting would change it, which costs half of doing
 * one after the other; nearly all events need no redaction. Throws `NestedTooDeep`.
 */
export function writeChecked(value: JsonValue): Checked {
  let isClean = true

  const write = (one: JsonValue, depth: number): string => {
    if (typeof one === 'string') return writeText(one)
    if (one === null) return 'null'
    if (typeof one === 'boolean') return one ? 'true' : 'false'
    if (typeof one === 'number') return writeSortedJson(one)
    if (depth >= jsonDepthMax) throw new NestedTooDeep(`Nested deeper than ${jsonDepthMax} levels`)
    if (Array.isArray(one)) return writeList(one as readonly JsonValue[], depth)
    if (isExactNumber(one)) {
      isClean = false
      return one.rawJSON
    }
    return writeObject(one as JsonObject, depth)
  }

  const writeText = (text: string): string => {
    if (!special.test(text)) return text.length < 64 ? `"${text}"` : JSON.stringify(text)
    if (isClean && isRemarkable(text) && redact(text).value !== text) isClean = false
    return JSON.stringify(text)
  }

  const writeList = (list: readonly JsonValue[], depth: number): string => {
    let text = '['
    for (let at = 0; at < list.length; at += 1) {
      if (at > 0) text += ','
      text += write(list[at] as JsonValue, depth + 1)
    }
    return `${text}]`
  }

  const writeObject = (object: JsonObject, depth: number): string => {
    const shape = shapeOf(Object.keys(object))
    if (!shape.isClean) isClean = false
    const { sorted, labels, isSensitive } = shape
    let text = ''
    for (let at = 0; at < sorted.length; at += 1) {
      const inner = object[sorted[at] as string] as JsonValue
      if (isSensitive[at] && inner !== redacted) isClean = false
      text += (labels[at] as string) + write(inner, depth + 1)
    }
    return text === '' ? '{}' : `${text}}`
  }

  const text = write(value, 0)
  // Measuring joins the pieces the text is made of. Kept as pieces, ten thousand of them cost the collector more than
  // everything else here.
  Buffer.byteLength(text)
  return { text, isClean }
}

function shapeOf(keys: readonly string[]): Shape {
  const name = `${keys.length} ${keys[0] ?? ''} ${keys.at(-1) ?? ''}`
  const known = shapes.get(name)
  if (known && haveEqualItems(known.keys, keys)) return known
  const sorted = keys.toSorted()
  const shape = {
    keys,
    sorted,
    labels: sorted.map((key, at) => `${at === 0 ? '{' : ','}${JSON.stringify(key)}:`),
    isSensitive: sorted.map(isSensitiveKey),
    isClean: redact(Object.fromEntries(keys.map((key) => [key, redacted]))).hasOddText === false,
  }
  if (shapes.size >= shapesMax) shapes.clear()
  if (name.length <= 200 && keys.length <= 100) shapes.set(name, shape)
  return shape
}

function haveEqualItems(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false
  return true
}
