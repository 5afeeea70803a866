import type { Sql } from '../../kernel/db.ts'

export type StoredHead = {
  readonly size: number
  readonly root: Uint8Array
  readonly peaks: Uint8Array
  readonly floor: number
}

/** The oldest transaction that may still be running, and the last arrival handed out. */
export type Horizon = { readonly xmin: bigint; readonly lastArrival: number }

export async function readHorizon(db: Sql): Promise<Horizon> {
  const [row] = await db.query<{ xmin: string; last: number }>(
    `select pg_snapshot_xmin(pg_current_snapshot())::text as xmin,
        (select case when s.is_called then s.last_value else 0 end from trail_arrival as s) as last`,
  )
  if (!row) throw new Error('PostgreSQL did not say which transactions are running.')
  return { xmin: BigInt(row.xmin), lastArrival: row.last }
}

/** A transaction id younger than every one handed out before. (A snapshot's xmax is not that: it is younger than every *finished* one.) */
export async function takeTransactionId(db: Sql): Promise<bigint> {
  const [row] = await db.query<{ xid: string }>('select pg_current_xact_id()::text as xid')
  if (!row) throw new Error('PostgreSQL gave no transaction id.')
  return BigInt(row.xid)
}

/** Only one replica numbers entries at a time; the others find the lock taken and leave it to that one. */
export async function takeSequencerLock(tx: Sql): Promise<boolean> {
  const [row] = await tx.query<{ taken: boolean }>('select pg_try_advisory_xact_lock(44) as taken')
  return row?.taken === true
}

export async function readHead(db: Sql): Promise<StoredHead | undefined> {
  const [row] = await db.query<StoredHead>(
    'select h.size, h.root, h.peaks, h.floor from trail_heads as h order by h.size desc limit 1',
  )
  return row
}

export type SequencerState = {
  readonly head: StoredHead | undefined
  /** How many numbers there are; read from them and not from the head, so that a difference is noticed. */
  readonly next: number
}

export async function readState(tx: Sql): Promise<SequencerState> {
  const [row] = await tx.query<{ next: number } & { [Name in keyof StoredHead]: StoredHead[Name] | null }>(
    `select n.next, h.size, h.root, h.peaks, h.floor
      from (select coalesce(max(s.number) + 1, 0) as next from trail_sequence as s) as n
      left join (select * from trail_heads as t order by t.size desc limit 1) as h on true`,
  )
  const { next = 0, size, root, peaks, floor } = row ?? {}
  const isHead = typeof size === 'number' && typeof floor === 'number' && root && peaks
  return { next, head: isHead ? { size, root, peaks, floor } : undefined }
}

/**
 * Gives the next numbers to committed entries that have none, in the order in which they were written, and answers the
 * leaf hashes of these entries, one after the other. All in one statement: what it reads is what it numbers.
 */
export async function numberEntries(tx: Sql, next: number, floor: number, limit: number): Promise<Buffer> {
  const [row] = await tx.query<{ leaves: Buffer | null }>(
    `with batch as materialized (
        select e.id, e.leaf_hash, e.tenant_id, e.at, e.act, e.outcome, e.actor_id, e.subject_kind, e.subject_id, e.request_id,
            $1 + row_number() over (order by e.arrival) - 1 as number
          from trail_entries as e
          where e.arrival > $2 and not exists (select from trail_sequence as s where s.entry_id = e.id)
          order by e.arrival
          limit $3),
      numbered as (
        insert into trail_sequence (number, entry_id, tenant_id, at, act, outcome, actor_id, subject_kind, subject_id, request_id)
          select b.number, b.id, b.tenant_id, b.at, b.act, b.outcome, b.actor_id, b.subject_kind, b.subject_id, b.request_id
            from batch as b)
      select string_agg(b.leaf_hash, '' order by b.number) as leaves from batch as b`,
    [next, floor, limit],
  )
  return row?.leaves ?? Buffer.alloc(0)
}

export async function insertHead(tx: Sql, head: StoredHead, at: Date): Promise<void> {
  await tx.query('insert into trail_heads (size, root, peaks, floor, at) values ($1, $2, $3, $4, $5)', [
    head.size,
    head.root,
    head.peaks,
    head.floor,
    at,
  ])
}

/** When the entry that waits longest for its number was written. */
export async function findOldestUnsequenced(db: Sql): Promise<Date | undefined> {
  const [row] = await db.query<{ at: Date }>(
    `select e.at
      from trail_entries as e
      where e.arrival > coalesce((select h.floor from trail_heads as h order by h.size desc limit 1), 0)
        and not exists (select from trail_sequence as s where s.entry_id = e.id)
      order by e.arrival
      limit 1`,
  )
  return row?.at
}
