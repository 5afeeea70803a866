import type { JsonValue } from './model.ts'

/**
 * Data as YAML that every reader takes the same way. Our own few lines rather than the library's printer: the text is
 * hashed and signed, so it must not change when the library does.
 */
export function emitItems(values: readonly JsonValue[], indent: number): string {
  const pad = ' '.repeat(indent)
  return values.map((value) => `- ${emitBlock(value, indent + 2).trimStart()}`).join(`\n${pad}`)
}

/** `key: value` lines; the first is not indented, since it stands where the caller is. */
export function emitEntries(entries: readonly (readonly [string, JsonValue])[], indent: number): string {
  return entries.map(([key, value]) => `${emitKey(key)}:${emitValue(value, indent)}`).join(`\n${' '.repeat(indent)}`)
}

/** One line. JSON is YAML, apart from the characters YAML does not print. */
export function emitFlow(value: JsonValue): string {
  if (typeof value === 'number') return emitNumber(value)
  if (typeof value === 'string') return emitString(value)
  if (value === null || typeof value === 'boolean') return String(value)
  if (isList(value)) return `[${value.map(emitFlow).join(', ')}]`
  const entries = Object.entries(value).map(([key, one]) => `${emitString(key)}: ${emitFlow(one)}`)
  return `{${entries.join(', ')}}`
}

function emitBlock(value: JsonValue, indent: number): string {
  if (typeof value !== 'object' || value === null) return emitFlow(value)
  if (isList(value)) return value.length === 0 ? '[]' : emitItems(value, indent)
  const entries = Object.entries(value)
  return entries.length === 0 ? '{}' : emitEntries(entries, indent)
}

function emitValue(value: JsonValue, indent: number): string {
  if (typeof value === 'string' && isPlain(value)) return ` ${value}`
  const isEmpty = typeof value !== 'object' || value === null || Object.keys(value).length === 0
  if (isEmpty) return ` ${emitFlow(value)}`
  // Lists of plain values read best on one line, as people write them.
  if (isList(value) && value.every((one) => typeof one !== 'object')) return ` ${emitFlow(value)}`
  return `\n${' '.repeat(indent + 2)}${emitBlock(value, indent + 2)}`
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

function emitKey(key: string): string {
  return isPlain(key) ? key : emitString(key)
}

/** A word that no reader takes for anything but text. */
function isPlain(word: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_./-]*$/.test(word) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(word)
}

function emitString(value: string): string {
  return JSON.stringify(value).replace(/[\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** YAML 1.1 readers take an exponent for a number only behind a decimal point. */
function emitNumber(value: number): string {
  const text = JSON.stringify(value)
  return text.includes('e') && !text.includes('.') ? text.replace('e', '.0e') : text
}
