import {
  emptyFrontier,
  type Frontier,
  frontierRoot,
  hashBytes,
  type NoteVerifier,
  type RecordedHead,
  startVerification,
  type TrailEntry,
} from '@countersign/trail'
import type { Db, Sql } from '../../../server/src/kernel/db.ts'
import { checkMac, countMacs } from './check-macs.ts'
import { checkRemoved } from './check-removed.ts'
import { differences } from './compare-columns.ts'
import type { ReadArchive } from './read-archives.ts'
import { atOneMoment, pageRows, readLastHead, readRows } from './read-rows.ts'
import { findUntold, readLogKey, readStubs } from './read-stubs.ts'
import { faultsMax, makeReport, type OtherFault, type Report } from './report.ts'

/** What is looked at besides the entries and the server's own heads. */
export type Inspection = {
  /** More heads over `above` to `upTo` entries, to be held against the log. */
  readonly heads?: (sql: Sql, above: number, upTo: number) => Promise<readonly RecordedHead[]>
  readonly look: (number: number, leaf: Uint8Array, entry: TrailEntry | undefined) => void
  readonly finish: (sql: Sql) => Promise<readonly OtherFault[]>
}

export type ReadOptions = {
  readonly heads?: readonly RecordedHead[]
  readonly from?: number
  /** Only entries below it; the check ends at the recorded head there or after it. */
  readonly to?: number | undefined
  readonly macSecrets?: readonly Uint8Array[] | undefined
  readonly inspection?: Inspection
  /** The key one trusts; without it stubs are held against the database's own. */
  readonly key?: NoteVerifier | undefined
  readonly archives?: readonly ReadArchive[]
}

/** Verifies the record in a database, as it was at one moment. */
export async function readTrailDatabase(db: Db, options: ReadOptions): Promise<Report> {
  return atOneMoment(db, async (sql) => verifyRows(sql, options))
}

async function verifyRows(
  sql: Sql,
  { heads = [], from = 0, to, macSecrets, inspection, key, archives = [] }: ReadOptions,
): Promise<Report> {
  const start = await readStart(sql, from)
  const end = to === undefined ? undefined : await readEnd(sql, to)
  const reachable = heads.filter((head) => end === undefined || head.size <= end)
  const verifier = startVerification({ from: start, heads: reachable, faultsMax })
  const macFound = macSecrets && checkMac(macSecrets)
  const macs = countMacs()
  const others = collectFaults(await findMissingGuards(sql))
  const stubs = await readStubs(sql)
  const removed = checkRemoved(key ?? (await readLogKey(sql)), archives)
  for (const fault of [...stubs.faults, ...(await findUntold(sql))]) others.blame(fault)
  const expect = async (above: number, upTo: number): Promise<void> => {
    verifier.expectHeads(await readHeads(sql, above, upTo))
    if (inspection?.heads) verifier.expectHeads(await inspection.heads(sql, above, upTo))
  }
  let next = start.size
  for await (const row of readRows(sql, start.size, end)) {
    if (row.number >= next) {
      const above = row.number
      next = Math.min(Math.floor(row.number / pageRows + 1) * pageRows, end ?? Number.POSITIVE_INFINITY)
      await expect(above, next)
    }
    if (row.isRemoved && row.leafHash !== null) {
      const stub = stubs.beginning(row.number, start.size)
      if (stub) removed.expect(stub)
      removed.leaf(row.number, row.leafHash)
      verifier.add({ number: row.number, bytes: null, leafHash: row.leafHash })
      inspection?.look(row.number, row.leafHash, undefined)
      continue
    }
    if (row.bytes === null || row.leafHash === null || row.stored === null) {
      const says = `Entry ${row.number} is missing: its number is there, the entry ${row.entryId} was deleted.`
      verifier.blame({ is: 'missing', number: row.number, says })
      continue
    }
    const entry = verifier.add({ number: row.number, bytes: row.bytes, leafHash: row.leafHash })
    if (entry) {
      for (const says of differences(row, row.stored, entry))
        others.blame({ is: 'copy_differs', number: row.number, says })
    }
    const macFault = macFound && macs.take(row.number, macFound(row.bytes, row.mac))
    if (macFault) others.blame(macFault)
    inspection?.look(row.number, row.leafHash, entry)
  }
  // Heads that count more entries than there are: the end was cut off.
  if (end === undefined) await expect(next, Number.MAX_SAFE_INTEGER)
  const removals = removed.finish()
  for (const fault of removals.faults) others.blame(fault)
  const found = verifier.finish()
  if (end === undefined) await blameUncounted(sql, found.head.size, others.blame)
  for (const fault of (await inspection?.finish(sql)) ?? []) others.blame(fault)
  return makeReport(found, {
    others: others.faults,
    otherCount: others.count(),
    headsGiven: reachable.length,
    waiting: await countWaiting(sql),
    macs: macFound && macs.report(),
    removed: removals.removed,
  })
}

/** The sequencer writes numbers and their head together, so there are never numbers beyond the last head. */
async function blameUncounted(sql: Sql, size: number, blame: (fault: OtherFault) => void): Promise<void> {
  const counted = (await readLastHead(sql)).size
  if (counted >= size) return
  const says = `No head counts the entries ${counted} to ${size - 1}: they were put in, or heads were taken out.`
  blame({ is: 'uncounted', number: counted, says })
}

function collectFaults(first: readonly OtherFault[]) {
  const faults: OtherFault[] = [...first]
  let count = first.length
  return {
    faults,
    count: () => count,
    blame: (fault: OtherFault): void => {
      count++
      if (faults.length < faultsMax) faults.push(fault)
    },
  }
}

function readHeads(sql: Sql, above: number, upTo: number): Promise<RecordedHead[]> {
  return sql.query<RecordedHead>(
    `select h.size, h.root, 'The head the server recorded' as by from trail_heads as h where h.size > $1 and h.size <= $2 order by h.size`,
    [above, upTo],
  )
}

/** The head at or before an entry, with which a log is begun in its middle. */
export async function readStart(sql: Sql, from: number): Promise<Frontier> {
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

/** The head at or after an entry; without one the whole rest is looked at. */
export async function readEnd(sql: Sql, to: number): Promise<number | undefined> {
  const [head] = await sql.query<{ size: number }>(
    'select h.size from trail_heads as h where h.size >= $1 order by h.size limit 1',
    [to],
  )
  return head?.size
}

async function countWaiting(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ waiting: number }>(
    'select count(*) as waiting from trail_entries as e where not exists (select from trail_sequence as s where s.entry_id = e.id)',
  )
  return row?.waiting ?? 0
}

const guards = [
  'trail_entries_insert_only',
  'trail_entries_no_delete',
  'trail_entries_only_removed',
  'trail_sequence_insert_only',
  'trail_sequence_no_delete',
  'trail_sequence_only_removed',
  'trail_removals_kept',
  'trail_removals_only_progress',
  'trail_removed_tiles_insert_only',
  'trail_holds_kept',
  'trail_holds_only_lifted',
  'trail_heads_insert_only',
  'trail_subject_keys_kept',
  'trail_subject_keys_only_erased',
  'trail_log_keys_kept',
  'trail_log_keys_only_resealed',
  'trail_checkpoints_insert_only',
  'trail_tile_roots_insert_only',
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
