import {
  emptyFrontier,
  emptyRoot,
  type Frontier,
  frontierRoot,
  hashBytes,
  type RecordedHead,
  startVerification,
  type TrailEntry,
} from '@countersign/trail'
import type { Db, Sql } from '../../../server/src/kernel/db.ts'
import { faultsMax, makeReport, type OtherFault, type Report } from './report.ts'

type Copies = {
  readonly tenant: string | null
  readonly at: Date
  readonly act: string
  readonly outcome: string
  readonly actorId: string
  readonly subjectKind: string
  readonly subjectId: string
}
export type Row = {
  readonly number: number
  readonly entryId: string
  readonly numbered: Copies
  readonly stored: (Copies & { readonly actorKind: string }) | null
  readonly bytes: Uint8Array | null
  readonly leafHash: Uint8Array | null
}

const pageRows = 2000

/** Verifies the record in a database, as it was at one moment. */
export async function readTrailDatabase(
  db: Db,
  { heads, from }: { readonly heads: readonly RecordedHead[]; readonly from: number },
): Promise<Report> {
  return atOneMoment(db, async (sql) => {
    const start = await readStart(sql, from)
    const verifier = startVerification({ from: start, heads, faultsMax })
    const others: OtherFault[] = [...(await findMissingGuards(sql))]
    let otherCount = others.length
    const blame = (fault: OtherFault): void => {
      otherCount++
      if (others.length < faultsMax) others.push(fault)
    }
    let next = start.size
    for await (const row of readRows(sql, start.size)) {
      if (row.number >= next) {
        next = Math.floor(row.number / pageRows + 1) * pageRows
        verifier.expectHeads(await readHeads(sql, row.number, next))
      }
      if (row.bytes === null || row.leafHash === null || row.stored === null) {
        verifier.blame({
          is: 'missing',
          number: row.number,
          says: `Entry ${row.number} is missing: its number is there, the entry ${row.entryId} was deleted.`,
        })
        continue
      }
      const entry = verifier.add({ number: row.number, bytes: row.bytes, leafHash: row.leafHash })
      if (entry)
        for (const says of differences(row, row.stored, entry)) blame({ is: 'copy_differs', number: row.number, says })
    }
    // Heads that count more entries than there are: the end was cut off.
    verifier.expectHeads(await readHeads(sql, next, Number.MAX_SAFE_INTEGER))
    const found = verifier.finish()
    const counted = (await readLastHead(sql)).size
    if (counted < found.head.size) {
      // The sequencer writes numbers and their head together, so there are never numbers beyond the last head.
      const which = `${counted} to ${found.head.size - 1}`
      const says = `No head counts the entries ${which}: they were put in, or heads were taken out.`
      blame({ is: 'uncounted', number: counted, says })
    }
    return makeReport(found, {
      others,
      otherCount,
      headsGiven: heads.length,
      waiting: await countWaiting(sql),
    })
  })
}

export async function readLastHead(sql: Sql): Promise<RecordedHead> {
  const [head] = await sql.query<RecordedHead>(
    'select h.size, h.root from trail_heads as h order by h.size desc limit 1',
  )
  return head ?? { size: 0, root: emptyRoot }
}

/** One snapshot for all statements, so that what is written meanwhile neither disturbs nor is disturbed. */
export function atOneMoment<Result>(db: Db, work: (sql: Sql) => Promise<Result>): Promise<Result> {
  return db.inTx(async (tx) => {
    await tx.query('set transaction isolation level repeatable read read only')
    await tx.query('set local statement_timeout = 0')
    return work(tx)
  })
}

/** Numbers from `first` on, also those whose entry is gone. */
export async function* readRows(sql: Sql, first: number): AsyncGenerator<Row> {
  for (let after = first - 1; ; ) {
    const rows = await sql.query<FlatRow>(rowsText, [after, pageRows])
    for (const row of rows) yield unflatten(row)
    if (rows.length < pageRows) return
    after = rows.at(-1)?.number ?? after
  }
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
  readonly bytes: Uint8Array | null
  readonly leafHash: Uint8Array | null
}

const rowsText = `
  select s.number, s.entry_id as "entryId", s.tenant_id as tenant, s.at, s.act, s.outcome, s.actor_id as "actorId",
      s.subject_kind as "subjectKind", s.subject_id as "subjectId",
      e.tenant_id as e_tenant, e.at as e_at, e.act as e_act, e.outcome as e_outcome, e.actor_kind as "e_actorKind",
      e.actor_id as "e_actorId", e.subject_kind as "e_subjectKind", e.subject_id as "e_subjectId",
      e.bytes, e.leaf_hash as "leafHash"
    from trail_sequence as s
    left join trail_entries as e on e.id = s.entry_id
    where s.number > $1
    order by s.number
    limit $2`

