import { expect, test } from 'vitest'
import { filtersOf, queryOf, readSearch, withFilters } from './search.ts'

test('an address comes back from its own filters', () => {
  const search = { act: 'key.*', actor: 'p-1', since: '2026-03-03', text: 'base' }
  expect(withFilters(filtersOf(search))).toEqual(search)
})

test('an entry number is read only when it is one', () => {
  expect(readSearch({ entry: 12 })).toEqual({ entry: 12 })
  expect(readSearch({ entry: 0 })).toEqual({ entry: 0 })
  expect(readSearch({ entry: '0' })).toEqual({ entry: 0 })
  expect(readSearch({ entry: '7' })).toEqual({ entry: 7 })
  for (const entry of [-1, 1.5, 'x', '', null, undefined]) expect(readSearch({ entry })).toEqual({})
})

test('what the server would refuse is not asked: no time that is none, no text of one letter', () => {
  expect(queryOf({ since: 'yesterday', text: 'x', entry: 4 })).toEqual({
    since: undefined,
    until: undefined,
    text: undefined,
  })
  expect(queryOf({ until: '2026-03-03T12:00:00Z' }).until).toBe('2026-03-03T12:00:00.000Z')
})
