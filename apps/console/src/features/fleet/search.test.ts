import { describe, expect, test } from 'vitest'
import { readSearch } from './search.ts'

describe('the address of the fleet', () => {
  test('keeps its filters and its order', () => {
    expect(readSearch({ status: 'drifting', q: 'build', ruleset: 'base', sort: '-seen' })).toEqual({
      sort: '-seen',
      status: 'drifting',
      q: 'build',
      ruleset: 'base',
    })
  })

  test('takes a number for words, since an agent may be called 7', () => {
    expect(readSearch({ q: 7 })).toEqual({ q: '7' })
  })

  test('leaves out what means nothing', () => {
    expect(readSearch({ sort: '-beauty' })).toEqual({})
    expect(readSearch({ status: 'happy', q: '', ruleset: true, other: 'x' })).toEqual({})
    expect(readSearch({ ruleset: 5 })).toEqual({ ruleset: '5' })
  })
})
