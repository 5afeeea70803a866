import type { EntryMac, SignedStub } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import type { Removal } from './removal.ts'

const columns = `r.id, r.first_number as first, r.beyond, r.oldest_at as "oldestAt", r.newest_at as "newestAt",
  r.retention_days as "retentionDays", r.bucket, r.chain_id as "chainId", r.key, r.attempts,
  r.next_attempt_at as "nextAttemptAt", r.last_error as "lastError", r.archived_at as "archivedAt", r.sha256, r.bytes,
  r.locked_until as "lockedUntil", r.removed_at as "removedAt"`

/** Held by the session while spans are archived and removed: one replica at a time. */
export async function takeRemovalLock(session: Sql): Promise<boolean> {
  const [row] = await session.query<{ taken: boolean }>('select pg_try_advisory_lock(53) as taken')
  return row?.taken === true
}

export async function releaseRemovalLock(session: Sql): Promise<void> {
  await session.query('select pg_advisory_unlock(53)')
}

/** Removals that were begun and are not through, the oldest entries first. */
export function findUnfinished(db: Sql): Promise<Removal[]> {
  return db.query<Removal>(
    `select ${columns} from trail_removals as r where r.removed_at is null order by r.first_number`,
  )
}

export async function findRemoval(db: Sql, id: string): Promise<Removal | undefined> {
  const [row] = await db.query<Removal>(`select ${columns} from trail_removals as r where r.id = $1`, [id])
  return row
}

type Planned = Pick<
  Removal,
  'id' | 'first' | 'beyond' | 'oldestAt' | 'newestAt' | 'retentionDays' | 'bucket' | 'chainId' | 'key'
>

export async function insertRemoval(db: Sql, planned: Planned, at: Date): Promise<void> {
  const { id, first, beyond, oldestAt, newestAt, retentionDays, bucket, chainId, key } = planned
  await db.query(
    `insert into trail_removals
        (id, first_number, beyond, oldest_at, newest_at, retention_days, bucket, chain_id, key, planned_at, next_attempt_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)`,
    [id, first, beyond, oldestAt, newestAt, retentionDays, bucket, chainId, key, at],
  )
}

/** What was planned before the policy or the bucket was changed follows them, as long as nothing was archived. */
export async function planAnew(
  db: Sql,
  id: string,
  { retentionDays, bucket, chainId, key }: Pick<Removal, 'retentionDays' | 'bucket' | 'chainId' | 'key'>,
): Promise<void> {
  await db.query(
    `update trail_removals as r set retention_days = $2, bucket = $3, chain_id = $4, key = $5
      where r.id = $1 and r.archived_at is null`,
    [id, retentionDays, bucket, chainId, key],
  )
}

export async function noteArchived(
  db: Sql,
  id: string,
  archive: { readonly sha256: Buffer; readonly bytes: number; readonly lockedUntil: Date },
  at: Date,
): Promise<void> {
  await db.query(
    `update trail_removals as r
        set archived_at = $2, sha256 = $3, bytes = $4, locked_until = $5, attempts = 0, last_error = null
      where r.id = $1 and r.archived_at is null`,
    [id, at, archive.sha256, archive.bytes, archive.lockedUntil],
  )
}

export async function noteFailed(db: Sql, id: string, error: string, nextAttemptAt: Date): Promise<void> {
  await db.query(
    `update trail_removals as r set attempts = r.attempts + 1, last_error = $2, next_attempt_at = $3
      where r.id = $1 and r.removed_at is null`,
    [id, error, nextAttemptAt],
  )
}

/** The database asks everything again and throws unless the stub, the archive and an anchor are there. */
export async function removeSpan(tx: Sql, id: string, stubEntryId: string): Promise<void> {
  await tx.query('select trail_remove_span($1, $2)', [id, stubEntryId])
}

export type ArchivedRow = {
  readonly number: number
  readonly bytes: Uint8Array
  readonly leafHash: Uint8Array
  readonly mac: EntryMac | undefined
}

/** Entries as they are archived, with their keyed MACs. */
export async function readSpan(db: Sql, first: number, beyond: number): Promise<readonly ArchivedRow[]> {
  const rows = await db.query<
    Omit<ArchivedRow, 'mac'> & { readonly mac: Uint8Array | null; readonly macKey: string | null }
  >(
    `select s.number, e.bytes, e.leaf_hash as "leafHash", e.mac, e.mac_key as "macKey"
      from trail_sequence as s join trail_entries as e on e.id = s.entry_id
      where s.number >= $1 and s.number < $2 order by s.number`,
    [first, beyond],
  )
  return rows.map(({ mac, macKey, ...row }) => ({
    ...row,
    mac: mac && macKey !== null ? { key: macKey, value: mac } : undefined,
  }))
}

/** The first number that is still there, from one on; with a time, the first whose entry is not older. */
export async function findFirstNumber(db: Sql, from: number, notBefore?: Date): Promise<number | undefined> {
  const [row] = await db.query<{ number: number }>(
    `select s.number from trail_sequence as s
      where s.number >= $1 and ($2::timestamptz is null or s.at >= $2) order by s.number limit 1`,
    [from, notBefore ?? null],
  )
  return row?.number
}

/** The last number given. */
export async function findLastNumber(db: Sql): Promise<number> {
  const [row] = await db.query<{ number: number }>(
    'select coalesce(max(s.number), 0) as number from trail_sequence as s',
  )
  return row?.number ?? 0
}

export type TileAges = {
  readonly index: number
  readonly count: number
  readonly oldestAt: Date
  readonly newestAt: Date
}

export function readTileAges(db: Sql, first: number, beyond: number): Promise<TileAges[]> {
  return db.query<TileAges>(
    `select s.number / 256 as index, count(*) as count, min(s.at) as "oldestAt", max(s.at) as "newestAt"
      from trail_sequence as s where s.number >= $1 and s.number < $2
      group by s.number / 256 order by s.number / 256`,
    [first, beyond],
  )
}

export async function readTileBytes(db: Sql, first: number, beyond: number): Promise<readonly number[]> {
  const rows = await db.query<{ bytes: number }>(
    `select sum(octet_length(e.bytes))::bigint as bytes
      from trail_sequence as s join trail_entries as e on e.id = s.entry_id
      where s.number >= $1 and s.number < $2 group by s.number / 256 order by s.number / 256`,
    [first, beyond],
  )
  return rows.map(({ bytes }) => bytes)
}

export type RemovedRow = { readonly first: number; readonly stub: SignedStub }

/** A page of what was removed, newest entries first. */
export function listRemoved(db: Sql, before: number | undefined, limit: number): Promise<RemovedRow[]> {
  return db.query<RemovedRow>(
    `select r.first_number as first, r.stub from trail_removals as r
      where r.removed_at is not null and ($1::bigint is null or r.first_number < $1)
      order by r.first_number desc limit $2`,
    [before ?? null, limit],
  )
}

export async function countRemoved(db: Sql): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select coalesce(sum(r.beyond - r.first_number), 0)::bigint as count from trail_removals as r where r.removed_at is not null`,
  )
  return row?.count ?? 0
}
