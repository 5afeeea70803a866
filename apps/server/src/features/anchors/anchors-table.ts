import type { Sql } from '../../kernel/db.ts'

/** Where a chain lies; another bucket or name begins another chain. */
export type ChainPlace = { readonly bucket: string; readonly chainId: string }

export type AnchorRow = {
  readonly sequence: number
  readonly key: string
  readonly sha256: Buffer
  readonly firstNumber: number
  readonly size: number
  readonly root: Buffer
  readonly madeAt: Date
  readonly attempts: number
  readonly nextAttemptAt: Date
  readonly lastError: string | null
  readonly writtenAt: Date | null
  readonly lockedUntil: Date | null
}
export type WaitingAnchor = AnchorRow & { readonly bytes: Buffer }

const columns = `a.sequence, a.key, a.sha256, a.first_number as "firstNumber", a.size, a.root, a.made_at as "madeAt",
  a.attempts, a.next_attempt_at as "nextAttemptAt", a.last_error as "lastError", a.written_at as "writtenAt",
  a.locked_until as "lockedUntil"`

/** Held by the session for as long as the store is being talked to: one replica at a time. */
export async function takeAnchorLock(session: Sql): Promise<boolean> {
  const [row] = await session.query<{ taken: boolean }>('select pg_try_advisory_lock(49) as taken')
  return row?.taken === true
}

export async function releaseAnchorLock(session: Sql): Promise<void> {
  await session.query('select pg_advisory_unlock(49)')
}

export async function findLastWritten(db: Sql, { bucket, chainId }: ChainPlace): Promise<AnchorRow | undefined> {
  const [row] = await db.query<AnchorRow>(
    `select ${columns} from trail_anchors as a
      where a.bucket = $1 and a.chain_id = $2 and a.written_at is not null order by a.sequence desc limit 1`,
    [bucket, chainId],
  )
  return row
}

export async function findWaiting(db: Sql, { bucket, chainId }: ChainPlace): Promise<WaitingAnchor | undefined> {
  const [row] = await db.query<WaitingAnchor>(
    `select ${columns}, a.bytes from trail_anchors as a
      where a.bucket = $1 and a.chain_id = $2 and a.written_at is null`,
    [bucket, chainId],
  )
  return row
}

export async function insertAnchor(
  tx: Sql,
  { bucket, chainId }: ChainPlace,
  anchor: Omit<WaitingAnchor, 'attempts' | 'lastError' | 'writtenAt' | 'lockedUntil'>,
): Promise<void> {
  const { sequence, key, bytes, sha256, firstNumber, size, root, madeAt, nextAttemptAt } = anchor
  await tx.query(
    `insert into trail_anchors
        (bucket, chain_id, sequence, key, bytes, sha256, first_number, size, root, made_at, next_attempt_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [bucket, chainId, sequence, key, bytes, sha256, firstNumber, size, root, madeAt, nextAttemptAt],
  )
}

export async function noteWritten(
  db: Sql,
  { bucket, chainId }: ChainPlace,
  sequence: number,
  at: Date,
  lockedUntil: Date,
): Promise<void> {
  await db.query(
    `update trail_anchors as a set written_at = $4, locked_until = $5, attempts = a.attempts + 1, last_error = null
      where a.bucket = $1 and a.chain_id = $2 and a.sequence = $3 and a.written_at is null`,
    [bucket, chainId, sequence, at, lockedUntil],
  )
}

export async function noteFailed(
  db: Sql,
  { bucket, chainId }: ChainPlace,
  sequence: number,
  error: string,
  nextAttemptAt: Date,
): Promise<void> {
  await db.query(
    `update trail_anchors as a set attempts = a.attempts + 1, last_error = $4, next_attempt_at = $5
      where a.bucket = $1 and a.chain_id = $2 and a.sequence = $3 and a.written_at is null`,
    [bucket, chainId, sequence, error, nextAttemptAt],
  )
}

/** A page of a chain, newest first. */
export function listAnchors(
  db: Sql,
  { bucket, chainId }: ChainPlace,
  before: number | undefined,
  limit: number,
): Promise<AnchorRow[]> {
  return db.query<AnchorRow>(
    `select ${columns} from trail_anchors as a
      where a.bucket = $1 and a.chain_id = $2 and ($3::bigint is null or a.sequence < $3)
      order by a.sequence desc limit $4`,
    [bucket, chainId, before ?? null, limit],
  )
}
