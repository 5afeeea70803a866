import { type EntryMac, emptyRoot, hashBytes, type RecordedHead, tileWidth } from '@countersign/trail'
import type { Db, Sql } from '../../../server/src/kernel/db.ts'

/** What is searched by: copies of what the entry itself says. */
export type Copies = {
  readonly tenant: string | null
  readonly at: Date
  readonly act: string
  readonly outcome: string
  readonly actorId: string
  readonly subjectKind: string
  readonly subjectId: string
  readonly requestId: string | null
}

export type Row = {
  readonly number: number
  readonly entryId: string
  readonly numbered: Copies
  readonly stored: (Copies & { readonly actorKind: string }) | null
  readonly bytes: Uint8Array | null
  readonly leafHash: Uint8Array | null
  readonly mac: EntryMac | undefined
  /** The entry was removed after its time; its leaf hash stays. */
  readonly isRemoved: boolean
}

export const pageRows = 2000

/** One snapshot for all statements, so that what is written meanwhile neither disturbs nor is disturbed. */
export function atOneMoment<Result>(db: Db, work: (sql: Sql) => Promise<Result>): Promise<Result> {
  return db.inTx(async (tx) => {
    await tx.query('set transaction isolation level repeatable read read only')
    await tx.query('set local statement_timeout = 0')
    return work(tx)
  })
}

/** Numbers from `first` on and below `beyond`, in order, also those whose entry is gone or was removed after its time. */
export async function* readRows(sql: Sql, first: number, beyond = Number.MAX_SAFE_INTEGER): AsyncGenerator<Row> {
  const tiles = readRemovedTiles(sql, first, beyond)
  let tile = await tiles.next()
  const removedBefore = async function* (number: number): AsyncGenerator<Row> {
    for (; !tile.done && tile.value.index * tileWidth < number; tile = await tiles.next()) {
      yield* rowsOfTile(tile.value, first, beyond)
    }
  }
  for await (const row of readNumbered(sql, first, beyond)) {
    yield* removedBefore(row.number)
    yield row
  }
  yield* removedBefore(Number.POSITIVE_INFINITY)
}

type RemovedTile = { readonly index: number; readonly leaves: Buffer }

async function* readRemovedTiles(sql: Sql, first: number, beyond: number): AsyncGenerator<RemovedTile> {
  for (let from = Math.floor(first / tileWidth); ; ) {
    const some = await sql.query<RemovedTile>(
      `select t.index, t.leaves from trail_removed_tiles as t where t.index >= $1 and t.index * 256 < $2 order by t.index limit 64`,
      [from, beyond],
    )
    yield* some
    if (some.length < 64) return
    from = (some.at(-1)?.index ?? 0) + 1
  }
}

function* rowsOfTile({ index, leaves }: RemovedTile, first: number, beyond: number): Generator<Row> {
  for (let place = 0; place < tileWidth; place += 1) {
    const number = index * tileWidth + place
    if (number < first || number >= beyond) continue
    const leafHash = leaves.subarray(place * hashBytes, (place + 1) * hashBytes)
    yield {
      number,
      entryId: '-',
      numbered: nothing,
      stored: null,
      bytes: null,
      leafHash,
      mac: undefined,
      isRemoved: true,
    }
  }
}

const nothing: Copies = {
  tenant: null,
  at: new Date(0),
  act: '',
  outcome: '',
  actorId: '',
  subjectKind: '',
  subjectId: '',
  requestId: null,
}

async function* readNumbered(sql: Sql, first: number, beyond: number): AsyncGenerator<Row> {
  for (let after = first - 1; ; ) {
    const rows = await sql.query<FlatRow>(rowsText, [after, beyond, pageRows])
    for (const row of rows) yield unflatten(row)
    if (rows.length < pageRows) return
    after = rows.at(-1)?.number ?? after
  }
}

export async function readLastHead(sql: Sql): Promise<RecordedHead> {
  const [head] = await sql.query<RecordedHead>(
    'select h.size, h.root from trail_heads as h order by h.size desc limit 1',
  )
  return head ?? { size: 0, root: emptyRoot }
}

type FlatRow = Copies & {
  readonly number: number
  readonly entryId: string
  readonly e_tenant: string | null
  readonly e_at: Date
  readonly e_act: string
  readonly e_outcome: string
  readonly e_actorKind: string
  readonly e_actorId: string
  readonly e_subjectKind: string
  readonly e_subjectId: string
  readonly e_requestId: string | null
  readonly bytes: Uint8Array | null
  readonly leafHash: Uint8Array | null
  readonly mac: Uint8Array | null
  readonly macKey: string | null
}

const rowsText = `
  select s.number, s.entry_id as "entryId", s.tenant_id as tenant, s.at, s.act, s.outcome, s.actor_id as "actorId",
      s.subject_kind as "subjectKind", s.subject_id as "subjectId", s.request_id as "requestId",
      e.tenant_id as e_tenant, e.at as e_at, e.act as e_act, e.outcome as e_outcome, e.actor_kind as "e_actorKind",
      e.actor_id as "e_actorId", e.subject_kind as "e_subjectKind", e.subject_id as "e_subjectId",
      e.request_id as "e_requestId", e.bytes, e.leaf_hash as "leafHash", e.mac, e.mac_key as "macKey"
    from trail_sequence as s
    left join trail_entries as e on e.id = s.entry_id
    where s.number > $1 and s.number < $2
    order by s.number
    limit $3`

function unflatten(row: FlatRow): Row {
  const { number, entryId, bytes, leafHash, tenant, at, act, outcome, actorId, subjectKind, subjectId } = row
  const { mac, macKey, requestId } = row
  const numbered = { tenant, at, act, outcome, actorId, subjectKind, subjectId, requestId }
  const stored = {
    tenant: row.e_tenant,
    at: row.e_at,
    act: row.e_act,
    outcome: row.e_outcome,
    actorKind: row.e_actorKind,
    actorId: row.e_actorId,
    subjectKind: row.e_subjectKind,
    subjectId: row.e_subjectId,
    requestId: row.e_requestId,
  }
  return {
    number,
    entryId,
    bytes,
    leafHash,
    numbered,
    stored: bytes === null ? null : stored,
    mac: mac && macKey !== null ? { key: macKey, value: mac } : undefined,
    isRemoved: false,
  }
}
