import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSearch } from './search.ts'

test('the address keeps what is tried and drops what is nothing', () => {
  const search = {
    tab: 'replays',
    ruleset: 'guard',
    event: 'e1',
    replay: 'r1',
    start: true,
    version: 3,
    change: 'newly_held',
    rule: 'no-env',
  }
  expect(readSearch(search)).toEqual(search)
  expect(readSearch({ tab: 'playground', ruleset: '', start: 'yes', version: -1, change: 'same' })).toEqual({})
})

test('whatever stands in an address is read without failing', () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything()), (search) => void readSearch(search)))
})
