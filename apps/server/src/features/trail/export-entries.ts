import { canonicalJson, exportLine, hexOf, readCheckpoint, readNote } from '@countersign/trail'
import { csvField } from '../../kernel/csv.ts'
import type { Sql } from '../../kernel/db.ts'
import { findLastCheckpoint, selectBundle } from './checkpoint-tables.ts'
import { findStubs } from './removed-spans.ts'
import { addressOf, type EntrySearch, type OpenedEntry, scanEntries } from './scan-entries.ts'
import type { KeySealing } from './subject-keys.ts'

type Needs = { readonly db: Sql; readonly keyring: KeySealing }

const columns = [
  'number',
  'id',
  'at',
  'act',
  'outcome',
  'actor_kind',
  'actor_id',
  'actor_email',
  'credential',
  'subject_kind',
  'subject_id',
  'request_id',
  'address',
  'user_agent',
  'details',
  'leaf_hash',
] as const

/** The lines of an export for reading, newest first, made while they are sent. */
export async function* readableLines(
  needs: Needs,
  tenant: string,
  search: EntrySearch,
  format: 'csv' | 'jsonl',
): AsyncGenerator<string> {
  if (format === 'csv') yield `${columns.join(',')}\r\n`
  for await (const { entries } of scanEntries(needs)(tenant, search, undefined)) {
    let lines = ''
    for (const one of entries) lines += format === 'csv' ? csvLine(one) : jsonLine(one)
    if (lines !== '') yield lines
  }
}

function csvLine(one: OpenedEntry): string {
  const row = rowOf(one)
  return `${columns.map((column) => csvField(row[column])).join(',')}\r\n`
}

function rowOf(one: OpenedEntry): Readonly<Record<(typeof columns)[number], string | number | null>> {
  const { number, entry, leafHash, opened } = one
  return {
    number,
    id: entry.id,
    at: entry.at,
    act: entry.act,
    outcome: entry.outcome,
    actor_kind: entry.actor.kind,
    actor_id: entry.actor.id,
    actor_email: textIn(opened?.facts['actor'], 'email'),
    credential: entry.actor.credential ?? null,
    subject_kind: entry.subject.kind,
    subject_id: entry.subject.id,
    request_id: entry.request.id ?? null,
    address: addressOf(one) ?? null,
    user_agent: textIn(opened?.facts['request'], 'user_agent'),
    details: canonicalJson(entry.details),
    leaf_hash: hexOf(leafHash),
  }
}

function textIn(facts: unknown, name: string): string | null {
  if (typeof facts !== 'object' || facts === null) return null
  const value: unknown = Object.entries(facts).find(([known]) => known === name)?.[1]
  return typeof value === 'string' ? value : null
}

/** With the canonical text, so that its hash can be computed again, and personal facts beside it, in clear. */
function jsonLine({ number, entry, leafHash, opened, bytes }: OpenedEntry): string {
  const personal = opened?.facts ?? {}
  const canonical = new TextDecoder().decode(bytes)
  return `${JSON.stringify({ number, ...entry, sealed: undefined, personal, is_erased: opened?.isWhole === false, leaf_hash: hexOf(leafHash), canonical })}\n`
}

const spanMax = 2_000

/**
 * The whole log as "countersign trail verify" and docs/verify check it: the reader's own entries, others by their leaf,
 * up to the newest signed checkpoint, and that at the end.
 */
export async function* evidenceLines({ db }: Pick<Needs, 'db'>, tenant: string): AsyncGenerator<Buffer> {
  const last = await findLastCheckpoint(db)
  const size = last ? readCheckpoint(readNote(last.note).text).size : 0
  yield lineOf({ is: 'log', from: { size: 0, peaks: [] } })
  for (let first = 0; first < size; first += spanMax) {
    const beyond = Math.min(first + spanMax, size)
    const rows = await selectBundle(db, tenant, first, beyond - first)
    if (rows.length !== beyond - first)
      throw new Error(`The trail lacks entries from ${first}. Run "countersign trail fsck".`)
    const stubs = new Map((await findStubs(db, first, beyond)).map((stub) => [stub.first, stub]))
    yield Buffer.concat(
      rows.flatMap(({ bytes, leafHash }, i) => {
        const [number, stub] = [first + i, stubs.get(first + i)]
        const line = lineOf({ is: 'entry', entry: { number, bytes, leafHash } })
        return stub ? [lineOf({ is: 'removed', stub }), line] : [line]
      }),
    )
  }
  if (last) yield lineOf({ is: 'checkpoint', note: last.note })
}

const lineEnd = Buffer.from('\n')
const lineOf = (line: Parameters<typeof exportLine>[0]): Buffer => Buffer.concat([exportLine(line), lineEnd])
