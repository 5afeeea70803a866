import { tileWidth } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { dueAt, type Hold, holdOn, type Span } from './removal.ts'
import { findFirstNumber, findLastNumber, readTileAges, readTileBytes, type TileAges } from './removals-table.ts'

/** A span and whether it may go now; `waits` for what says when. */
export type Candidate = Span & { readonly is: 'due' | 'held' } & { readonly hold?: Hold }

export type Ages = {
  readonly retentionDays: number
  readonly now: Date
  readonly holds: readonly Hold[]
  /** How many entries are under an anchored checkpoint. */
  readonly anchoredSize: number
}

/** What stands in the way of the next span. */
export type Waiting =
  | { readonly is: 'young'; readonly span: Span; readonly dueAt: Date }
  | { readonly is: 'unanchored' }
  /** Fewer than a tile of entries are left. */
  | { readonly is: 'few' }

/** As much is archived at a time: it is held in memory, and read back. */
const spanTilesMax = 128
const spanBytesMax = 24_000_000

/**
 * The spans that have expired, the oldest first: whole tiles under an anchored checkpoint. Spans under a hold are told as
 * such and passed by. Answers, at the end, what the next one waits for.
 */
export async function* findSpans(db: Sql, ages: Ages, spanTiles = spanTilesMax): AsyncGenerator<Candidate, Waiting> {
  // The last entry stays: the sequencer goes on from its number.
  const last = await findLastNumber(db)
  for (let from = 0; ; ) {
    const found = await findFirstNumber(db, from)
    if (found === undefined) return { is: 'few' }
    const first = Math.floor(found / tileWidth) * tileWidth
    if (first + tileWidth > last) return { is: 'few' }
    if (first + tileWidth > ages.anchoredSize) return { is: 'unanchored' }
    const beyond = Math.min(first + spanTiles * tileWidth, wholeTiles(last), wholeTiles(ages.anchoredSize))
    const run = runOf(await readTileAges(db, first, beyond), ages)
    if (run.is === 'young') return { is: 'young', span: run.span, dueAt: dueAt(run.span, ages.retentionDays) }
    if (run.is === 'held') {
      yield { ...run.span, is: 'held', hold: run.hold }
      const until = run.hold.heldUntil
      if (until === null) return { is: 'few' }
      from = Math.max(run.span.beyond, (await findFirstNumber(db, run.span.beyond, until)) ?? last + 1)
      continue
    }
    const span = await fitted(db, run.tiles)
    yield { ...span, is: 'due' }
    from = span.beyond
  }
}

const wholeTiles = (count: number): number => Math.floor(count / tileWidth) * tileWidth

type Run =
  | { readonly is: 'due'; readonly tiles: readonly TileAges[] }
  | { readonly is: 'held'; readonly span: Span; readonly hold: Hold }
  | { readonly is: 'young'; readonly span: Span }

/** The tiles at the beginning that share one fate. */
function runOf(tiles: readonly TileAges[], { retentionDays, now, holds }: Ages): Run {
  const [head] = tiles
  if (!head || tiles.some(({ count }) => count !== tileWidth)) {
    throw new Error('The trail has a gap where nothing was removed. Run "countersign trail verify".')
  }
  const isDue = (tile: TileAges): boolean => dueAt(tile, retentionDays) < now
  if (!isDue(head)) return { is: 'young', span: spanOf([head]) }
  const hold = holdOn(head, holds)
  if (hold) return { is: 'held', span: spanOf([head]), hold }
  const end = tiles.findIndex((tile, i) => tile.index !== head.index + i || !isDue(tile) || holdOn(tile, holds))
  return { is: 'due', tiles: end < 0 ? tiles : tiles.slice(0, end) }
}

async function fitted(db: Sql, tiles: readonly TileAges[]): Promise<Span> {
  const whole = spanOf(tiles)
  let bytes = 0
  let count = 0
  for (const one of await readTileBytes(db, whole.first, whole.beyond)) {
    bytes += one
    if (bytes > spanBytesMax && count > 0) break
    count += 1
  }
  return spanOf(tiles.slice(0, Math.max(1, count)))
}

function spanOf(tiles: readonly TileAges[]): Span {
  const times = (which: 'oldestAt' | 'newestAt'): readonly number[] => tiles.map((tile) => tile[which].getTime())
  const first = (tiles[0]?.index ?? 0) * tileWidth
  return {
    first,
    beyond: first + tiles.length * tileWidth,
    oldestAt: new Date(Math.min(...times('oldestAt'))),
    newestAt: new Date(Math.max(...times('newestAt'))),
  }
}
