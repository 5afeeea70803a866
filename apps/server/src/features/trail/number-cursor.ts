import { invalidInput } from '../../kernel/problem.ts'

/** A page of what is numbered begins behind the number its cursor says; without one it is the first. */
export function readNumberCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined || cursor === '') return undefined
  if (/^(?:0|[1-9]\d{0,14})$/.test(cursor)) return Number(cursor)
  throw invalidInput(
    'query.cursor',
    'The cursor is none of ours. Give next_cursor of the page before, or leave it out.',
  )
}
