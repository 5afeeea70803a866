import type { EventDimension } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { cellsSql, cubeFor, freshSql, piecesOf } from './count-cells.ts'
import type { EventScope } from './event-scope.ts'
import { conditionsSql, dimensionsSql, filteredBy, moment, statement } from './statement.ts'

const minuteMicros = 60_000_000
const hourMicros = 60 * minuteMicros

export type Range = { readonly from: number; readonly to: number }

/** Counts know the dimensions alone; text and sessions must be looked for in the events themselves. */
export function needsScan({ text, sessionId, parentSessionId }: EventScope): boolean {
  return text !== undefined || sessionId !== undefined || parentSessionId !== undefined
}

/** The hours in which the scope's dimensions occur at all, newest first, with how often. */
export async function hoursOf(
  db: Sql,
  scope: EventScope,
  before: number | undefined,
  limit: number,
): Promise<readonly { readonly hour: number; readonly count: number }[]> {
  const until = earlier(before, scope.until)
  const pieces = piecesOf(
    scope.since === undefined ? undefined : Math.floor(scope.since / hourMicros) * hourMicros,
    until === undefined ? undefined : Math.ceil(until / hourMicros) * hourMicros,
    1,
  )
  // Whole hours only: nothing finer is asked for.
  const hours = { segments: pieces.segments.filter(({ level }) => level === 1), edges: [] }
  const query = statement()
  const fresh = freshSql(query, scope, hours)
  const cells = cellsSql(query, scope, hours, [`date_trunc('hour', c.bucket, 'UTC') as hour`], [])
  return db.query(
    `with ${fresh} select (extract(epoch from n.hour) * 1000000)::int8 as hour, sum(n.count)::int8 as count
       from (${cells}) as n group by n.hour having sum(n.count) > 0 order by n.hour desc limit ${query.bind(limit)}::int`,
    query.values,
  )
}

/** The newest hour of a tenant that is counted. What is newer waits for its counting. */
export async function newestHour(db: Sql, tenant: string): Promise<number | undefined> {
  const [row] = await db.query<{ hour: number | null }>(
    `select (extract(epoch from max(c.bucket)) * 1000000)::int8 as hour
       from event_counts as c where c.tenant_id = $1 and c.cube = 0 and c.level = 1`,
    [tenant],
  )
  return row?.hour ?? undefined
}

/** Minutes of those hours that may hold something of the scope, newest first. */
export async function minutesOf(
  db: Sql,
  scope: EventScope,
  hours: readonly number[],
  before: number | undefined,
  limit: number,
): Promise<readonly number[]> {
  const newest = hours[0]
  const oldest = hours.at(-1)
  if (newest === undefined || oldest === undefined) return []
  const query = statement()
  const { bind } = query
  const filtered = filteredBy(scope)
  const wide = filtered.filter((dimension: EventDimension) => ['agent', 'tool', 'rule'].includes(dimension))
  const toldApart = wide.map((dimension) => ` and c.${dimension} >= 0`).join('')
  const conditions = dimensionsSql(query, scope, 'c')
  const until = before === undefined ? '' : ` and c.at < ${moment(query, before)}`
  const rows = await db.query<{ minute: number }>(
    `select (extract(epoch from m.minute) * 1000000)::int8 as minute from (
       select c.bucket as minute
         from unnest(${bind(hours)}::int8[]) as h (micros)
        cross join lateral (
          select c.bucket from event_counts as c
           where c.tenant_id = ${bind(scope.tenant)} and c.cube = ${cubeFor(filtered, 0).cube} and c.level = 0
             and c.bucket >= timestamptz 'epoch' + h.micros * interval '1 microsecond'
             and c.bucket < timestamptz 'epoch' + (h.micros + ${hourMicros}) * interval '1 microsecond'${toldApart}${conditions}
           group by c.bucket having sum(c.count) > 0
        ) as c${until.replace('c.at', 'c.bucket').replace(' and', ' where')}
       union
       select c.minute from event_count_changes as c
        where c.tenant_id = ${bind(scope.tenant)} and c.minute >= ${moment(query, oldest)}
          and c.minute < ${moment(query, newest + hourMicros)} and c.count > 0${conditions}${until.replace('c.at', 'c.minute')}
     ) as m order by m.minute desc limit ${bind(limit)}::int`,
    query.values,
  )
  return rows.map(({ minute }) => minute)
}

/** How many events one look for a text goes through before the time is checked. */
const eventsPerLook = 20_000
const hoursMax = 100_000

/** All hours of a scope, joined so that each range holds about as many events as one look should take. */
export async function looksOf(db: Sql, scope: EventScope, before: number | undefined): Promise<readonly Range[]> {
  const hours = await hoursOf(db, scope, before, hoursMax)
  const looks: Range[] = []
  let current: { from: number; to: number; count: number } | undefined
  for (const { hour, count } of hours) {
    if (current && current.count + count <= eventsPerLook) {
      current.from = hour
      current.count += count
      continue
    }
    if (current) looks.push(current)
    current = { from: hour, to: hour + hourMicros, count }
  }
  if (current) looks.push(current)
  return looks
}

type Cell = { readonly [Name in EventDimension]: number } & { readonly minute: number; readonly count: number }

/** Beyond so many matches, counts say "more than". */
const scannedMatchesMax = 10_000
const scanMs = 3_000

/** Counts the newest matches of a text by looking at the events, until there are too many or it takes too long. */
export async function scanCells(
  db: Sql,
  scope: EventScope,
): Promise<{ readonly cells: readonly Cell[]; readonly isExact: boolean }> {
  const deadline = performance.now() + scanMs
  const cells: Cell[] = []
  let left = scannedMatchesMax
  for (const { from, to } of await looksOf(db, scope, undefined)) {
    if (left === 0 || performance.now() > deadline) return { cells, isExact: false }
    const query = statement()
    const found = await db.query<Cell>(
      `select (extract(epoch from date_trunc('minute', f.at, 'UTC')) * 1000000)::int8 as minute,
              f.environment, f.agent, f.tool, f.verdict, f.mode, f.rule, count(*)::int8 as count
         from (
           select e.at, e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule from events as e
            where e.tenant_id = ${query.bind(scope.tenant)}
              and e.at >= ${moment(query, Math.max(from, scope.since ?? from))}
              and e.at < ${moment(query, Math.min(to, scope.until ?? to))}${conditionsSql(query, scope)}
            order by e.at desc, e.arrival desc limit ${query.bind(left + 1)}::int
         ) as f
        group by 1, 2, 3, 4, 5, 6, 7 order by 1 desc`,
      query.values,
    )
    for (const cell of found) {
      const count = Math.min(cell.count, left)
      if (count < cell.count) return { cells: count > 0 ? [...cells, { ...cell, count }] : cells, isExact: false }
      cells.push(cell)
      left -= count
    }
  }
  return { cells, isExact: true }
}

function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other
  return other === undefined ? one : Math.min(one, other)
}
