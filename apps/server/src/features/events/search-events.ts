import type { Sql } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import type { EventScope } from './event-scope.ts'
import type { EventWords } from './event-words.ts'
import { hoursOf, looksOf, minutesOf, newestHour, type Range } from './scan-events.ts'
import { filteredBy } from './statement.ts'
import { type EventRecord, type Position, readEvents, type StoredEvent, selectEvents } from './stored-event.ts'

const minuteMicros = 60_000_000
const hourMicros = 60 * minuteMicros

export type Page = {
  readonly events: readonly StoredEvent[]
  readonly next: Position | undefined
  /** Set when time ran out: everything newer was looked at, and `next` goes on from there. */
  readonly searchedTo: number | undefined
}

type Needs = { readonly db: Sql; readonly words: EventWords }

/** A page waits this long for a rare text at the most; what was found until then is shown. */
const pageMs = 1_500

/** Events of a scope, newest first: by the agent's time, then arrival. */
export function searchEvents({ db, words }: Needs) {
  return async (
    scope: EventScope,
    { after, limit, patienceMs = pageMs }: { after?: Position | undefined; limit: number; patienceMs?: number },
  ): Promise<Page> => {
    const { rows, searchedTo } = await find(db, scope, after, limit + 1, patienceMs)
    const events = await readEvents(words, scope.tenant, rows.slice(0, limit))
    const last = events.at(-1)
    const hasMore = rows.length > limit
    if (hasMore && last) return { events, next: positionOf(last), searchedTo: undefined }
    if (searchedTo !== undefined) return { events, next: { atMicros: searchedTo, arrival: 0 }, searchedTo }
    return { events, next: undefined, searchedTo: undefined }
  }
}

type Found = { readonly rows: readonly EventRecord[]; readonly searchedTo: number | undefined }

async function find(
  db: Sql,
  scope: EventScope,
  after: Position | undefined,
  wanted: number,
  patienceMs: number,
): Promise<Found> {
  if (scope.text) return findText(db, scope, after, wanted, patienceMs)
  const isFiltered = filteredBy(scope).length > 0
  if (!isFiltered || scope.sessionId !== undefined) {
    return { rows: await selectEvents(db, { scope, after, limit: wanted }), searchedTo: undefined }
  }
  return { rows: await findCounted(db, scope, after, wanted), searchedTo: undefined }
}

/** What is common is found among these, for less than asking the counts costs. */
const newestLookedAt = 2_000
/** And what is not quite as common among this many. */
const newestLookedAtMax = 40_000

/** How many of the newest to look at, when so many of the first were found; undefined when it would be too many. */
function secondLook(found: number, wanted: number): number | undefined {
  // Half as many again as it takes when they are spread evenly.
  const needed = Math.ceil((newestLookedAt * wanted * 1.5) / found)
  return needed <= newestLookedAtMax ? needed : undefined
}

/** Asks the counts which minutes hold anything, so that what is rare is found without looking at what is not. */
async function findCounted(
  db: Sql,
  scope: EventScope,
  after: Position | undefined,
  wanted: number,
): Promise<readonly EventRecord[]> {
  const newest = await selectEvents(db, { scope, after, limit: wanted, among: newestLookedAt })
  if (newest.length >= wanted) return newest
  const among = secondLook(newest.length, wanted)
  if (among !== undefined) {
    const more = await selectEvents(db, { scope, after, limit: wanted, among })
    if (more.length >= wanted) return more
  }
  const rows: EventRecord[] = []
  // One more than needed, since of the first minute all may be newer than the position.
  const bucketsMax = wanted + 1
  let before = after ? after.atMicros + 1 : undefined
  let windowMicros = firstWindowMicros
  for (;;) {
    const since = await beginOfWindow(db, scope, before, windowMicros)
    const hours = await hoursOf(db, { ...scope, since }, before, bucketsMax)
    const minutes = await minutesOf(
      db,
      scope,
      hours.map(({ hour }) => hour),
      before,
      bucketsMax,
    )
    const ranges = minutes.map((from): Range => ({ from, to: from + minuteMicros }))
    if (ranges.length > 0) {
      rows.push(...(await selectEvents(db, { scope, ranges, after, limit: wanted - rows.length })))
    }
    if (rows.length >= wanted) return rows
    if (minutes.length === bucketsMax) before = minutes.at(-1)
    else if (hours.length === bucketsMax) before = hours.at(-1)?.hour
    else if (since === scope.since) return rows
    else {
      before = since
      windowMicros *= 8
    }
  }
}

/** Most pages are full with what is newest; only what is rare is looked for in all there is. */
const firstWindowMicros = 24 * hourMicros
const windowMicrosMax = 500 * 24 * hourMicros

/** Where to begin looking: a whole hour, or the scope's own beginning. */
async function beginOfWindow(
  db: Sql,
  { tenant, since, until }: EventScope,
  before: number | undefined,
  windowMicros: number,
): Promise<number | undefined> {
  if (windowMicros > windowMicrosMax) return since
  const end = Math.min(before ?? Number.POSITIVE_INFINITY, until ?? Number.POSITIVE_INFINITY)
  const newest = Number.isFinite(end) ? end : await newestHour(db, tenant)
  if (newest === undefined) return since
  const begin = Math.floor((newest - windowMicros) / hourMicros) * hourMicros
  return since !== undefined && since >= begin ? since : begin
}

async function findText(
  db: Sql,
  scope: EventScope,
  after: Position | undefined,
  wanted: number,
  patienceMs: number,
): Promise<Found> {
  const deadline = performance.now() + patienceMs
  const rows: EventRecord[] = []
  for (const look of await looksOf(db, scope, after ? after.atMicros + 1 : undefined)) {
    if (performance.now() > deadline) return { rows, searchedTo: look.to }
    rows.push(...(await selectEvents(db, { scope, ranges: [look], after, limit: wanted - rows.length })))
    if (rows.length >= wanted) break
  }
  return { rows, searchedTo: undefined }
}

function positionOf({ atMicros, arrival }: Position): Position {
  return { atMicros, arrival }
}

export function writeCursor({ atMicros, arrival }: Position): string {
  return `${atMicros}.${arrival}`
}

export function readCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined || cursor === '') return undefined
  const parts = /^(\d{1,18})\.(\d{1,18})$/.exec(cursor)
  const atMicros = Number(parts?.[1])
  const arrival = Number(parts?.[2])
  if (!parts || !Number.isSafeInteger(atMicros) || !Number.isSafeInteger(arrival)) {
    throw invalidInput('query.cursor', 'The cursor is not one of ours; begin again without it.')
  }
  return { atMicros, arrival }
}
