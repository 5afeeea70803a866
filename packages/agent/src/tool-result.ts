import type { JsonValue, Output } from '@countersign/rules'
import { copyJson } from './json-copy.ts'

/** Whether a result says that it failed, as tools commonly do without throwing. */
export function looksFailed(value: unknown): boolean {
  if (typeof value === 'string') return /^(?:error|fatal):/i.test(value)
  if (typeof value !== 'object' || value === null) return false
  return ('is_error' in value && Boolean(value.is_error)) || ('isError' in value && Boolean(value.isError))
}

/** A result as rules can look at it. What JSON cannot hold is looked at as text. */
export function outputOf(value: unknown): Output {
  if (value === undefined || value === null) return { result: null }
  if (typeof value === 'string') return { result: value, text: value }
  try {
    return { result: copyJson(value, 'result') }
  } catch {
    // Nothing is lost: rules about its text still see what it prints as.
    return { result: textOf(value) }
  }
}

function textOf(value: unknown): JsonValue {
  try {
    const json: string | undefined = JSON.stringify(value)
    return json ?? String(value)
  } catch {
    // Cycles and the like; a value that cannot even be printed shows its kind.
    return Object.prototype.toString.call(value)
  }
}
