import { type EventDimension, eventDimensions } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { canonicalAction } from './actions.ts'
import { readEventTime } from './event-time.ts'
import type { EventWords } from './event-words.ts'

/** What a caller asks to see, in words. Values of one dimension are alternatives, dimensions narrow each other. */
export type EventFilter = { readonly [Name in EventDimension]?: readonly string[] | undefined } & {
  readonly q?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly sessionId?: string | undefined
  readonly parentSessionId?: string | undefined
}

/** The same in the numbers that the tables hold. Times are microseconds since 1970. */
export type EventScope = {
  readonly tenant: string
  readonly since: number | undefined
  readonly until: number | undefined
  readonly words: { readonly [Name in EventDimension]?: readonly number[] }
  readonly text: { readonly pattern: string; readonly words: readonly number[] } | undefined
  readonly sessionId: string | undefined
  readonly parentSessionId: string | undefined
}

const matchingWordsMax = 1_000

type Needs = { readonly db: Sql; readonly words: EventWords }

/** Finds the numbers of a filter's words. A word nobody ever used matches nothing. */
export function scopeOf({ db, words }: Needs) {
  return async (tenant: string, filter: EventFilter): Promise<EventScope> => {
    const asked = eventDimensions.flatMap((dimension) => {
      const values = filter[dimension]
      if (values === undefined || values.length === 0) return []
      return [[dimension, dimension === 'verdict' ? values.map(canonicalAction) : values] as const]
    })
    const numbers = await words.find(tenant, [...new Set(asked.flatMap(([, values]) => values))])
    const q = filter.q?.trim() ?? ''
    return {
      tenant,
      since: timeOf('since', filter.since),
      until: timeOf('until', filter.until),
      words: Object.fromEntries(
        asked.map(([dimension, values]) => [
          dimension,
          [...new Set(values.flatMap((value) => numbers.get(value) ?? []))],
        ]),
      ),
      text: q === '' ? undefined : { pattern: patternOf(q), words: await matching(db, tenant, q) },
      sessionId: filter.sessionId,
      parentSessionId: filter.parentSessionId,
    }
  }
}

function timeOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined
  // In a query a plus that was not escaped arrives as a space.
  const micros = readEventTime(text.replace(' ', '+').replace(/^(\d{4}-\d\d-\d\d)\+/, '$1T'))
  if (micros === undefined) {
    throw invalidInput(`query.${name}`, `${name} must be a time such as 2026-01-31T12:00:00Z.`)
  }
  return micros
}

/** Payloads are JSON, so what was typed is looked for as JSON writes it. */
function patternOf(q: string): string {
  return likePattern(JSON.stringify(q).slice(1, -1))
}

function likePattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

/** Agents, tools and rules whose names contain the text: an event may have got its agent from a header alone. */
async function matching(db: Sql, tenant: string, q: string): Promise<readonly number[]> {
  const rows = await db.query<{ id: number }>(
    `select w.id from event_words as w where w.tenant_id = $1 and w.word ilike $2 limit $3`,
    [tenant, likePattern(q.isWellFormed() ? q.replaceAll('\0', '') : ''), matchingWordsMax],
  )
  return rows.map(({ id }) => id)
}
