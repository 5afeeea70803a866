import { expect, test } from 'vitest'
import { readSearch } from './search.ts'

test('what is no filter of people is left out of the address', () => {
  expect(readSearch({ q: 12, standing: 'locked', role: 'ops', invite: true })).toEqual({
    q: '12',
    standing: 'locked',
    role: 'ops',
    invite: true,
  })
  expect(readSearch({ q: '', standing: 'odd', role: '', invite: 'yes' })).toEqual({})
})
