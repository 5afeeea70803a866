import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Column, inOrder, nextSort, readSort, shownColumns, toggled, withRange } from './columns.ts'

const column = (id: string, rest: Partial<Column<string>> = {}): Column<string> => ({
  id,
  header: id,
  width: '1fr',
  cell: (row) => row,
  ...rest,
})

const columns = [
  column('name', { isFixed: true }),
  column('seen'),
  column('note', { isHiddenAtFirst: true }),
  column('hash', { isWideOnly: true }),
]
const ids = (choice: Record<string, boolean>, isNarrow = false) =>
  shownColumns(columns, choice, isNarrow).map(({ id }) => id)

test('columns show as they say of themselves until somebody chooses', () => {
  expect(ids({})).toEqual(['name', 'seen', 'hash'])
  expect(ids({ note: true, seen: false, name: false })).toEqual(['name', 'note', 'hash'])
  expect(ids({}, true)).toEqual(['name', 'seen'])
})

test('one press sorts, the next turns it round, the third gives the list its own order back', () => {
  const [name, seen] = [column('name'), column('seen', { isLargestFirst: true })]
  expect(nextSort(undefined, name)).toBe('name')
  expect(nextSort('name', name)).toBe('-name')
  expect(nextSort('-name', name)).toBeUndefined()
  expect(nextSort('name', seen)).toBe('-seen')
  expect(nextSort('-seen', seen)).toBe('seen')
  expect(nextSort('seen', seen)).toBeUndefined()
})

test('rows that lack what they are sorted by come last either way, and ties keep their order', () => {
  const by = [column('name', { sortBy: (row) => (row === '' ? null : row.toLowerCase()) })]
  expect(inOrder(['agent-10', '', 'B', 'agent-2', 'b'], by, 'name')).toEqual(['agent-2', 'agent-10', 'B', 'b', ''])
  expect(inOrder(['agent-10', '', 'B', 'agent-2', 'b'], by, '-name')).toEqual(['B', 'b', 'agent-10', 'agent-2', ''])
  const sizes = [column('size', { sortBy: ({ length }) => length })]
  expect(inOrder(['aaa', 'a', 'aaaaaaaaaa'], sizes, '-size')).toEqual(['aaaaaaaaaa', 'aaa', 'a'])
})

test('an address that sorts by what there is not leaves the list as it is', () => {
  expect(inOrder(['b', 'a'], [column('name')], 'name')).toEqual(['b', 'a'])
  expect(inOrder(['b', 'a'], [column('name')], 'gone')).toEqual(['b', 'a'])
  expect(readSort('-used')).toEqual({ sort: '-used' })
  for (const odd of [undefined, 7, '', '--used', 'used;']) expect(readSort(odd)).toEqual({})
})

test('a range is the rows between, whichever end came first, and keeps what was selected', () => {
  const all = ['a', 'b', 'c', 'd']
  expect([...withRange(new Set(['a']), all, 'd', 'c')]).toEqual(['a', 'c', 'd'])
  expect([...withRange(new Set(), all, 'gone', 'b')]).toEqual(['b'])
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.constantFrom(...all), (one, other) => {
      expect(new Set(withRange(new Set(), all, one, other))).toEqual(new Set(withRange(new Set(), all, other, one)))
    }),
  )
})

test('selecting a row twice leaves it unselected', () => {
  expect(toggled(toggled(new Set(['x']), 'a'), 'a')).toEqual(new Set(['x']))
})
