import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idOfName, moved } from './order.ts'
import { readSearch } from './search.ts'

test('moving an item loses none and leaves the others in their order', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer()),
      fc.integer({ min: -3, max: 12 }),
      fc.integer({ min: -3, max: 12 }),
      (items, from, to) => {
        const after = moved(items, from, to)
        expect(after.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b))
        const item = items[from]
        expect(after.filter((one) => one !== item)).toEqual(items.filter((one) => one !== item))
      },
    ),
  )
  expect(moved(['a', 'b', 'c'], 2, 0)).toEqual(['c', 'a', 'b'])
  expect(moved(['a', 'b', 'c'], 0, 9)).toEqual(['b', 'c', 'a'])
})

test('an id made of a name is one the library takes, or nothing', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      expect(idOfName(name)).toMatch(/^$|^[a-z0-9][a-z0-9_-]{0,127}$/)
    }),
  )
  expect(idOfName('No secrets, ever')).toBe('no-secrets-ever')
})

test('the address of the library is read without failing', () => {
  expect(readSearch({ tab: 'compositions', composition: 'devops', new: true })).toEqual({
    tab: 'compositions',
    composition: 'devops',
    new: true,
  })
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.anything()), (search) => void readSearch(search)))
})
