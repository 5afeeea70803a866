import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type JsonValue, NestedTooDeep, readJson, writeSortedJson } from '../../kernel/json.ts'
import { redact } from './redact.ts'
import { writeChecked } from './write-checked.ts'

const word = fc.constantFrom(
  'path',
  'password',
  'api_key',
  'token',
  'k"ey',
  'k\0ey',
  '__proto__',
  '[REDACTED]',
  'ls -la',
  'mysql -uroot -phunter2',
  'https://bob:hunter2@db/x',
  'https://example.com',
  `sk-${'a1'.repeat(12)}`,
  'x\ud800y',
  '😀',
  'a\nb',
)
const { json } = fc.letrec<{ json: JsonValue }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    word,
    fc.string(),
    fc.constantFrom<JsonValue>(null, true, false, 0, -0, 1.5, 1e300, -7),
    fc.constant(readJson('[12345678901234567890]')),
    fc.array(tie('json'), { maxLength: 4 }),
    fc
      .array(fc.tuple(fc.oneof(word, fc.string()), tie('json')), { maxLength: 5 })
      .map((entries) => Object.fromEntries(entries) as JsonValue),
  ),
}))

test('the text is the sorted one, and what is called clean is what redacting leaves alone', () => {
  let clean = 0
  fc.assert(
    fc.property(json, (value) => {
      const checked = writeChecked(value)
      const found = redact(value)
      expect(checked.text).toBe(writeSortedJson(value))
      expect(checked.isClean).toBe(found.value === value && !found.hasExactNumbers)
      if (checked.isClean) clean += 1
    }),
    { numRuns: 3_000 },
  )
  expect(clean).toBeGreaterThan(300)
  expect(clean).toBeLessThan(2_700)
})

test('what is nested too deep is refused as everywhere', () => {
  let deep: JsonValue = 1
  for (let level = 0; level < 300; level += 1) deep = [deep]
  expect(() => writeChecked(deep)).toThrow(NestedTooDeep)
})
