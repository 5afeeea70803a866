import { type EventDimension, eventDimensions } from '@countersign/wire'
import type { EventScope } from './event-scope.ts'
import { dimensionsSql, filteredBy, moment, type Statement } from './statement.ts'

const minuteMicros = 60_000_000
const hourMicros = 60 * minuteMicros
const dayMicros = 24 * hourMicros

export type Level = 0 | 1 | 2

/** Whole buckets of one level, from `from` until before `to`. */
export type Segment = { readonly level: Level; readonly from: number | undefined; readonly to: number | undefined }

type Pieces = {
  readonly segments: readonly Segment[]
  /** What no whole minute covers: at most two, each shorter than a minute. */
  readonly edges: readonly { readonly from: number; readonly to: number }[]
}

/** Takes a range of time apart into the largest whole days, hours and minutes, and what remains at its edges. */
export function piecesOf(since: number | undefined, until: number | undefined, coarsest: Level): Pieces {
  const from = since === undefined ? undefined : Math.ceil(since / minuteMicros) * minuteMicros
  const to = until === undefined ? undefined : Math.floor(until / minuteMicros) * minuteMicros
  if (since !== undefined && until !== undefined && (from ?? 0) > (to ?? 0)) {
    return { segments: [], edges: since < until ? [{ from: since, to: until }] : [] }
  }
  const edges = [
    ...(since !== undefined && from !== undefined && since < from ? [{ from: since, to: from }] : []),
    ...(until !== undefined && to !== undefined && to < until ? [{ from: to, to: until }] : []),
  ]
  return { segments: segmentsOf(from, to, 0, coarsest), edges }
}

const unitAbove: Readonly<Record<Level, number>> = { 0: hourMicros, 1: dayMicros, 2: Number.POSITIVE_INFINITY }

function segmentsOf(
  from: number | undefined,
  to: number | undefined,
  level: Level,
  coarsest: Level,
): readonly Segment[] {
  if (from !== undefined && to !== undefined && from >= to) return []
  if (level === coarsest) return [{ level, from, to }]
  const unit = unitAbove[level]
  const inner = from === undefined ? undefined : Math.ceil(from / unit) * unit
  const outer = to === undefined ? undefined : Math.floor(to / unit) * unit
  if (inner !== undefined && outer !== undefined && inner >= outer) return [{ level, from, to }]
  return [
    ...(from !== undefined && inner !== undefined && from < inner ? [{ level, from, to: inner }] : []),
    ...segmentsOf(inner, outer, (level + 1) as Level, coarsest),
    ...(to !== undefined && outer !== undefined && outer < to ? [{ level, from: outer, to }] : []),
  ]
}

/**
 * Where to count something whose dimensions these are: the smallest cube that tells them apart, among those that are
 * kept for the level. The whole one has minutes and days, its hours are added up from minutes.
 */
export function cubeFor(
  dimensions: Iterable<EventDimension>,
  level: Level,
): { readonly cube: number; readonly level: Level } {
  const found = new Set(dimensions)
  const wide = [found.has('agent'), found.has('tool'), found.has('rule')]
  const count = wide.filter(Boolean).length
  if (count === 0) return { cube: 0, level }
  if (count > 1 || level === 0) return { cube: 4, level: level === 1 ? 0 : level }
  return { cube: wide.indexOf(true) + 1, level }
}

const allDimensions = eventDimensions.map((dimension) => dimension).join(', ')
const wideDimensions: readonly EventDimension[] = ['agent', 'tool', 'rule']

/**
 * A common table `fresh`: what the counts do not hold yet within the range, and the events of its edges, by minute and
 * all dimensions. In one statement with `cellsSql` both are of one moment, so their sum is exact.
 */
export function freshSql(statement: Statement, scope: EventScope, { segments, edges }: Pieces): string {
  const { bind } = statement
  const of = segments.map(
    ({ from, to }) =>
      `(true${from === undefined ? '' : ` and c.minute >= ${moment(statement, from)}`}${to === undefined ? '' : ` and c.minute < ${moment(statement, to)}`})`,
  )
  const changes = `
    select c.minute as bucket, ${allDimensions}, sum(c.count)::int8 as count
      from event_count_changes as c
     where c.tenant_id = ${bind(scope.tenant)} and ${of.length === 0 ? 'false' : `(${of.join(' or ')})`}
     group by c.minute, ${allDimensions}`
  const rows = edges.map(
    ({ from, to }) => `
    select date_trunc('minute', e.at, 'UTC') as bucket, ${allDimensions}, count(*)::int8 as count
      from events as e
     where e.tenant_id = ${bind(scope.tenant)} and e.at >= ${moment(statement, from)} and e.at < ${moment(statement, to)}
     group by 1, ${allDimensions}`,
  )
  return `fresh as materialized (${[changes, ...rows].join(' union all ')})`
}

/**
 * Rows `(<picked>…, count)` that add up to what the scope holds, from the counts and from `fresh`. `pick` says what is
 * wanted of each cell `c`; the dimensions it uses must be in `uses`.
 */
export function cellsSql(
  statement: Statement,
  scope: EventScope,
  { segments }: Pieces,
  pick: readonly string[],
  uses: readonly EventDimension[],
  except?: EventDimension,
): string {
  const filtered = filteredBy(scope).filter((dimension) => dimension !== except)
  const conditions = dimensionsSql(statement, scope, 'c', except)
  // Lets the indexes that hold only told-apart cells be used.
  const toldApart = wideDimensions
    .filter((dimension) => filtered.includes(dimension))
    .map((dimension) => ` and c.${dimension} >= 0`)
    .join('')
  const picked = pick.join(', ')
  const grouped = pick.map((_, at) => at + 1).join(', ')
  const stored = segments.map(({ level, from, to }) => {
    const kept = cubeFor([...filtered, ...uses], level)
    return `
    select ${picked}, sum(c.count)::int8 as count
      from event_counts as c
     where c.tenant_id = ${statement.bind(scope.tenant)} and c.cube = ${kept.cube} and c.level = ${kept.level}${
       from === undefined ? '' : ` and c.bucket >= ${moment(statement, from)}`
     }${to === undefined ? '' : ` and c.bucket < ${moment(statement, to)}`}${toldApart}${conditions}
     group by ${grouped}`
  })
  const fresh = `
    select ${picked}, sum(c.count)::int8 as count from fresh as c where true${conditions} group by ${grouped}`
  return [...stored, fresh].join(' union all ')
}
