import { type EventDimension, eventDimensions } from '@countersign/wire'
import type { EventScope } from './event-scope.ts'

/** Collects the values of a statement while its text is put together. */
export type Statement = { readonly bind: (value: unknown) => string; readonly values: readonly unknown[] }

export function statement(): Statement {
  const values: unknown[] = []
  const places = new Map<unknown, string>()
  return {
    values,
    bind: (value) => {
      const known = places.get(value)
      if (known !== undefined) return known
      const place = `$${values.push(value)}`
      // Lists are long and named again and again. Of other values two that are equal may be of different types.
      if (typeof value === 'object') places.set(value, place)
      return place
    },
  }
}

/** A moment from microseconds; a Date would lose three digits. */
export function moment({ bind }: Statement, micros: number): string {
  return `(timestamptz 'epoch' + ${bind(micros)}::int8 * interval '1 microsecond')`
}

/** The conditions of a scope's dimensions, each beginning with `and`. */
export function dimensionsSql(
  statement: Statement,
  { words, without }: Pick<EventScope, 'words' | 'without'>,
  alias: string,
  except?: EventDimension,
): string {
  return eventDimensions
    .map((dimension) => {
      if (dimension === except) return ''
      const [asked, refused] = [words[dimension], without[dimension]]
      const column = `${alias}.${dimension}`
      return (
        (asked === undefined ? '' : ` and ${column} = any(${statement.bind(asked)}::int[])`) +
        (refused === undefined ? '' : ` and ${column} <> all(${statement.bind(refused)}::int[])`)
      )
    })
    .join('')
}

/** The dimensions that a scope says anything about. */
export function filteredBy({ words, without }: Pick<EventScope, 'words' | 'without'>): EventDimension[] {
  return eventDimensions.filter((dimension) => words[dimension] !== undefined || without[dimension] !== undefined)
}

/** Every condition of a scope but its times, for rows of events. */
export function conditionsSql(statement: Statement, scope: EventScope): string {
  const { bind } = statement
  const { text, sessionId, parentSessionId } = scope
  let sql = dimensionsSql(statement, scope, 'e')
  if (text) {
    const words = bind(text.words)
    sql += ` and (e.payload ilike ${bind(text.pattern)} or e.agent = any(${words}::int[]) or e.tool = any(${words}::int[]) or e.rule = any(${words}::int[]))`
  }
  if (sessionId !== undefined) {
    const id = bind(sessionId)
    sql += ` and e.session_id is not null and hashtextextended(e.session_id, 0) = hashtextextended(${id}::text collate "C", 0) and e.session_id = ${id}`
  }
  if (parentSessionId !== undefined) {
    sql += ` and strpos(e.payload, ${bind(`"parent_session_id":${JSON.stringify(parentSessionId)}`)}) > 0`
  }
  return sql
}
