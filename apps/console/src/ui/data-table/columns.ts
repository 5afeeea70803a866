import type { ReactNode } from 'react'

export type Column<Row> = {
  readonly id: string
  readonly header: string
  /** A CSS grid track: `120px`, `minmax(160px, 2fr)`. */
  readonly width: string
  readonly cell: (row: Row) => ReactNode
  readonly align?: 'end'
  /** Sorting is the server's; a column that it can sort by says so. */
  readonly isSortable?: boolean
  /** Left out until somebody chooses it. */
  readonly isHiddenAtFirst?: boolean
  /** Cannot be left out. */
  readonly isFixed?: boolean
  /** Left out on narrow screens, where the row's page or drawer shows it. */
  readonly isWideOnly?: boolean
}

export type Sort = { readonly by: string; readonly direction: 'ascending' | 'descending' }

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

export function nextSort(sort: Sort | undefined, by: string): Sort {
  if (sort?.by !== by) return { by, direction: 'descending' }
  return { by, direction: sort.direction === 'descending' ? 'ascending' : 'descending' }
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
