import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filtersOf, isNarrowed, readSearch, withFilters } from './search.ts'

test('an address is read to what it says, and anything odd in it is left out', () => {
  expect(readSearch({ view: 'settled', agent: 'a', q: 7, tool: '' })).toEqual({ view: 'settled', agent: 'a', q: '7' })
  expect(readSearch({ view: 'pending', agent: ['x'], tool: { y: 1 } })).toEqual({})
})

test('filters written into an address come back as they were', () => {
  const search = fc.record(
    { agent: fc.string({ minLength: 1 }), tool: fc.string({ minLength: 1 }), q: fc.string({ minLength: 1 }) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(search, (one) => {
      expect(withFilters({ view: 'all' }, filtersOf(one))).toEqual({ view: 'all', ...one })
      expect(isNarrowed(one)).toBe(Object.keys(one).length > 0)
    }),
  )
})
