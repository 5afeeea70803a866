import fc from 'fast-check'
import { expect, test } from 'vitest'
import { merged } from './merged.ts'

const items = (ids: string) => [...ids].map((id) => ({ id }))
const ids = (list: readonly { readonly id: string }[]) => list.map(({ id }) => id).join('')

test('a call that was decided stays where it stood', () => {
  const { list, gone } = merged(items('abcd'), items('acd'), 30)
  expect(ids(list)).toBe('abcd')
  expect(gone).toEqual(['b'])
})

test('new calls take the place the server gave them', () => {
  expect(ids(merged(items('abc'), items('axc'), 30).list)).toBe('abxc')
  expect(ids(merged(items('ab'), items('xb'), 30).list)).toBe('axb')
})

const anyIds = fc.uniqueArray(fc.constantFrom(...'abcdefghij'), { maxLength: 10 }).map((all) => all.join(''))

test('whatever changed, what the server lists keeps its order, nothing is listed twice, and no more stay than allowed', () => {
  fc.assert(
    fc.property(anyIds, anyIds, fc.nat(4), (before, now, max) => {
      const { list, gone } = merged(items(before), items(now), max)
      const listed = ids(list)
      expect(new Set(listed).size).toBe(listed.length)
      expect([...listed].filter((id) => now.includes(id)).join('')).toBe(now)
      expect(gone.length).toBeLessThanOrEqual(max)
      expect(listed.length).toBe(now.length + gone.length)
    }),
  )
})

test('a list that did not change is the same again', () => {
  fc.assert(
    fc.property(anyIds, anyIds, (before, now) => {
      const once = merged(items(before), items(now), 30).list
      expect(ids(merged(once, items(now), 30).list)).toBe(ids(once))
    }),
  )
})
