import { type Json, readEntry, type TrailEntry } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { asWritten, findEntries, type NumberedEntry, type TrailFilter } from './list-table.ts'
import { type KeySealing, type OpenedFacts, openPersonalFacts } from './subject-keys.ts'

export type OpenedEntry = NumberedEntry & { readonly entry: TrailEntry; readonly opened: OpenedFacts | undefined }

/** What can be asked of entries: what columns tell, and what only their sealed part does. */
export type EntrySearch = Omit<TrailFilter, 'before'> & {
  /** Of the request; its beginning when it ends with a star. */
  readonly address?: string | undefined
}

type Needs = { readonly db: Sql; readonly keyring: KeySealing }

export type Piece = {
  readonly entries: readonly OpenedEntry[]
  readonly next: number | undefined
  /** Of how many entries these are what was sought, and when the last of them was made. */
  readonly looked: number
  readonly oldestAt: string | undefined
}

/** So much is opened at a time; more would keep others waiting. */
const pieceMax = 1_000

/**
 * The entries a search finds, newest first, some at a time, each with its personal facts as far as they were not erased.
 * `next` tells below which number to go on. Addresses and names are sealed, so a search for one, or for words, opens what the
 * columns leave.
 */
export function scanEntries({ db, keyring }: Needs) {
  return async function* scan(
    tenant: string,
    { address, text, ...filter }: EntrySearch,
    before: number | undefined,
    pieceSize = pieceMax,
  ): AsyncGenerator<Piece> {
    const tests = [addressTest(address), textTest(text)].filter((one) => one !== undefined)
    for (let below = before; ; ) {
      const found = await findEntries(db, tenant, { ...filter, before: below }, pieceSize)
      const entries = await openEntries({ db, keyring }, tenant, found.entries)
      yield {
        entries: entries.filter((one) => tests.every((isWanted) => isWanted(one))),
        next: found.next,
        looked: entries.length,
        oldestAt: entries.at(-1)?.entry.at,
      }
      if (found.next === undefined) return
      below = found.next
    }
  }
}

export async function openEntries(
  { db, keyring }: Needs,
  tenant: string,
  numbered: readonly NumberedEntry[],
): Promise<readonly OpenedEntry[]> {
  const read = numbered.map((one) => ({ ...one, entry: readEntry(one.bytes) }))
  const personal = await openPersonalFacts(
    db,
    keyring,
    tenant,
    read.map(({ entry }) => entry),
  )
  return read.map((one) => ({ ...one, opened: personal.get(one.entry.id) }))
}

/** The address of the request behind an entry; undefined when there was none or it was erased. */
export function addressOf({ opened }: OpenedEntry): string | undefined {
  const request = opened?.facts['request']
  if (typeof request !== 'object' || request === null || !('address' in request)) return undefined
  return typeof request.address === 'string' ? request.address : undefined
}

function addressTest(address: string | undefined): ((one: OpenedEntry) => boolean) | undefined {
  if (address === undefined) return undefined
  const beginning = address.endsWith('*') ? address.slice(0, -1) : undefined
  return (one) => {
    const known = addressOf(one)
    return known !== undefined && (beginning === undefined ? known === address : known.startsWith(beginning))
  }
}

/** Anywhere in the entry as it is written, or in what is sealed and not erased; whatever its case. */
function textTest(text: string | undefined): ((one: OpenedEntry) => boolean) | undefined {
  if (text === undefined) return undefined
  const [written, plain] = [asWritten(text), text.toLowerCase()]
  return ({ bytes, opened }) =>
    utf8.decode(bytes).toLowerCase().includes(written) || (opened !== undefined && holdsText(opened.facts, plain))
}

const utf8 = new TextDecoder()

/** Values only: the names of facts are the same in every entry. */
function holdsText(value: Json, wanted: string): boolean {
  if (typeof value === 'string') return value.toLowerCase().includes(wanted)
  if (typeof value !== 'object' || value === null) return false
  return Object.values(value).some((part: Json) => holdsText(part, wanted))
}
