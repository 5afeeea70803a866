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
    const hashes = (level === 0 ? leaves : roots).get(place) ?? []
    if (hashes.length !== count) {
      throw new Error(`The trail lacks hashes on level ${level}. Run "countersign trail fsck".`)
    }
    return hashes
  })
}

// One look-up by key for each hash, and there are some hundreds: a join would let the planner read whole tables.
const leavesText = `
  select r.place, coalesce(
      (select e.leaf_hash from trail_sequence as s join trail_entries as e on e.id = s.entry_id where s.number = n.number),
      (select substring(t.leaves from (n.number % 256)::int * 32 + 1 for 32) from trail_removed_tiles as t
        where t.index = n.number / 256)) as hash
    from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) as r (place, level, first, beyond)
    cross join lateral generate_series(r.first, r.beyond - 1) as n (number)
    order by r.place, n.number`

const rootsText = `
  select r.place, (select t.root from trail_tile_roots as t where t.level = r.level - 1 and t.index = n.number) as hash
    from unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) as r (place, level, first, beyond)
    cross join lateral generate_series(r.first, r.beyond - 1) as n (number)
    order by r.place, n.number`

async function selectSpanned(
  db: Sql,
  text: string,
  spans: readonly Span[],
  isWanted: (level: number) => boolean,
): Promise<ReadonlyMap<number, Buffer[]>> {
  const wanted = spans.flatMap((span, place) => (isWanted(span.level) ? [{ ...span, place }] : []))
  const found = new Map<number, Buffer[]>()
  if (wanted.length === 0) return found
  const rows = await db.query<{ place: number; hash: Buffer | null }>(text, [
    wanted.map(({ place }) => place),
    wanted.map(({ level }) => level),
    wanted.map(({ first }) => first),
    wanted.map(({ first, count }) => first + count),
  ])
  for (const { place, hash } of rows) {
    if (hash === null) continue
    const of = found.get(place)
    if (of) of.push(hash)
    else found.set(place, [hash])
  }
  return found
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
