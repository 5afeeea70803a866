import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSensitiveKey, looksLikeSecret, redactArguments, redactText } from './redact.ts'

const part = fc.oneof(
  fc.constantFrom(
    'export ',
    'EXPORT  API_KEY=abc',
    'export MY_TOKEN="a b"',
    ' -p hunter2',
    '-p x',
    'mkdir -p',
    '--password=x ',
    '--PASSWORD y',
    'postgres://ada:secret@host/db',
    '://a:b@',
    'sk-abcdefghijklmnopqrstuvwxyz',
    'AKIAABCDEFGHIJKLMNOP',
    ' ',
    '\n',
    "'",
    '"',
  ),
  fc.string({ maxLength: 12 }),
)

/** Every replacement on every text: slower, and plainly so. */
function redactPlainly(text: string): string {
  if (looksLikeSecret(text)) return '[REDACTED]'
  const clean = text
    .replace(
      /(\bexport\s{1,20}\w{0,64}(?:KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL)\w{0,64}=)("[^"]*"|'[^']*'|\S+)/gi,
      '$1[REDACTED]',
    )
    .replace(/(^|\s)(-p\s{0,20})(?!\s)("[^"]*"|'[^']*'|\S+)/g, '$1$2[REDACTED]')
    .replace(/(--password[=\s]\s{0,20})("[^"]*"|'[^']*'|\S+)/gi, '$1[REDACTED]')
    .replace(/(:\/\/[^\s/:@]{1,256}:)[^\s/@]{1,256}@/g, '$1[REDACTED]@')
  return clean.length <= 1_000 ? clean : `${clean.slice(0, 997)}...`
}

test('a text is redacted as if every replacement were tried on it', () => {
  let changed = 0
  fc.assert(
    fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const text = parts.join('')
      const made = redactText(text)
      if (made !== text) changed += 1
      expect(made).toBe(redactPlainly(text))
    }),
    { numRuns: 2_000 },
  )
  expect(changed).toBeGreaterThan(400)
})

test('a key is judged the same the second time', () => {
  fc.assert(
    fc.property(fc.string(), (key) => {
      expect(isSensitiveKey(key)).toBe(isSensitiveKey(key))
    }),
  )
  for (let round = 0; round < 2; round += 1) {
    expect(['apiKey', 'APIKey', 'API-KEY', 'db_password', 'user.token'].map(isSensitiveKey)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ])
    expect(['max_tokens', 'monkey', 'tokenizer', ''].map(isSensitiveKey)).toEqual([false, false, false, false])
  }
})

test('arguments without secrets are the same arguments', () => {
  const args = { invoice: 'INV-1', sum: 5, deep: [{ note: 'a: b' }] }
  expect(redactArguments(args)).toEqual(args)
  expect(redactArguments({ password: 'x', url: 'redis://u:p@h' })).toEqual({
    password: '[REDACTED]',
    url: 'redis://u:[REDACTED]@h',
  })
})
