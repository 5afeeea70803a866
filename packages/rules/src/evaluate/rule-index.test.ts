import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { compilePattern } from '../pattern/pattern.ts'
import { requiredLiterals } from '../pattern/required-literals.ts'
import { buildAutomaton } from './literal-automaton.ts'

vi.setConfig({ testTimeout: 120_000 })

test('the automaton finds exactly the literals that occur, in either case of their ASCII letters', () => {
  const unit = fc.constantFrom('a', 'b', 'A', 'c', 'É', '\u212A', 'k', '😀')
  const text = fc.string({ unit, maxLength: 30 })
  const literal = fc.string({ unit, minLength: 1, maxLength: 5 })
  const lower = (one: string): string => one.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  fc.assert(
    fc.property(fc.uniqueArray(literal, { minLength: 1, maxLength: 12 }), text, (literals, searched) => {
      const found = new Set<number>()
      const isAscii = buildAutomaton(literals).scan(searched, (number) => found.add(number), undefined)
      expect(isAscii).toBe(/^[\0-\u007F]*$/.test(searched))
      expect([...found].toSorted((a, b) => a - b)).toEqual(
        literals.flatMap((one, index) => (lower(searched).includes(lower(one)) ? [index] : [])),
      )
    }),
    { numRuns: 3_000 },
  )
})

test('a pattern that matches has one of its required literals in the text', () => {
  const piece = fc.constantFrom(
    'a',
    'b',
    'K',
    's',
    '.',
    '\\d',
    '(a|bc)',
    '(?:ab)+',
    'a?',
    'c*',
    '[ab]',
    '(?i:k)',
    '1',
    '^',
    '$',
    '(x|y*)',
  )
  const pattern = fc
    .tuple(fc.constantFrom('', '(?i)'), fc.array(piece, { minLength: 1, maxLength: 6 }))
    .map(([flags, list]) => flags + list.join(''))
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'K', 'k', 's', 'x', '1'), maxLength: 12 })
  let matched = 0
  fc.assert(
    fc.property(pattern, text, (source, searched) => {
      const required = requiredLiterals(source)
      if (!required || compilePattern(source).test(searched) !== 'match') return
      matched += 1
      const where = required.ignoresCase ? searched.toLowerCase() : searched
      expect(
        required.literals.some((one) => where.includes(one)),
        `${source} ${searched} ${required.literals.join()}`,
      ).toBe(true)
    }),
    { numRuns: 5_000 },
  )
  expect(matched).toBeGreaterThan(300)
})

test.each([
  ['rm\\s+-rf', ['rm', '-rf'].slice(1)],
  ['(?i)drop\\s+table', ['table']],
  ['git (push|pull)', ['git ']],
  ['\\d+', undefined],
  ['a|\\d', undefined],
])('the literals of %s are %s', (source, literals) => {
  expect(requiredLiterals(source)?.literals).toEqual(literals)
})
