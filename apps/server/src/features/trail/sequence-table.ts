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

export async function countNumbers(tx: Sql): Promise<number> {
  const [row] = await tx.query<{ next: number }>(
    'select coalesce(max(s.number) + 1, 0) as next from trail_sequence as s',
  )
  return row?.next ?? 0
}

export type Unsequenced = { readonly id: string; readonly arrival: number; readonly leafHash: Uint8Array }

/** Committed entries that have no number, in the order in which they were written. */
export async function findUnsequenced(db: Sql, floor: number, limit: number): Promise<readonly Unsequenced[]> {
  return db.query<Unsequenced>(
    `select e.id, e.arrival, e.leaf_hash as "leafHash"
      from trail_entries as e
      where e.arrival > $1 and not exists (select from trail_sequence as s where s.entry_id = e.id)
      order by e.arrival
      limit $2`,
    [floor, limit],
  )
}

export async function insertNumbers(tx: Sql, first: number, entryIds: readonly string[]): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    `with numbered as (
        insert into trail_sequence (number, entry_id, tenant_id, at, act, outcome, actor_id, subject_kind, subject_id, request_id)
        select $1 + n.place - 1, e.id, e.tenant_id, e.at, e.act, e.outcome, e.actor_id, e.subject_kind, e.subject_id,
            e.request_id
          from unnest($2::uuid[]) with ordinality as n (id, place)
          join trail_entries as e on e.id = n.id
          order by n.place
        returning number)
      select count(*) as count from numbered`,
    [first, entryIds],
  )
  return row?.count ?? 0
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
