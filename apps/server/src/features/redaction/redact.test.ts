import { isSensitiveKey } from '@countersign/rules'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type JsonValue, readJson } from '../../kernel/json.ts'
import { hideSecrets, redact } from './index.ts'

test('the value of a sensitive key is hidden, whatever its type and however the key is spelled', () => {
  for (const key of ['password', 'API-Key', 'apiKey', 'db_password', 'X-Auth-Token', 'userCredentials', 'APIKey']) {
    for (const value of ['x', 5, null, true, ['a'], { b: 'c' }]) {
      expect(redact({ args: [{ [key]: value }] }).value).toEqual({ args: [{ [key]: '[REDACTED]' }] })
    }
  }
})

test('counters of tokens and ordinary words stay readable', () => {
  for (const key of ['max_tokens', 'maxTokens', 'prompt-tokens', 'sort_keys', 'monkey', 'keyboard', 'path', 'author']) {
    expect(isSensitiveKey(key), key).toBe(false)
  }
})

test('texts that look like secrets are hidden, alone and within other text', () => {
  const key = `sk-${'a1'.repeat(12)}`
  expect(hideSecrets(key)).toBe('[REDACTED]')
  expect(hideSecrets(`curl -H "x: ${key}" y`)).toBe('curl -H "x: [REDACTED]" y')
  expect(hideSecrets(`AKIA${'A'.repeat(16)}`)).toBe('[REDACTED]')
  expect(hideSecrets(`ghp_${'a'.repeat(36)}`)).toBe('[REDACTED]')
  expect(hideSecrets(`eyJ${'a'.repeat(30)}.payload.sig`)).toBe('[REDACTED]')
  expect(hideSecrets('xoxb-1234567890-abc')).toBe('[REDACTED]')
  expect(hideSecrets('export MY_TOKEN=abc; export HOME=/x')).toBe('export MY_TOKEN=[REDACTED] export HOME=/x')
  expect(hideSecrets('psql --password=hunter2 -d x')).toBe('psql --password=[REDACTED] -d x')
  expect(hideSecrets('postgres://bob:hunter2@db/x')).toBe('postgres://bob:[REDACTED]@db/x')
  expect(hideSecrets('mysql -uroot -phunter2')).toBe('mysql -uroot -p[REDACTED]')
})

test('options that only begin with -p are left as they are', () => {
  for (const text of ['find . -print', 'foo-path', 'https://example.com/a:b']) expect(hideSecrets(text)).toBe(text)
})

test('text that cannot be stored is escaped and said to be odd', () => {
  const found = redact({ 'a\0': 'x\ud800y\u0000', pair: '😀' })
  expect(found.value).toEqual({ 'a\\u0000': 'x\\ud800y\\u0000', pair: '😀' })
  expect(found.hasOddText).toBe(true)
})

test('what needs no change is the same object', () => {
  const value = { a: [1, 'two', { three: null }] }
  expect(redact(value).value).toBe(value)
})

test('whatever is sent, redacting never throws, can be stored, and redacting again changes nothing', () => {
  const json = fc.jsonValue({ stringUnit: 'binary' }) as fc.Arbitrary<JsonValue>
  fc.assert(
    fc.property(json, (value) => {
      const once = redact(value)
      const text = JSON.stringify(once.value)
      expect(text.isWellFormed()).toBe(true)
      expect(text).not.toMatch(/\\u0000(?<!\\\\u0000)/)
      expect(redact(once.value).value).toEqual(once.value)
    }),
  )
})

test('a key called __proto__ is data', () => {
  const found = redact(readJson('{"__proto__":{"password":"x"}}'))
  expect(JSON.stringify(found.value)).toBe('{"__proto__":{"password":"[REDACTED]"}}')
})

test('deep nesting is cut and said, and exact numbers are seen', () => {
  let deep: JsonValue = 1
  for (let level = 0; level < 50_000; level += 1) deep = [deep]
  expect(redact(deep).isCut).toBe(true)
  expect(redact(readJson('{"n":12345678901234567890}')).hasExactNumbers).toBe(true)
})

test('hostile text takes no longer than its length', () => {
  for (const part of ['eyJ', 'export KEY', '://a:', "export A='", '-p ', 'sk-', 'Bearer ', 'xoxb-']) {
    const long = part.repeat(200_000)
    const before = performance.now()
    hideSecrets(long)
    expect(performance.now() - before, part).toBeLessThan(2_000)
  }
})
