/** Names whose value is a secret, and names that look like it and are none (rules-language §24.1). */
const sensitive = new Set(
  `password secret token api_key apikey authorization auth credentials private_key privatekey access_token refresh_token
  client_secret connection_string database_url db_password ssh_key passphrase api_tokens db_passwords user_credentials
  oauth_secrets encryption_keys jwt_tokens`.split(/\s+/),
)
const harmless = new Set(
  `max_tokens num_tokens input_tokens output_tokens total_tokens completion_tokens prompt_tokens cached_tokens
  reasoning_tokens audio_tokens cache_tokens sort_keys index_keys`.split(/\s+/),
)
const sensitiveParts = new Set(
  'token tokens key keys secret secrets password passwords credential credentials'.split(' '),
)

// The same few hundred names come again and again; a hostile client could send others for ever.
const known = new Map<string, boolean>()
const knownMax = 10_000

export function isSensitiveKey(key: string): boolean {
  const before = known.get(key)
  if (before !== undefined) return before
  const found = decide(key)
  if (known.size >= knownMax) known.clear()
  if (key.length <= 200) known.set(key, found)
  return found
}

function decide(key: string): boolean {
  // Longer ones are not names; no part of them is looked at, so that nobody can make this slow.
  if (key.length > 1_000) return false
  const folded = key.toLowerCase().replaceAll('-', '_')
  const split = key
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
  if (sensitive.has(folded) || sensitive.has(split)) return true
  if (harmless.has(folded) || harmless.has(split)) return false
  return split.split('_').some((part) => sensitiveParts.has(part))
}
