import { isExactNumber, type JsonValue, jsonDepthMax } from '../../kernel/json.ts'
import { escapeOddText, isOddText } from './odd-text.ts'
import { hideSecrets, redacted } from './secret-text.ts'
import { isSensitiveKey } from './sensitive-keys.ts'

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
    : walkObject(value as { readonly [key: string]: JsonValue }, findings, depth)
}

function walkList(list: readonly JsonValue[], findings: Findings, depth: number): JsonValue {
  let changed: JsonValue[] | undefined
  for (const [at, item] of list.entries()) {
    const clean = walk(item, findings, depth + 1)
    if (clean === item) continue
    changed ??= [...list]
    changed[at] = clean
  }
  return changed ?? list
}

function walkObject(object: { readonly [key: string]: JsonValue }, findings: Findings, depth: number): JsonValue {
  let isChanged = false
  const entries = Object.entries(object).map(([key, inner]): [string, JsonValue] => {
    const name = isOddText(key) ? escapeOddText(key) : key
    let clean: JsonValue
    if (isSensitiveKey(key)) {
      findings.isRedacted ||= inner !== redacted
      clean = redacted
    } else {
      clean = walk(inner, findings, depth + 1)
    }
    if (name !== key) findings.hasOddText = true
    if (name !== key || clean !== inner) isChanged = true
    return [name, clean]
  })
  // Not by assignment: a key called __proto__ is data here.
  return isChanged ? Object.fromEntries(entries) : object
}

function cleanText(text: string, findings: Findings): string {
  let clean = text
  if (isOddText(text)) {
    findings.hasOddText = true
    clean = escapeOddText(text)
  }
  const hidden = hideSecrets(clean)
  if (hidden !== clean) findings.isRedacted = true
  return hidden
}
