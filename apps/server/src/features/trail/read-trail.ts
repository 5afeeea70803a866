import { emptyRoot, hexOf, type JsonObject, readEntry, type TrailEntry } from '@countersign/trail'
import type { TrailEntryShown } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import type { EntryMacs } from './entry-macs.ts'
import { findEntries, findEntry, findHead, type NumberedEntry, type TrailFilter } from './list-table.ts'
import { type KeySealing, openPersonalFacts } from './subject-keys.ts'

type Needs = { readonly db: Sql; readonly keyring: KeySealing }

/** One page of a tenant's trail, newest first. The cursor is a number, so that a page never changes once read. */
export function listTrail({ db, keyring }: Needs) {
  return async (tenant: string, filter: Omit<TrailFilter, 'before'>, limit: number, cursor: string | undefined) => {
    const before = cursor === undefined ? undefined : readCursor(cursor)
    const { entries, next } = await findEntries(db, tenant, { ...filter, before }, limit)
    const items = await show(db, keyring, tenant, entries)
    return { items: [...items], next_cursor: next === undefined ? null : String(next) }
  }
}

/** One entry with the exact text that was hashed. An entry of another tenant does not exist. */
export function readTrailEntry({ db, keyring, macs }: Needs & { readonly macs: Pick<EntryMacs, 'check'> }) {
  return async (tenant: string, number: number) => {
    const found = await findEntry(db, tenant, number)
    const [shown] = found === undefined ? [] : await show(db, keyring, tenant, [found])
    if (found === undefined || shown === undefined) throw notFound('entry')
    const { bytes, leafHash, mac, macKey } = found
    const kept = mac && macKey !== null ? { key: macKey, value: mac } : undefined
    return {
      ...shown,
      canonical: new TextDecoder().decode(bytes),
      leaf_hash: hexOf(leafHash),
      mac: kept ? { key: kept.key, value: hexOf(kept.value), found: macs.check(bytes, kept) } : null,
    }
  }
}

/** The head of the log as the sequencer last made it. Whoever writes it down can later hold the log against it. */
export async function readTrailHead(db: Sql): Promise<{ size: number; root: string; at: string | null }> {
  const head = await findHead(db)
  if (head === undefined) return { size: 0, root: hexOf(emptyRoot), at: null }
  return { size: head.size, root: hexOf(head.root), at: head.at.toISOString() }
}

function readCursor(cursor: string): number {
  if (!/^(?:0|[1-9]\d{0,14})$/.test(cursor)) {
    throw invalidInput(
      'query.cursor',
      'The cursor is none of ours. Give next_cursor of the page before, or leave it out.',
    )
  }
  return Number(cursor)
}

async function show(
  db: Sql,
  keyring: KeySealing,
  tenant: string,
  numbered: readonly NumberedEntry[],
): Promise<readonly TrailEntryShown[]> {
  const read = numbered.map(({ number, bytes }) => ({ number, entry: readEntry(bytes) }))
  const personal = await openPersonalFacts(
    db,
    keyring,
    tenant,
    read.map(({ entry }) => entry),
  )
  return read.map(({ number, entry }) => shown(number, entry, personal.get(entry.id)))
}

function shown(
  number: number,
  entry: TrailEntry,
  opened: { readonly facts: JsonObject; readonly isWhole: boolean } | undefined,
): TrailEntryShown {
  const { id, at, act, outcome, actor, subject, request, details } = entry
  return {
    number,
    id,
    at,
    act,
    outcome,
    actor,
    subject,
    request_id: request.id ?? null,
    details: { ...details },
    personal: { ...opened?.facts },
    is_erased: opened?.isWhole === false,
  }
}
