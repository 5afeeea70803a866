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
    expect(readSearch({ status: 'happy', q: '', ruleset: 5, other: 'x' })).toEqual({})
  })
})
