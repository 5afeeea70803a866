import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { type CSSProperties, type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { useDensity } from '../density.ts'
import { SortDownIcon, SortUpIcon } from '../icons.tsx'
import {
  type Column,
  type ColumnChoice,
  directionOf,
  inOrder,
  minWidthOf,
  nextSort,
  type Sort,
  shownColumns,
  toggled,
  withRange,
} from './columns.ts'
import classes from './data-table.module.css'

type Props<Row> = {
  /** Names the table for readers: `Keys`. */
  readonly label: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly rowId: (row: Row) => string
  readonly choice?: ColumnChoice
  readonly onOpen?: (row: Row) => void
  /** The row whose drawer or page is open beside the table. */
  readonly openId?: string
  readonly selection?: { readonly ids: ReadonlySet<string>; readonly onChange: (ids: ReadonlySet<string>) => void }
  /** Given by lists that are there as a whole; the address keeps it. */
  readonly sort?: Sort | undefined
  readonly onSort?: (sort: Sort | undefined) => void
  /** Asked for the next page when the end comes near. */
  readonly onEnd?: () => void
  /** Told whenever the list leaves its top or comes back to it: a live tail pauses meanwhile. */
  readonly onTop?: (isAtTop: boolean) => void
  /** How many there are altogether, when known. */
  readonly total?: number
  readonly footer?: ReactNode
  /** As high as its rows, for short lists inside of a page; otherwise it fills its place and scrolls by itself. */
  readonly isInline?: boolean
}

/**
 * Rows drawn as they come into view. One row is in the tab order; arrows, j and k, Home and End move, Enter opens,
 * x selects, and Shift extends.
 */
export function DataTable<Row>(props: Props<Row>) {
  const { label, columns, rowId, choice = {}, onOpen, openId, selection, sort, onSort, onEnd, onTop } = props
  const rows = useMemo(() => inOrder(props.rows, columns, sort), [props.rows, columns, sort])
  const isNarrow = useMediaQuery('(max-width: 767px)', undefined, { getInitialValueInEffect: false }) ?? false
  const { rowHeight } = useDensity()
  const scroller = useRef<HTMLDivElement>(null)
  const lastSelected = useRef<string | null>(null)
  const [focusedId, setFocusedId] = useState<string | null>(null)
  const shown = shownColumns(columns, choice, isNarrow)
  const tracks = `${selection ? '36px ' : ''}${shown.map(({ width }) => width).join(' ')}`
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    getItemKey: (index) => {
      const row = rows[index]
      return row === undefined ? index : rowId(row)
    },
  })
  const items = virtual.getVirtualItems()
  const lastIndex = items.at(-1)?.index ?? 0

  useEffect(() => virtual.measure(), [virtual, rowHeight])
  useEffect(() => {
    if (onEnd && rows.length > 0 && lastIndex >= rows.length - 20) onEnd()
  }, [onEnd, lastIndex, rows.length])

  const focusedIndex = Math.max(
    0,
    rows.findIndex((row) => rowId(row) === (focusedId ?? openId)),
  )
  const moveTo = (index: number): void => {
    const bounded = Math.max(0, Math.min(rows.length - 1, index))
    const row = rows[bounded]
    if (row === undefined) return
    setFocusedId(rowId(row))
    virtual.scrollToIndex(bounded)
    // The row may be drawn only after the scroll.
    requestAnimationFrame(() => {
      scroller.current?.querySelector<HTMLElement>(`[data-index="${bounded}"]`)?.focus({ preventScroll: true })
    })
  }
  const select = (id: string, isRange: boolean): void => {
    if (!selection) return
    selection.onChange(
      isRange ? withRange(selection.ids, rows.map(rowId), lastSelected.current, id) : toggled(selection.ids, id),
    )
    lastSelected.current = id
  }
  const onKey = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isControl(event.target)) return
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / rowHeight) - 1)
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: focusedIndex + 1,
      j: focusedIndex + 1,
      ArrowUp: focusedIndex - 1,
      k: focusedIndex - 1,
      PageDown: focusedIndex + page,
      PageUp: focusedIndex - page,
      Home: 0,
      End: rows.length - 1,
    }
    const row = rows[focusedIndex]
    const target = steps[event.key]
    if (target !== undefined) moveTo(target)
    else if (event.key === 'Enter' && row !== undefined && onOpen) onOpen(row)
    else if ((event.key === 'x' || event.key === ' ') && row !== undefined && selection)
      select(rowId(row), event.shiftKey)
    else return
    event.preventDefault()
  }
  const allSelected = selection !== undefined && rows.length > 0 && rows.every((row) => selection.ids.has(rowId(row)))

  return (
    <div
      ref={scroller}
      className={classes.scroller}
      data-inline={props.isInline || undefined}
      onScroll={onTop && (() => onTop((scroller.current?.scrollTop ?? 0) < rowHeight))}
    >
      <div
        className={classes.table}
        role="grid"
        aria-label={label}
        aria-rowcount={props.total ?? rows.length}
        aria-multiselectable={selection ? true : undefined}
        style={{ '--tracks': tracks, minWidth: minWidthOf(shown, selection !== undefined) } as CSSProperties}
        onKeyDown={onKey}
      >
        <div role="rowgroup" className={classes.head}>
          <div role="row" className={classes.row} aria-rowindex={1}>
            {selection && (
              <span role="columnheader" className={classes.check}>
                <input
                  type="checkbox"
                  aria-label="Select all that are loaded"
                  checked={allSelected}
                  onChange={() => selection.onChange(allSelected ? new Set() : new Set(rows.map(rowId)))}
                />
              </span>
            )}
            {shown.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className={classes.body} style={{ height: virtual.getTotalSize() }}>
          {items.map((item) => {
            const row = rows[item.index]
            if (row === undefined) return null
            const id = rowId(row)
            return (
              // The grid above takes the keys of all of its rows.
              <div
                key={item.key}
                role="row"
                data-index={item.index}
                aria-rowindex={item.index + 2}
                aria-selected={selection ? selection.ids.has(id) : undefined}
                data-open={id === openId || undefined}
                data-opens={onOpen !== undefined || undefined}
                tabIndex={item.index === focusedIndex ? 0 : -1}
                className={classes.row}
                style={{ height: rowHeight, transform: `translateY(${item.start}px)` }}
                onFocus={() => setFocusedId(id)}
                onClick={(event) => {
                  if (onOpen && !isControl(event.target) && !hasSelectedText()) onOpen(row)
                }}
              >
                {selection && (
                  <span role="gridcell" className={classes.check}>
                    <input
                      type="checkbox"
                      tabIndex={-1}
                      aria-label={`Select row ${item.index + 1}`}
                      checked={selection.ids.has(id)}
                      onClick={(event) => select(id, event.shiftKey)}
                      onChange={() => undefined}
                    />
                  </span>
                )}
                {shown.map((column) => (
                  <span key={column.id} role="gridcell" className={classes.cell} data-align={column.align}>
                    {column.cell(row)}
                  </span>
                ))}
              </div>
            )
          })}
        </div>
      </div>
      {props.footer && <div className={classes.footer}>{props.footer}</div>}
    </div>
  )
}

type HeaderProps<Row> = {
  readonly column: Column<Row>
  readonly sort: Sort | undefined
  readonly onSort: ((sort: Sort | undefined) => void) | undefined
}

function HeaderCell<Row>({ column, sort, onSort }: HeaderProps<Row>) {
  if (!(column.sortBy || column.isSortedByServer) || !onSort) {
    return (
      <span role="columnheader" className={classes.cell} data-align={column.align}>
        {column.header}
      </span>
    )
  }
  const direction = directionOf(sort, column.id)
  return (
    <span role="columnheader" aria-sort={direction} className={classes.cell} data-align={column.align}>
      <button type="button" className={classes.sort} onClick={() => onSort(nextSort(sort, column))}>
        {column.header}
        {direction === 'ascending' && <SortUpIcon size={12} />}
        {direction === 'descending' && <SortDownIcon size={12} />}
      </button>
    </span>
  )
}

/** A link, button or box inside of a row does its own thing. */
function isControl(target: EventTarget): boolean {
  return target instanceof Element && target.closest('a, button, input, select, textarea, label') !== null
}

/** Marking a text to copy it ends with a click that is none. */
function hasSelectedText(): boolean {
  return (window.getSelection()?.toString() ?? '') !== ''
}
