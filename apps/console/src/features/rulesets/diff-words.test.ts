import fc from 'fast-check'
import { expect, test } from 'vitest'
import { leafChanges, wordsOfField } from './diff-words.ts'

test('of a long condition only the part that is another is shown', () => {
  const before = { all: [{ 'args.amount': { gt: 200 } }, { environment: { equals: 'production' } }] }
  const after = { all: [{ 'args.amount': { gt: 100 } }, { environment: { equals: 'production' } }] }
  expect(leafChanges(before, after)).toEqual([{ path: 'all › 0 › args.amount › gt', before: '200', after: '100' }])
})

test('what is added or taken away has one side only', () => {
  expect(leafChanges(undefined, 'observe')).toEqual([{ path: '', before: null, after: 'observe' }])
  expect(leafChanges({ a: 1, b: ['x', 'y'] }, { a: 1 })).toEqual([{ path: 'b', before: 'x, y', after: null }])
})

test('whatever two values are compared, equal ones differ in nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(leafChanges(value, structuredClone(value))).toEqual([])
    }),
  )
})

test('a field that has no words of its own keeps its name', () => {
  expect(wordsOfField('then.message')).toBe('message')
  expect(wordsOfField('limits.max_calls')).toBe('limits.max_calls')
})
