import type { EventSeries } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { seriesOf } from './actions.ts'
import { cellsSql, freshSql, type Level, piecesOf } from './count-cells.ts'
import type { EventScope } from './event-scope.ts'
import type { EventWords } from './event-words.ts'
import { needsScan, scanCells } from './scan-events.ts'
import { moment, statement } from './statement.ts'

export type Histogram = {
  readonly since: string
  readonly until: string
  readonly bucket_seconds: number
  readonly is_exact: boolean
  readonly total: number
  readonly buckets: readonly ({ readonly at: string } & Readonly<Record<EventSeries, number>>)[]
}

/** Widths that people read off an axis; what they are too small for is taken in whole days. */
const widthsSeconds = [60, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400]
const daySeconds = 86_400
/** A Monday, so that weeks begin with one. */
const originMicros = Date.UTC(2001, 0, 1) * 1_000

export function widthFor(rangeMicros: number, buckets: number): number {
  const wanted = rangeMicros / 1_000_000 / buckets
  return widthsSeconds.find((width) => width >= wanted) ?? Math.ceil(wanted / daySeconds) * daySeconds
}

type Needs = { readonly db: Sql; readonly words: EventWords }
type HistogramRow = { readonly bucket: number; readonly verdict: number; readonly mode: number; readonly count: number }

/** Counts by time and series. Buckets begin at round moments; the first and last hold only what the range covers. */
export function countHistogram({ db, words }: Needs) {
  return async (
    scope: EventScope & { readonly since: number; readonly until: number },
    buckets: number,
  ): Promise<Histogram> => {
    const width = widthFor(Math.max(0, scope.until - scope.since), buckets)
    const found = needsScan(scope) ? await scanned(scope) : await counted(scope, width)
    const spelled = await words.spell(
      scope.tenant,
      found.rows.flatMap(({ verdict, mode }) => [verdict, mode]),
    )
    const widthMicros = width * 1_000_000
    const floor = (micros: number): number =>
      originMicros + Math.floor((micros - originMicros) / widthMicros) * widthMicros
    const all = new Map<number, { at: string } & Record<EventSeries, number>>()
    for (let at = floor(scope.since); at < scope.until; at += widthMicros) {
      all.set(at, { at: iso(at), allowed: 0, blocked: 0, held: 0, observed: 0, failed: 0, other: 0 })
    }
    let total = 0
    for (const { bucket, verdict, mode, count } of found.rows) {
      const cell = all.get(floor(bucket))
      if (cell) cell[seriesOf(spelled.get(verdict) ?? '', spelled.get(mode) ?? '')] += count
      total += count
    }
    return {
      since: iso(scope.since),
      until: iso(scope.until),
      bucket_seconds: width,
      is_exact: found.isExact,
      total,
      buckets: [...all.values()],
    }
  }

  async function counted(
    scope: EventScope,
    width: number,
  ): Promise<{ readonly rows: readonly HistogramRow[]; readonly isExact: boolean }> {
    const coarsest: Level = width % daySeconds === 0 ? 2 : width % 3_600 === 0 ? 1 : 0
    const pieces = piecesOf(scope.since, scope.until, coarsest)
    const query = statement()
    const fresh = freshSql(query, scope, pieces)
    const bin = `date_bin(${query.bind(width)} * interval '1 second', c.bucket, ${moment(query, originMicros)})`
    const cells = cellsSql(query, scope, pieces, [`${bin} as bin`, 'c.verdict', 'c.mode'], ['verdict', 'mode'])
    const rows = await db.query<HistogramRow>(
      `with ${fresh}, cells as (${cells})
       select (extract(epoch from n.bin) * 1000000)::int8 as bucket, n.verdict, n.mode, sum(n.count)::int8 as count
         from cells as n group by n.bin, n.verdict, n.mode having sum(n.count) <> 0`,
      query.values,
    )
    return { rows, isExact: true }
  }

  async function scanned(scope: EventScope) {
    const { cells, isExact } = await scanCells(db, scope)
    return {
      rows: cells.map(({ minute, verdict, mode, count }) => ({ bucket: minute, verdict, mode, count })),
      isExact,
    }
  }
}

function iso(micros: number): string {
  return new Date(Math.floor(micros / 1_000)).toISOString()
}
