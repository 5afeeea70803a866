import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Column, nextSort, shownColumns, toggled, withRange } from './columns.ts'

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

test('sorting by a column again turns it round, by another begins with the largest', () => {
  expect(nextSort(undefined, 'seen')).toEqual({ by: 'seen', direction: 'descending' })
  expect(nextSort({ by: 'seen', direction: 'descending' }, 'seen').direction).toBe('ascending')
  expect(nextSort({ by: 'seen', direction: 'ascending' }, 'name').direction).toBe('descending')
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
