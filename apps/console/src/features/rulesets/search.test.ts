import { expect, test } from 'vitest'
import { readListSearch, readRulesetSearch } from './search.ts'

test('an address keeps the tab and the versions it names, and nothing that is neither', () => {
  expect(readRulesetSearch({ tab: 'revisions', from: 2, to: '3', revision: -1, extra: 'x' })).toEqual({
    tab: 'revisions',
    from: 2,
    to: 3,
  })
  expect(readRulesetSearch({ tab: 'nowhere', review: '1e99', into: '' })).toEqual({})
  expect(readRulesetSearch({ tab: 'editor' })).toEqual({})
})

test('a search for a number stays a text', () => {
  expect(readListSearch({ q: 42, new: 'true' })).toEqual({ q: '42' })
})
