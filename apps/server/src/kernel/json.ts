/**
 * A number whose text says more than a double can hold. Written back exactly as it came. The second member is never
 * there: it keeps the compiler from taking one for an object of JSON.
 */
export type ExactNumber = { readonly rawJSON: string; readonly noObject?: () => never }

export type JsonValue = null | boolean | number | string | ExactNumber | readonly JsonValue[] | JsonObject

export type JsonObject = { readonly [key: string]: JsonValue }

// ECMAScript 2026 (JSON.parse source text access), which Node 24 has and the compiler's library does not know yet.
const native = JSON as unknown as {
  readonly parse: (
    text: string,
    revive?: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ) => unknown
  readonly rawJSON: (text: string) => ExactNumber
  readonly isRawJSON: (value: unknown) => value is ExactNumber
}

/**
 * Whether a text may contain a number that a double does not hold: long runs of digits, or an exponent. Also true for
 * some texts that contain none, which are then only read more slowly.
 */
const mayNeedCare = /(?:^|[:,[])\s*-?(?:[\d.]{16}|[\d.]+[eE])/

/** A run of so many digits and points may say more than a double holds. */
const digitsMin = 16
const isDigitOrPoint = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number((byte >= 0x30 && byte <= 0x39) || byte === 0x2e),
)
const exponent = /[:,[]\s*-?[\d.]+[eE]/
const exponentAlone = /^\s*-?[\d.]+[eE]/

/**
 * True when `readJson` might keep the text of some number, so that plain JSON.parse is not enough. Looks at bytes of
 * UTF-8, since what matters is ASCII; a third of what matching the pattern above against the text costs.
 */
export function needsExactNumbers(bytes: Buffer): boolean {
  if (hasLongNumber(bytes)) return true
  const text = bytes.toString('latin1')
  // Two patterns, since one that may begin at the start of the text is looked for four times as long.
  return exponent.test(text) || exponentAlone.test(text)
}

/** A long run of digits covers a byte at a multiple of its length, so that one byte of sixteen is looked at. */
function hasLongNumber(bytes: Buffer): boolean {
  for (let at = digitsMin - 1; at < bytes.length; at += digitsMin) {
    if (isDigitOrPoint[bytes[at] as number] === 0) continue
    let start = at
    while (start > 0 && isDigitOrPoint[bytes[start - 1] as number] === 1) start -= 1
    let end = at + 1
    while (end < bytes.length && isDigitOrPoint[bytes[end] as number] === 1) end += 1
    if (end - start >= digitsMin && beginsNumber(bytes, start)) return true
  }
  return false
}

/** Whether what stands before makes digits a number and not a part of some text. */
function beginsNumber(bytes: Buffer, start: number): boolean {
  let at = start - 1
  if (bytes[at] === 0x2d) at -= 1
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at -= 1
  return at < 0 || bytes[at] === 0x3a || bytes[at] === 0x2c || bytes[at] === 0x5b
}

/** Reads JSON. Numbers that a double cannot hold become `ExactNumber`; throws SyntaxError or RangeError. */
export function readJson(text: string): JsonValue {
  if (!mayNeedCare.test(text)) return JSON.parse(text) as JsonValue
  return native.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !holds(value, source) ? native.rawJSON(source) : value,
  ) as JsonValue
}

/** Writes JSON, exact numbers as they came. U+0000 and lone surrogates come out as escapes, never as themselves. */
export function writeJson(value: JsonValue): string {
  return JSON.stringify(value)
}

export function isExactNumber(value: unknown): value is ExactNumber {
  return native.isRawJSON(value)
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !native.isRawJSON(value)
}

/** Deeper nesting than this is refused by `writeSortedJson`; no tool has arguments like that. */
export const jsonDepthMax = 200

export class NestedTooDeep extends Error {}

/** JSON with the keys of every object in order, so that equal values have equal texts. */
export function writeSortedJson(value: JsonValue, depth = 0): string {
  const text = write(value, depth)
  // Measuring joins the pieces the text is made of. Kept as pieces, ten thousand of them cost the collector more than
  // everything else here.
  Buffer.byteLength(text)
  return text
}

