import type { ReactNode } from 'react'

export type Column<Row> = {
  readonly id: string
  readonly header: string
  /** A CSS grid track: `120px`, `minmax(160px, 2fr)`. */
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  readonly align?: 'end'
  /** What rows are put in order by under this column, in a list that is there as a whole; rows without it come last. */
  readonly sortBy?: (row: Row) => string | number | null
  /** The server puts the list in order by this column. */
  readonly isSortedByServer?: boolean
  /** The first press puts the largest on top: times and counts. */
  readonly isLargestFirst?: boolean
  /** Left out until somebody chooses it. */
  readonly isHiddenAtFirst?: boolean
  /** Cannot be left out. */
  readonly isFixed?: boolean
  /** Left out on narrow screens, where the row's page or drawer shows it. */
  readonly isWideOnly?: boolean
}

/** As the address keeps it: the id of a column, with `-` before it for the largest first. */
export type Sort = string

/** What somebody chose, over what a column says of itself. */
export type ColumnChoice = Readonly<Record<string, boolean>>

export function shownColumns<Row>(
  columns: readonly Column<Row>[],
  choice: ColumnChoice,
  isNarrow: boolean,
): readonly Column<Row>[] {
  return columns.filter((column) => {
    if (column.isFixed) return true
    if (isNarrow && column.isWideOnly) return false
    return choice[column.id] ?? !column.isHiddenAtFirst
  })
}

/** Below this the table scrolls sideways; every row is as wide as every other whatever is in it. */
export function minWidthOf<Row>(columns: readonly Column<Row>[], hasSelection: boolean): number {
  const widths = columns.map(({ width }) => Number(/(\d+)px/.exec(width)?.[1] ?? 80))
  return widths.reduce((sum, width) => sum + width, 24 + (hasSelection ? 36 : 0))
}

export function readSort(value: unknown): { readonly sort?: Sort } {
  return typeof value === 'string' && /^-?[a-z]+$/.test(value) ? { sort: value } : {}
}

export function directionOf(sort: Sort | undefined, id: string): 'ascending' | 'descending' | 'none' {
  if (sort === id) return 'ascending'
  return sort === `-${id}` ? 'descending' : 'none'
}

/** One press sorts, the next turns it round, the third gives the list its own order back. */
export function nextSort<Row>(sort: Sort | undefined, { id, isLargestFirst }: Column<Row>): Sort | undefined {
  const [first, second] = isLargestFirst ? [`-${id}`, id] : [id, `-${id}`]
  if (sort === second) return undefined
  return sort === first ? second : first
}

// Numbers in names count as numbers: agent-2 comes before agent-10.
const words = new Intl.Collator(undefined, { numeric: true })

/** The rows in the order somebody asked for; what ties keeps the order it came in. */
export function inOrder<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: Sort | undefined,
): readonly Row[] {
  const column = columns.find(({ id }) => directionOf(sort, id) !== 'none')
  const valueOf = column?.sortBy
  if (!column || !valueOf) return rows
  const sign = directionOf(sort, column.id) === 'descending' ? -1 : 1
  const keyed = rows.map((row) => ({ row, value: valueOf(row) }))
  return keyed
    .toSorted(({ value: a }, { value: b }) => {
      if (a === null || b === null) return Number(a === null) - Number(b === null)
      return sign * (typeof a === 'number' && typeof b === 'number' ? a - b : words.compare(String(a), String(b)))
    })
    .map(({ row }) => row)
}

/** Selects the rows from one to another, as a click with Shift does. */
export function withRange(
  selected: ReadonlySet<string>,
  ids: readonly string[],
  from: string | null,
  to: string,
): ReadonlySet<string> {
  const start = from === null ? -1 : ids.indexOf(from)
  const end = ids.indexOf(to)
  if (start < 0 || end < 0) return toggled(selected, to)
  return new Set([...selected, ...ids.slice(Math.min(start, end), Math.max(start, end) + 1)])
}

export function toggled(selected: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(selected)
  if (!next.delete(id)) next.add(id)
  return next
}