function unflatten(row: FlatRow): Row {
  const { number, entryId, bytes, leafHash, tenant, at, act, outcome, actorId, subjectKind, subjectId } = row
  const numbered = { tenant, at, act, outcome, actorId, subjectKind, subjectId }
  const stored = {
    tenant: row.e_tenant,
    at: row.e_at,
    act: row.e_act,
    outcome: row.e_outcome,
    actorKind: row.e_actorKind,
    actorId: row.e_actorId,
    subjectKind: row.e_subjectKind,
    subjectId: row.e_subjectId,
  }
  return { number, entryId, bytes, leafHash, numbered, stored: bytes === null ? null : stored }
}

/** Columns are what searches go by: one that says something else hides an entry without touching it. */
function differences(row: Row, stored: Copies & { readonly actorKind: string }, entry: TrailEntry): readonly string[] {
  const written = {
    tenant: entry.tenant,
    at: entry.at,
    act: entry.act,
    outcome: entry.outcome,
    actorId: shownInColumns(entry.actor.id),
    subjectKind: entry.subject.kind,
    subjectId: shownInColumns(entry.subject.id),
  }
  const found: string[] = []
  if (row.entryId !== entry.id)
    found.push(`Entry ${row.number} calls itself ${entry.id} but is stored as ${row.entryId}.`)
  const compare = (table: string, name: string, column: unknown, wanted: unknown): void => {
    if (column === wanted) return
    found.push(
      `Entry ${row.number}: the column for ${name} in ${table} says ${JSON.stringify(column)}, the entry itself says ${JSON.stringify(wanted)}.`,
    )
  }
  for (const [table, copies] of [
    ['trail_entries', stored],
    ['trail_sequence', row.numbered],
  ] as const) {
    for (const name of ['tenant', 'act', 'outcome', 'actorId', 'subjectKind', 'subjectId'] as const)
      compare(table, name, copies[name], written[name])
    compare(table, 'at', copies.at.toISOString(), written.at)
  }
  compare('trail_entries', 'actorKind', stored.actorKind, entry.actor.kind)
  return found
}

/** As the server writes them: PostgreSQL's text has no U+0000. */
function shownInColumns(text: string): string {
  return text.replaceAll('\0', '\\u0000')
}

function readHeads(sql: Sql, above: number, upTo: number): Promise<RecordedHead[]> {
  return sql.query<RecordedHead>(
    `select h.size, h.root, 'The head the server recorded' as by from trail_heads as h where h.size > $1 and h.size <= $2 order by h.size`,
    [above, upTo],
  )
}

async function readStart(sql: Sql, from: number): Promise<Frontier> {
  if (from === 0) return emptyFrontier
  const [head] = await sql.query<{ size: number; root: Uint8Array; peaks: Buffer }>(
    'select h.size, h.root, h.peaks from trail_heads as h where h.size <= $1 order by h.size desc limit 1',
    [from],
  )
  if (!head) return emptyFrontier
  const peaks = Array.from({ length: head.peaks.length / hashBytes }, (_, i) =>
    head.peaks.subarray(i * hashBytes, (i + 1) * hashBytes),
  )
  const start = { size: head.size, peaks }
  if (Buffer.compare(frontierRoot(start), head.root) !== 0) {
    throw new Error(
      `The head over ${head.size} entries contradicts itself, so it cannot be begun there. Verify the whole trail, without --from.`,
    )
  }
  return start
}

async function countWaiting(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ waiting: number }>(
    'select count(*) as waiting from trail_entries as e where not exists (select from trail_sequence as s where s.entry_id = e.id)',
  )
  return row?.waiting ?? 0
}

const guards = [
  'trail_entries_insert_only',
  'trail_sequence_insert_only',
  'trail_heads_insert_only',
  'trail_subject_keys_kept',
  'trail_subject_keys_only_erased',
]

async function findMissingGuards(sql: Sql): Promise<readonly OtherFault[]> {
  const present = await sql.query<{ name: string }>(
    "select t.tgname as name from pg_trigger as t where t.tgname = any($1) and t.tgenabled = 'A' and not t.tgisinternal",
    [guards],
  )
  return guards
    .filter((guard) => !present.some(({ name }) => name === guard))
    .map((guard) => ({
      is: 'unguarded',
      number: null,
      says: `The trigger ${guard}, which refuses changes, is missing or switched off.`,
    }))
}
