import { type EntryMac, emptyRoot, type RecordedHead } from '@countersign/trail'
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

/** Numbers from `first` on and below `beyond`, also those whose entry is gone. */
export async function* readRows(sql: Sql, first: number, beyond = Number.MAX_SAFE_INTEGER): AsyncGenerator<Row> {
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
  }
}
