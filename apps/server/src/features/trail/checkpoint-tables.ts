import { tileWidth } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'

export type LogKey = { readonly name: string; readonly publicKey: Buffer; readonly sealedSeed: string }
export type StoredCheckpoint = { readonly size: number; readonly note: string }

/** Only one replica signs at a time. */
export async function takeCheckpointLock(tx: Sql): Promise<boolean> {
  const [row] = await tx.query<{ taken: boolean }>('select pg_try_advisory_xact_lock(48) as taken')
  return row?.taken === true
}

export async function findLogKey(db: Sql): Promise<LogKey | undefined> {
  const [row] = await db.query<LogKey>(
    `select k.name, k.public_key as "publicKey", k.sealed_seed as "sealedSeed"
       from trail_log_keys as k order by k.made_at limit 1`,
  )
  return row
}

export async function insertLogKey(tx: Sql, key: LogKey, at: Date): Promise<void> {
  await tx.query('insert into trail_log_keys (name, public_key, sealed_seed, made_at) values ($1, $2, $3, $4)', [
    key.name,
    key.publicKey,
    key.sealedSeed,
    at,
  ])
}

export async function findLastCheckpoint(db: Sql): Promise<StoredCheckpoint | undefined> {
  const [row] = await db.query<StoredCheckpoint>(
    'select c.size, c.note from trail_checkpoints as c order by c.size desc limit 1',
  )
  return row
}

/** The size of the newest head and the note of the newest checkpoint. */
export async function peekAtHeads(db: Sql): Promise<{ readonly size: number | null; readonly note: string | null }> {
  const [row] = await db.query<{ size: number | null; note: string | null }>(
    `select (select h.size from trail_heads as h order by h.size desc limit 1) as size,
        (select c.note from trail_checkpoints as c order by c.size desc limit 1) as note`,
  )
  return row ?? { size: null, note: null }
}

export async function insertCheckpoint(tx: Sql, { size, note }: StoredCheckpoint, at: Date): Promise<void> {
  await tx.query('insert into trail_checkpoints (size, note, at) values ($1, $2, $3)', [size, note, at])
}

/** Leaves from $1 up to $2 whose entries were removed after their time. */
const removedLeaves = `
  select t.index * 256 + g.place, substring(t.leaves from g.place * 32 + 1 for 32)
    from trail_removed_tiles as t cross join generate_series(0, 255) as g (place)
    where t.index >= $1::bigint / 256 and t.index <= $2::bigint / 256
      and t.index * 256 + g.place >= $1 and t.index * 256 + g.place < $2`

/** Hashes of a tile in order: leaves on level 0, roots of the full tiles below on any other. */
export async function selectHashes(db: Sql, level: number, first: number, count: number): Promise<Buffer[]> {
  const rows =
    level === 0
      ? await db.query<{ hash: Buffer }>(
          `select n.hash from (
              select s.number, e.leaf_hash as hash from trail_sequence as s join trail_entries as e on e.id = s.entry_id
                where s.number >= $1 and s.number < $2
              union all ${removedLeaves}) as n
            order by n.number`,
          [first, first + count],
        )
      : await db.query<{ hash: Buffer }>(
          `select r.root as hash from trail_tile_roots as r
            where r.level = $1 and r.index >= $2 and r.index < $3 order by r.index`,
          [level - 1, first, first + count],
        )
  if (rows.length !== count) {
    throw new Error(`The trail lacks hashes from ${first} on level ${level}. Run "countersign trail verify".`)
  }
  return rows.map(({ hash }) => hash)
}

export async function countTileRoots(db: Sql, level: number): Promise<number> {
  const [row] = await db.query<{ next: number }>(
    'select coalesce(max(r.index) + 1, 0) as next from trail_tile_roots as r where r.level = $1',
    [level],
  )
  return row?.next ?? 0
}

export async function insertTileRoots(
  tx: Sql,
  level: number,
  first: number,
  roots: readonly Uint8Array[],
): Promise<void> {
  await tx.query(
    `insert into trail_tile_roots (level, index, root)
     select $1, $2 + n.place - 1, n.root from unnest($3::bytea[]) with ordinality as n (root, place)`,
    [level, first, roots],
  )
}

