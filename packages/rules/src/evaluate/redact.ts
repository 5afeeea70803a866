import type { JsonValue } from '../model.ts'
import { isList, isObject, type JsonObject } from './call.ts'

export const redacted = '[REDACTED]'

const sensitive = new Set(
  `password secret token api_key apikey authorization auth credentials private_key privatekey access_token refresh_token
  client_secret connection_string database_url db_password ssh_key passphrase api_tokens db_passwords user_credentials
  oauth_secrets encryption_keys jwt_tokens`.split(/\s+/),
)
const safe = new Set(
  `max_tokens num_tokens input_tokens output_tokens total_tokens completion_tokens prompt_tokens cached_tokens
  reasoning_tokens audio_tokens cache_tokens sort_keys index_keys`.split(/\s+/),
)
const sensitiveParts = new Set(
  'token tokens key keys secret secrets password passwords credential credentials'.split(' '),
)

// The same few hundred names come again and again; a hostile caller could send others for ever.
const keysRemembered = 10_000
const keyLengthMax = 200
const judged = new Map<string, boolean>()

/** Whether what stands under this key is a secret by its name (rules-language §24.1). */
export function isSensitiveKey(key: string): boolean {
  const known = judged.get(key)
  if (known !== undefined) return known
  const isSensitive = judgeKey(key)
  if (key.length > keyLengthMax) return isSensitive
  if (judged.size >= keysRemembered) judged.clear()
  judged.set(key, isSensitive)
  return isSensitive
}

function judgeKey(key: string): boolean {
  // Longer ones are not names; no part of them is looked at, so that nobody can make this slow.
  if (key.length > 1_000) return false
  const folded = key.toLowerCase().replaceAll('-', '_')
  const split = key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
  if (sensitive.has(folded) || sensitive.has(split)) return true
  if (safe.has(folded) || safe.has(split)) return false
  return split.split('_').some((part) => sensitiveParts.has(part))
}

const secretShapes = [
  /^sk-[A-Za-z0-9]{20}/,
  /^AKIA[A-Z0-9]{16}/,
  /^eyJ[A-Za-z0-9_-]{20,}\./,
  /^ghp_[A-Za-z0-9]{36}/,
  /^xox[bpas]-[A-Za-z0-9-]{10}/,
]

/** Whether a text begins as well-known credentials do. */
export function looksLikeSecret(text: string): boolean {
  return secretShapes.some((shape) => shape.test(text))
}

const textMax = 1_000
/** What every text holds that anything below changes; most hold none of it. */
const suspicious = /^(?:sk-|AKIA|eyJ|ghp_|xox)|export|-p|:\/\//i

/** A text without the passwords that shell commands and addresses carry. */
export function redactText(text: string): string {
  if (text.length <= textMax && !suspicious.test(text)) return text
  if (looksLikeSecret(text)) return redacted
  // What is cut away below is not searched: quadratic patterns on a megabyte would stall the process.
  const searched = text.slice(0, 4 * textMax)
  const clean = searched
    .replace(
      /(\bexport\s{1,20}\w{0,64}(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)\w{0,64}=)("[^"]*"|'[^']*'|\S+)/gi,
      `$1${redacted}`,
    )
    .replace(/(^|\s)(-p\s{0,20})(?!\s)("[^"]*"|'[^']*'|\S+)/g, `$1$2${redacted}`)
    .replace(/(--password[=\s]\s{0,20})("[^"]*"|'[^']*'|\S+)/gi, `$1${redacted}`)
    .replace(/(:\/\/[^\s/:@]{1,256}:)[^\s/@]{1,256}@/g, `$1${redacted}@`)
  if (clean.length <= textMax && text.length === searched.length) return clean
  return `${clean.slice(0, textMax - 3)}...`
}

/** Arguments as they may be shown, stored and sent; the same object when nothing of it is hidden. What lies too deep is. */
export function redactArguments(args: JsonObject): JsonObject {
  if (isClean(args, 0)) return args
  const made = redactValue(args, 0)
  return isObject(made) ? made : {}
}

const depthMax = 100

/** Whether nothing of a value would be replaced. Most arguments are clean, and a copy of them would cost more than the look. */
function isClean(value: JsonValue, depth: number): boolean {
  if (typeof value === 'string') return value.length <= textMax && !suspicious.test(value)
  if (typeof value !== 'object' || value === null) return true
  if (depth >= depthMax) return false
  if (isList(value)) return value.every((one) => isClean(one, depth + 1))
  for (const key of Object.keys(value)) {
    if (isSensitiveKey(key) || !isClean(value[key] ?? null, depth + 1)) return false
  }
  return true
}

/** A value as it may be shown: without secrets by name or by shape. */
export function redactValue(value: JsonValue, depth = 0): JsonValue {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= depthMax) return redacted
  if (isList(value)) return value.map((one) => redactValue(one, depth + 1))
  const made: Record<string, JsonValue> = Object.create(null)
  for (const [key, one] of Object.entries(value))
    made[key] = isSensitiveKey(key) ? redacted : redactValue(one, depth + 1)
  return made
}
