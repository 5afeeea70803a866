import { type EventDimension, eventDimensions } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { canonicalAction } from './actions.ts'
import { readEventTime } from './event-time.ts'
import type { EventWords } from './event-words.ts'

/** What a caller asks to see, in words. Values of one dimension are alternatives, dimensions narrow each other. */
export type EventFilter = { readonly [Name in EventDimension]?: readonly string[] | undefined } & {
  readonly [Name in EventDimension as `not_${Name}`]?: readonly string[] | undefined
} & {
  readonly q?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly sessionId?: string | undefined
  readonly parentSessionId?: string | undefined
}

type WordNumbers = { readonly [Name in EventDimension]?: readonly number[] }

/** The same in the numbers that the tables hold. Times are microseconds since 1970. */
export type EventScope = {
  readonly tenant: string
  readonly since: number | undefined
  readonly until: number | undefined
  readonly words: WordNumbers
  /** What is left out; never an empty list. */
  readonly without: WordNumbers
  readonly text: { readonly pattern: string; readonly words: readonly number[] } | undefined
  readonly sessionId: string | undefined
  readonly parentSessionId: string | undefined
}

const matchingWordsMax = 1_000
/** What one pattern may stand for; the list of its words goes into every statement. */
const patternWordsMax = 10_000
const patterned: ReadonlySet<EventDimension> = new Set(['agent', 'tool', 'rule'])

type Needs = { readonly db: Sql; readonly words: EventWords }

/** Finds the numbers of a filter's words. A word nobody ever used matches nothing. */
export function scopeOf({ db, words }: Needs) {
  return async (tenant: string, filter: EventFilter): Promise<EventScope> => {
    const asked = askedOf((dimension) => filter[dimension])
    const refused = askedOf((dimension) => filter[`not_${dimension}`])
    const all = [...asked, ...refused]
    const numbers = await words.find(tenant, [...new Set(all.flatMap(([, values]) => values))])
    const patterns = new Map<string, readonly number[]>()
    for (const [dimension, values] of all) {
      if (!patterned.has(dimension)) continue
      for (const value of values) if (value.includes('*')) patterns.set(value, await standingFor(db, tenant, value))
    }
    const numbersOf = (dimension: EventDimension, values: readonly string[]): number[] => [
      ...new Set(
        values.flatMap(
          (value) => (patterned.has(dimension) ? patterns.get(value) : undefined) ?? numbers.get(value) ?? [],
        ),
      ),
    ]
    const q = filter.q?.trim() ?? ''
    return {
      tenant,
      since: timeOf('since', filter.since),
      until: timeOf('until', filter.until),
      words: Object.fromEntries(asked.map(([dimension, values]) => [dimension, numbersOf(dimension, values)])),
      // A word nobody ever used leaves nothing out.
      without: Object.fromEntries(
        refused
          .map(([dimension, values]) => [dimension, numbersOf(dimension, values)] as const)
          .filter(([, found]) => found.length > 0),
      ),
      text: q === '' ? undefined : { pattern: patternOf(q), words: await matching(db, tenant, q) },
      sessionId: filter.sessionId,
      parentSessionId: filter.parentSessionId,
    }
  }
}

function askedOf(
  valuesOf: (dimension: EventDimension) => readonly string[] | undefined,
): readonly (readonly [EventDimension, readonly string[]])[] {
  return eventDimensions.flatMap((dimension) => {
    const values = valuesOf(dimension)
    if (values === undefined || values.length === 0) return []
    return [[dimension, dimension === 'verdict' ? values.map(canonicalAction) : values] as const]
  })
}

/** The words an asterisk stands for; the same letter case, as for whole names. */
async function standingFor(db: Sql, tenant: string, pattern: string): Promise<readonly number[]> {
  const like = pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%')
  const rows = await db.query<{ id: number }>(
    `select w.id from event_words as w where w.tenant_id = $1 and w.word like $2 limit $3`,
    [tenant, pattern.isWellFormed() ? like.replaceAll('\0', '') : '', patternWordsMax + 1],
  )
  if (rows.length > patternWordsMax) {
    throw invalidInput('query', `"${pattern}" stands for more than ${patternWordsMax} names; say more of the name.`)
  }
  return rows.map(({ id }) => id)
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