/** What stands before each value of an object of one shape, in order. Events come in few shapes; sorting is what costs. */
export type Shape = {
  readonly keys: readonly string[]
  readonly sorted: readonly string[]
  readonly labels: readonly string[]
}

/** By the first key, whose hash the engine knows already. */
const shapes = new Map<string, Shape[]>()
let shapesKept = 0
const shapesMax = 5_000
const alikeMax = 16

/** The same object for equal keys, so that others can keep what they know of a shape beside it. */
export function shapeOf(keys: readonly string[]): Shape {
  const [first = ''] = keys
  let alike = shapes.get(first)
  if (alike) for (const shape of alike) if (haveEqualItems(shape.keys, keys)) return shape
  const sorted = keys.toSorted()
  const shape = { keys, sorted, labels: sorted.map((key, at) => `${at === 0 ? '{' : ','}${JSON.stringify(key)}:`) }
  if (keys.length > 100 || keys.some((key) => key.length > 200)) return shape
  if (shapesKept >= shapesMax) {
    shapes.clear()
    shapesKept = 0
    alike = undefined
  }
  shapesKept += 1
  // Of many that begin alike the newest are looked at first, and none for long.
  shapes.set(first, [shape, ...(alike ?? []).slice(0, alikeMax - 1)])
  return shape
}

function haveEqualItems(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at += 1) if (one[at] !== other[at]) return false
  return true
}

const needsEscape = /["\\\0-\x1f\ud800-\udfff]/

function write(value: JsonValue, depth: number): string {
  if (typeof value === 'string') {
    return value.length < 64 && !needsEscape.test(value) ? `"${value}"` : JSON.stringify(value)
  }
  if (value === null) return 'null'
  if (typeof value === 'number') return writeNumber(value)
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value !== 'object') return JSON.stringify(value)
  if (depth >= jsonDepthMax) throw new NestedTooDeep(`Nested deeper than ${jsonDepthMax} levels`)
  if (Array.isArray(value)) return writeList(value as readonly JsonValue[], depth)
  return native.isRawJSON(value) ? value.rawJSON : writeObject(value as JsonObject, depth)
}

/** As JSON.stringify does, without the way into the engine and back. */
export function writeNumber(value: number): string {
  return Number.isFinite(value) ? `${Object.is(value, -0) ? 0 : value}` : 'null'
}

function writeList(list: readonly JsonValue[], depth: number): string {
  let text = '['
  for (let at = 0; at < list.length; at += 1) {
    if (at > 0) text += ','
    text += write(list[at] as JsonValue, depth + 1)
  }
  return `${text}]`
}

function writeObject(object: JsonObject, depth: number): string {
  const { sorted, labels } = shapeOf(Object.keys(object))
  let text = ''
  for (let at = 0; at < sorted.length; at += 1) {
    text += (labels[at] as string) + write(object[sorted[at] as string] as JsonValue, depth + 1)
  }
  return text === '' ? '{}' : `${text}}`
}

/** Whether the number as read means exactly what its text says. */
function holds(value: number, source: string): boolean {
  if (!Number.isFinite(value)) return false
  const one = decimal(source)
  const other = decimal(String(value))
  return one.digits === other.digits && (one.digits === '' || one.exponent === other.exponent)
}

/** Significant digits without zeros at either end, and the power of ten of the last one. Signs always agree. */
function decimal(text: string): { readonly digits: string; readonly exponent: number } {
  const [mantissa = '', power = '0'] = text.replace(/^-/, '').toLowerCase().split('e')
  const [whole = '', fraction = ''] = mantissa.split('.')
  const all = whole + fraction
  let start = 0
  while (all[start] === '0') start += 1
  let end = all.length
  while (end > start && all[end - 1] === '0') end -= 1
  return { digits: all.slice(start, end), exponent: Number(power) - fraction.length + (all.length - end) }
}
