import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileGlob } from './glob.ts'

const fits = (pattern: string, text: string): boolean => compileGlob(pattern)(text)

test.each([
  ['bot-*', 'bot-1', true],
  ['bot-*', 'bot-', true],
  ['bot-*', 'a-bot-1', false],
  ['*', '', true],
  ['?', '', false],
  ['b?t', 'bot', true],
  ['[a-c]x', 'bx', true],
  ['[a-c]x', 'dx', false],
  ['[!a-c]x', 'dx', true],
  ['[!a-c]x', 'ax', false],
  ['[]a]', ']', true],
  ['[!]a]', ']', false],
  ['[a-]', '-', true],
  ['[abc', '[abc', true],
  ['[abc', 'a', false],
  ['a.b', 'aXb', false],
  ['*-prod-*', 'x-prod-prod-y', true],
  ['Bot', 'bot', false],
])('the pattern %s over %s: %s', (pattern, text, isMatch) => {
  expect(fits(pattern, text)).toBe(isMatch)
})

test('patterns of stars and question marks mean what the regular expression of the same shape means', () => {
  const letters = fc.constantFrom('a', 'b', '*', '?')
  const pattern = fc.array(letters, { maxLength: 12 }).map((list) => list.join(''))
  const text = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 12 }).map((list) => list.join(''))
  fc.assert(
    fc.property(pattern, text, (one, other) => {
      const same = new RegExp(`^${one.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      expect(fits(one, other)).toBe(same.test(other))
    }),
    { numRuns: 2_000 },
  )
})

test('a text fits the pattern that is the text, whatever stands in it but signs', () => {
  const plain = fc.stringMatching(/^[a-zA-Z0-9._-]{0,40}$/)
  fc.assert(fc.property(plain, (text) => fits(text, text)))
})

test('no pattern of the length that is allowed takes long over the longest agent id', () => {
  const hostile = compileGlob(`${'*a'.repeat(100)}b`)
  const started = performance.now()
  for (let n = 0; n < 100; n += 1) expect(hostile('a'.repeat(128))).toBe(false)
  expect(performance.now() - started).toBeLessThan(1_000)
})
