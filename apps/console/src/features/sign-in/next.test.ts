import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readNext } from './next.ts'

test('a path of the console is kept with its filters', () => {
  expect(readNext('/events?agent=build-7#x')).toBe('/events?agent=build-7#x')
})

test.each([
  '//evil.example',
  '/\\evil.example',
  '/.//evil.example',
  '/a/..//evil.example',
  'https://evil.example',
  '/\t/evil.example',
  '',
  7,
  null,
  '/sign-in?next=/',
])('%j leads nowhere', (value) => {
  expect(readNext(value)).toBeUndefined()
})

test('whatever is given, nobody is led to another site', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webUrl(),
        fc.string().map((text) => `/${text}`),
        fc
          .string({ unit: fc.constantFrom('/', '.', '\\', 'x', '%2e', '%2f', '@', ':', '?', '\t') })
          .map((text) => `/${text}`),
      ),
      (value) => {
        const next = readNext(value)
        if (next !== undefined) expect(new URL(next, 'https://here.example').origin).toBe('https://here.example')
      },
    ),
    { numRuns: 2_000 },
  )
})
