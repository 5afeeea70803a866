import { emptyRoot, hexOf, type TrailEntry } from '@countersign/trail'
import type { TrailEntryShown } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import type { EntryMacs } from './entry-macs.ts'
import { type Folded, foldRepeats } from './fold-repeats.ts'
import { findEntry, findHead } from './list-table.ts'
import { readNumberCursor } from './number-cursor.ts'
import { noEntry } from './removed-spans.ts'
import { type EntrySearch, type OpenedEntry, openEntries, type Piece, scanEntries } from './scan-entries.ts'
import type { KeySealing, OpenedFacts } from './subject-keys.ts'

type Needs = { readonly db: Sql; readonly keyring: KeySealing }

/** How many entries one page opens in search of what is sealed; more would keep others waiting. The next page looks on. */
const openedMax = 10_000

/** One page of a tenant's trail, newest first. The cursor is a number, so that a page never changes once read. */
export function listTrail({ lookedMax = openedMax, ...needs }: Needs & { readonly lookedMax?: number }) {
  const scan = scanEntries(needs)
  return async (tenant: string, search: EntrySearch, limit: number, cursor: string | undefined, isFolded = false) => {
    const before = readNumberCursor(cursor)
    const isSought = search.address !== undefined || search.text !== undefined
    const found: OpenedEntry[] = []
    const folding = foldRepeats()
    let last: Piece | undefined
    let looked = 0
    let isEnough = false
    for await (const piece of scan(tenant, search, before, pieceSizeFor(limit, { isSought, isFolded }))) {
      found.push(...piece.entries)
      if (isFolded) for (const one of piece.entries) folding.add(one)
      last = piece
      looked += piece.looked
      isEnough = isFolded ? folding.whole().length >= limit : found.length >= limit
      if (isEnough || looked >= lookedMax) break
    }
    const groups = isFolded ? folding.all() : found.map((one) => ({ newest: one, oldest: one, count: 1 }))
    const shown = groups.slice(0, limit)
    // What was read beyond this page is read again by the next one.
    const below = groups.length > limit ? shown.at(-1)?.oldest.number : last?.next
    const oldestAt = isSought && !isEnough && last?.next !== undefined ? last.oldestAt : undefined
    return {
      items: shown.map(foldedOnWire),
      next_cursor: below === undefined ? null : String(below),
      looked: oldestAt === undefined ? null : { count: looked, oldest_at: oldestAt },
    }
  }
}

function pieceSizeFor(
  limit: number,
  { isSought, isFolded }: Readonly<Record<'isSought' | 'isFolded', boolean>>,
): number {
  if (isSought) return soughtPiece
  return isFolded ? Math.max(limit, pieceMin) : limit
}

/** Opened in one go: some milliseconds, in which nothing else is done. */
const soughtPiece = 500
const pieceMin = 200

function foldedOnWire({ newest, oldest, count }: Folded): TrailEntryShown {
  const item = shown(newest.number, newest.entry, newest.opened)
  if (count === 1) return item
  return { ...item, repeats: { count, first_number: oldest.number, first_at: oldest.entry.at } }
}

/** One entry with the exact text that was hashed. An entry of another tenant does not exist. */
export function readTrailEntry({ db, keyring, macs }: Needs & { readonly macs: Pick<EntryMacs, 'check'> }) {
  return async (tenant: string, number: number) => {
    const found = await findEntry(db, tenant, number)
    const [one] = found === undefined ? [] : await openEntries({ db, keyring }, tenant, [found])
    if (found === undefined || one === undefined) throw await noEntry(db, number)
    const { bytes, leafHash, mac, macKey } = found
    const kept = mac && macKey !== null ? { key: macKey, value: mac } : undefined
    return {
      ...shown(one.number, one.entry, one.opened),
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

function shown(number: number, entry: TrailEntry, opened: OpenedFacts | undefined): TrailEntryShown {
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