/** How many hashes a level of tiles has in a log of this size. */
export function hashesOnLevel(size: number, level: number): number {
  return Math.floor(size / tileWidth ** level)
}

export async function findCheckpointOf(db: Sql, size: number): Promise<StoredCheckpoint | undefined> {
  const [row] = await db.query<StoredCheckpoint>(
    'select c.size, c.note from trail_checkpoints as c where c.size = $1',
    [size],
  )
  return row
}

type Span = { readonly level: number; readonly first: number; readonly count: number }

/** Hashes of several spans in two statements at most, in the order of the spans. */
export async function selectSpans(db: Sql, spans: readonly Span[]): Promise<readonly (readonly Buffer[])[]> {
  const [leaves, roots] = await Promise.all([
    selectSpanned(db, leavesText, spans, (level) => level === 0),
    selectSpanned(db, rootsText, spans, (level) => level > 0),
  ])
  return spans.map(({ level, count }, place) => {
    const hashes = (level === 0 ? leaves : roots).get(place)
    if (hashes?.length !== count * 32) {
      throw new Error(`The trail lacks hashes on level ${level}. Run "countersign trail fsck".`)
    }
    return Array.from({ length: count }, (_, i) => hashes.subarray(i * 32, (i + 1) * 32))
  })
}

// One look-up by key for each hash, and there are some hundreds: a join would let the planner read whole tables. One row a
// span, since to send and to read a row costs as much again.
const leavesText = `
  select r.place, (select string_agg(coalesce(
        (select e.leaf_hash from trail_sequence as s join trail_entries as e on e.id = s.entry_id where s.number = n.number),
        (select substring(t.leaves from (n.number % 256)::int * 32 + 1 for 32) from trail_removed_tiles as t
          where t.index = n.number / 256)), '' order by n.number)
      from generate_series(r.first, r.beyond - 1) as n (number)) as hashes
    from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) as r (place, level, first, beyond)`

const rootsText = `
  select r.place, (select string_agg(
        (select t.root from trail_tile_roots as t where t.level = r.level - 1 and t.index = n.number), '' order by n.number)
      from generate_series(r.first, r.beyond - 1) as n (number)) as hashes
    from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) as r (place, level, first, beyond)`

async function selectSpanned(
  db: Sql,
  text: string,
  spans: readonly Span[],
  isWanted: (level: number) => boolean,
): Promise<ReadonlyMap<number, Buffer>> {
  const wanted = spans.flatMap((span, place) => (isWanted(span.level) ? [{ ...span, place }] : []))
  if (wanted.length === 0) return new Map()
  const rows = await db.query<{ place: number; hashes: Buffer | null }>(text, [
    wanted.map(({ place }) => place),
    wanted.map(({ level }) => level),
    wanted.map(({ first }) => first),
    wanted.map(({ first, count }) => first + count),
  ])
  return new Map(rows.flatMap(({ place, hashes }) => (hashes ? [[place, hashes]] : [])))
}

/** The roots of the perfect subtrees of the log as it was with so many entries, largest first, when they were remembered. */
export async function findPeaks(db: Sql, size: number): Promise<Buffer | undefined> {
  const [row] = await db.query<{ peaks: Buffer }>('select h.peaks from trail_heads as h where h.size = $1', [size])
  return row?.peaks
}

export type BundleRow = { readonly bytes: Buffer | null; readonly leafHash: Buffer }

/** Entries in order; those of another tenant, of none, and those that were removed, by their leaf alone. */
export async function selectBundle(db: Sql, tenant: string, first: number, count: number): Promise<BundleRow[]> {
  return db.query<BundleRow>(
    `select n.bytes, n.hash as "leafHash" from (
        select s.number, case when e.tenant_id = $3 then e.bytes end as bytes, e.leaf_hash as hash
          from trail_sequence as s join trail_entries as e on e.id = s.entry_id
          where s.number >= $1 and s.number < $2
        union all select l.number, null, l.hash from (${removedLeaves}) as l (number, hash)) as n
      order by n.number`,
    [first, first + count, tenant],
  )
}
