import { isSensitiveKey } from '@countersign/rules'
import {
  isExactNumber,
  type JsonObject,
  type JsonValue,
  jsonDepthMax,
  NestedTooDeep,
  type Shape,
  shapeOf,
  writeNumber,
} from '../../kernel/json.ts'
import { isOddText } from './odd-text.ts'
import { isRemarkable, redact } from './redact.ts'
import { redacted, suspicious } from './secret-text.ts'

export type Checked = {
  /** As `writeSortedJson` writes it: every key, nothing hidden. */
  readonly text: string
  /** Nothing in it is to be hidden or escaped, and all numbers are plain: the text may be stored as it is. */
  readonly isClean: boolean
}

/** What is known of the keys of one shape, in their written order. */
type Secrecy = { readonly isSensitive: readonly boolean[]; readonly hasOddKey: boolean }

const secrecies = new WeakMap<Shape, Secrecy>()
/** One look at a text: what JSON escapes, and what may be a secret. */
const special = new RegExp(`["\\\\\\0-\\x1f\\ud800-\\udfff]|${suspicious.source}`)

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
    if (typeof one === 'number') return writeNumber(one)
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
    const { sorted, labels } = shape
    const { isSensitive, hasOddKey } = secrecyOf(shape)
    if (hasOddKey) isClean = false
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

function secrecyOf(shape: Shape): Secrecy {
  const known = secrecies.get(shape)
  if (known) return known
  const secrecy = { isSensitive: shape.sorted.map(isSensitiveKey), hasOddKey: shape.keys.some(isOddText) }
  secrecies.set(shape, secrecy)
  return secrecy
}
