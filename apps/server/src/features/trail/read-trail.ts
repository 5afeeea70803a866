import { emptyRoot, hexOf, type TrailEntry } from '@countersign/trail'
import type { TrailEntryShown } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import type { EntryMacs } from './entry-macs.ts'
import { type Folded, foldRepeats } from './fold-repeats.ts'
import { findEntry, findHead } from './list-table.ts'
import { readNumberCursor } from './number-cursor.ts'
import { noEntry } from './removed-spans.ts'
import { type EntrySearch, type OpenedEntry, openEntries, scanEntries } from './scan-entries.ts'
import type { KeySealing, OpenedFacts } from './subject-keys.ts'

type Needs = { readonly db: Sql; readonly keyring: KeySealing }

/** How much one page looks at; a search that found less by then goes on with the next page. */
const lookedMax = 20_000

/** One page of a tenant's trail, newest first. The cursor is a number, so that a page never changes once read. */
export function listTrail(needs: Needs) {
  const scan = scanEntries(needs)
  return async (tenant: string, search: EntrySearch, limit: number, cursor: string | undefined, isFolded = false) => {
    const before = readNumberCursor(cursor)
    const isPlain = search.address === undefined && !isFolded
    const found: OpenedEntry[] = []
    const folding = foldRepeats()
    let next: number | undefined
    let looked = 0
    for await (const piece of scan(tenant, search, before, isPlain ? limit : Math.max(limit, pieceMin))) {
      found.push(...piece.entries)
      if (isFolded) for (const one of piece.entries) folding.add(one)
      next = piece.next
      // A search for a text has looked at so many by itself.
      looked += search.text === undefined ? pieceMin : lookedMax
      const isEnough = isFolded ? folding.whole().length >= limit : found.length >= limit
      if (isPlain || isEnough || looked >= lookedMax) break
    }
    const groups = isFolded ? folding.all() : found.map((one) => ({ newest: one, oldest: one, count: 1 }))
    const shown = groups.slice(0, limit)
    // What was read beyond this page is read again by the next one.
    const below = groups.length > limit ? shown.at(-1)?.oldest.number : next
    return { items: shown.map(foldedOnWire), next_cursor: below === undefined ? null : String(below) }
  }
}

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
