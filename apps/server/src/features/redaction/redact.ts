import { isSensitiveKey } from '@countersign/rules'
import { isExactNumber, type JsonObject, type JsonValue, jsonDepthMax } from '../../kernel/json.ts'
import { escapeOddText, isOddText } from './odd-text.ts'
import { hideSecrets, redacted, suspicious } from './secret-text.ts'

export type Redacted = {
  /** The very same object when nothing had to change. */
  readonly value: JsonValue
  readonly isRedacted: boolean
  /** U+0000 or a lone surrogate was in some text and is now shown as its escape. */
  readonly hasOddText: boolean
  readonly hasExactNumbers: boolean
  /** Something was nested deeper than `jsonDepthMax` and replaced by a word that says so. */
  readonly isCut: boolean
}

type Findings = { -readonly [Name in Exclude<keyof Redacted, 'value'>]: boolean }

/**
 * What may be stored, shown and announced of what an agent sent: values of sensitive keys and texts that look like
 * secrets are hidden, and text that cannot be stored is escaped. Never throws.
 */
export function redact(value: JsonValue): Redacted {
  const findings: Findings = { isRedacted: false, hasOddText: false, hasExactNumbers: false, isCut: false }
  return { value: walk(value, findings, 0), ...findings }
}

export function redactText(text: string): string {
  return hideSecrets(escapeOddText(text))
}

function walk(value: JsonValue, findings: Findings, depth: number): JsonValue {
  if (typeof value === 'string') return cleanText(value, findings)
  if (typeof value !== 'object' || value === null) return value
  if (isExactNumber(value)) {
    findings.hasExactNumbers = true
    return value
  }
  if (depth >= jsonDepthMax) {
    findings.isCut = true
    return '[nested too deep]'
  }
  return Array.isArray(value)
    ? walkList(value as readonly JsonValue[], findings, depth)
    : walkObject(value as JsonObject, findings, depth)
}

function walkList(list: readonly JsonValue[], findings: Findings, depth: number): JsonValue {
  let changed: JsonValue[] | undefined
  for (let at = 0; at < list.length; at += 1) {
    const item = list[at] as JsonValue
    const clean = walk(item, findings, depth + 1)
    if (clean === item) continue
    changed ??= [...list]
    changed[at] = clean
  }
  return changed ?? list
}

function walkObject(object: JsonObject, findings: Findings, depth: number): JsonValue {
  const keys = Object.keys(object)
  let changed: [string, JsonValue][] | undefined
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] as string
    const inner = object[key] as JsonValue
    const name = isOddText(key) ? escapeOddText(key) : key
    const clean = isSensitiveKey(key) ? redacted : walk(inner, findings, depth + 1)
    if (clean === redacted && inner !== redacted) findings.isRedacted = true
    if (name !== key) findings.hasOddText = true
    if (changed) changed.push([name, clean])
    else if (name !== key || clean !== inner) {
      changed = keys.slice(0, at).map((before) => [before, object[before] as JsonValue])
      changed.push([name, clean])
    }
  }
  // Not by assignment: a key called __proto__ is data here.
  return changed ? Object.fromEntries(changed) : object
}

/** One look that most texts pass: everything below needs one of these. */
const remarkable = new RegExp(`[\\0\\ud800-\\udfff]|${suspicious.source}`)

/** False for nearly all texts; of the others `redact` tells whether anything must change. */
export function isRemarkable(text: string): boolean {
  return remarkable.test(text)
}

function cleanText(text: string, findings: Findings): string {
  if (!remarkable.test(text)) return text
  const clean = escapeOddText(text)
  if (clean !== text) findings.hasOddText = true
  const hidden = hideSecrets(clean)
  if (hidden !== clean) findings.isRedacted = true
  return hidden
}
