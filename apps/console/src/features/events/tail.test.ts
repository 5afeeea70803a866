import fc from 'fast-check'
import { expect, test } from 'vitest'
import { joined, newIn } from './tail.ts'

type Row = { readonly id: string; readonly at: string }

const row = (number: number): Row => ({ id: `e${number}`, at: new Date(number * 1000).toISOString() })
const page = (numbers: readonly number[], next_cursor: string | null) => ({ items: numbers.map(row), next_cursor })
const ids = ({ items }: { readonly items: readonly Row[] }) => items.map(({ id }) => Number(id.slice(1)))

test('what is new goes on top, and reading on continues where it was', () => {
  const result = joined([page([5, 4], 'a'), page([3, 2], 'b')], page([7, 6, 5], 'c'))
  expect(ids(result)).toEqual([7, 6, 5, 4, 3, 2])
  expect(result.next_cursor).toBe('b')
})

test('a late arrival of an earlier time takes its place', () => {
  expect(ids(joined([page([9, 7, 5], 'a')], page([9, 8, 7], 'b')))).toEqual([9, 8, 7, 5])
  expect(ids(joined([page([9, 7, 5], 'a')], page([9, 8], 'b')))).toEqual([9, 8, 7, 5])
})

test('when more came than a page holds, the list begins anew rather than hide a gap', () => {
  const result = joined([page([3, 2], 'a')], page([9, 8], 'b'))
  expect(ids(result)).toEqual([9, 8])
  expect(result.next_cursor).toBe('b')
  expect(newIn([page([3, 2], 'a')], page([9, 8], 'b'))).toEqual({ count: 2, isMore: true })
})

test('a search that ran out of time before it found anything takes nothing away', () => {
  const result = joined([page([3, 2], 'a'), page([1], 'b')], page([], 'c'))
  expect([ids(result), result.next_cursor]).toEqual([[3, 2, 1], 'b'])
})

test('a list that is whole is shown whole', () => {
  expect(joined([page([2, 1], null)], page([3, 2, 1], null))).toEqual(page([3, 2, 1], null))
  expect(newIn([page([2, 1], null)], page([3, 2, 1], null))).toEqual({ count: 1, isMore: false })
  expect(newIn([page([], null)], page([2, 1], null))).toEqual({ count: 2, isMore: false })
})

test('however events come, none is shown twice, none that was shown is lost, and the order is the server’s', () => {
  const numbers = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { minLength: 3, maxLength: 40 })
  fc.assert(
    fc.property(numbers, numbers, fc.integer({ min: 1, max: 10 }), (before, after, size) => {
      const descending = (list: readonly number[]) => [...new Set(list)].toSorted((one, other) => other - one)
      const cut = (list: readonly number[]) =>
        page(list.slice(0, size), list.length > size ? String(list[size - 1]) : null)
      const shown = cut(descending(before))
      const newest = cut(descending([...before, ...after]))
      const found = ids(joined([shown], newest))
      expect(found).toEqual(descending(found))
      expect(found.slice(0, newest.items.length)).toEqual(ids(newest))
      const meets = ids(shown).some((number) => ids(newest).includes(number))
      if (meets) expect(found).toEqual(expect.arrayContaining(ids(shown)))
    }),
  )
})
