import { readEntry, type TrailEntry } from './entry.ts'
import type { EntryMac } from './mac.ts'
import { plainEntryId } from './plain-entry.ts'
import { seenIds, writeUuid } from './seen-ids.ts'
import { emptyFrontier, extendFrontier, type Frontier, frontierRoot, leafHash } from './tree.ts'

/**
 * An entry as a store or an export gives it: its number (from 0), its exact bytes, the leaf hash kept beside them.
 * Bytes are null for an entry that the reader may not see; its leaf still counts.
 */
export type RecordedEntry = {
  readonly number: number
  readonly bytes: Uint8Array | null
  readonly leafHash: Uint8Array
  /** When the server has a secret for one. It is checked apart: it is not the evidence. */
  readonly mac?: EntryMac
}

/** "The first `size` entries have this root", as somebody remembered it. `by` says who, for the message. */
export type RecordedHead = { readonly size: number; readonly root: Uint8Array; readonly by?: string }

export type FaultKind = 'changed' | 'malformed' | 'missing' | 'repeated' | 'reordered' | 'head_differs' | 'cut_off'

/** Something that is not as it was written: what, where, and in words. */
export type Fault = { readonly is: FaultKind; readonly number: number; readonly says: string }

export type Verification = {
  readonly ok: boolean
  readonly entries: number
  /** How many of them were there as their leaf only. */
  readonly hidden: number
  /** The head recomputed from the bytes; meaningful when `ok`. */
  readonly head: { readonly size: number; readonly root: Uint8Array }
  readonly headsCompared: number
  readonly faultCount: number
  /** The first of them. */
  readonly faults: readonly Fault[]
}

export type VerifyOptions = {
  /** Where the log is known up to already; by default its beginning. */
  readonly from?: Frontier
  /** Heads to hold the log against, in any order. */
  readonly heads?: Iterable<RecordedHead>
  readonly faultsMax?: number
}

/** Recomputes entries in order of their numbers and finds every difference. Feed it, then ask it. */
export type Verifier = {
  /** Heads are compared when their last entry was added; one that comes later than that cannot be. */
  readonly expectHeads: (heads: Iterable<RecordedHead>) => void
  /** The entry as read, or undefined when its bytes are not one. */
  readonly add: (recorded: RecordedEntry) => TrailEntry | undefined
  /** The same for what `checkEntry` has looked at already, perhaps in another thread. */
  readonly addChecked: (checked: CheckedEntry) => boolean
  readonly blame: (fault: Fault) => void
  readonly finish: () => Verification
}

/** What can be said of an entry by itself, without what came before it. */
export type CheckedEntry = {
  readonly number: number
  readonly leaf: Uint8Array
  /** The 16 bytes of its id. */
  readonly id: Uint8Array | undefined
  readonly isShown: boolean
  readonly faults: readonly Fault[]
}

/** The same as `checkEntry` where nobody asks what the entry says: three times as fast. */
export function checkLeaf(recorded: RecordedEntry): CheckedEntry {
  const { number, bytes, leafHash: stored } = recorded
  const id = bytes === null ? undefined : plainEntryId(bytes)
  if (bytes === null || id === undefined) return checkEntry(recorded)
  const leaf = leafHash(bytes)
  if (!sameBytes(leaf, stored)) return checkEntry(recorded)
  return { number, leaf, id: idBytes(id), isShown: true, faults: none }
}

const none: readonly Fault[] = []

/** The part of verifying that needs nothing but the entry, and nearly all of the work. */
export function checkEntry({
  number,
  bytes,
  leafHash: stored,
}: RecordedEntry): CheckedEntry & { readonly entry?: TrailEntry } {
  if (bytes === null) return { number, leaf: stored, id: undefined, isShown: false, faults: [] }
  const leaf = leafHash(bytes)
  const faults: Fault[] = []
  if (!sameBytes(leaf, stored)) {
    const says = `Entry ${number} was changed: its bytes do not have the leaf hash recorded for it.`
    faults.push({ is: 'changed', number, says })
  }
  try {
    const entry = readEntry(bytes)
    return { number, leaf, id: idBytes(entry.id), isShown: true, faults, entry }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : 'unreadable'
    faults.push({ is: 'malformed', number, says: `Entry ${number} is not an entry of this format: ${why}` })
    return { number, leaf, id: undefined, isShown: true, faults }
  }
}

function idBytes(id: string): Uint8Array {
  const bytes = new Uint8Array(16)
  writeUuid(id, bytes, 0)
  return bytes
}

const idsHeld = 1_000_000
const leavesHeld = 1000

export function startVerification({ from = emptyFrontier, heads = [], faultsMax = 100 }: VerifyOptions = {}): Verifier {
  const faults: Fault[] = []
  let faultCount = 0
  let frontier = from
  let leaves: Uint8Array[] = []
  let hidden = 0
  let next = from.size
  let entries = 0
  let headsCompared = 0
  let isWhole = true
  let lastGoodHead = from.size
  let waiting = sortHeads(heads)
  const seen = seenIds(idsHeld)

  const blame = (fault: Fault): void => {
    faultCount++
    if (faults.length < faultsMax) faults.push(fault)
  }

  const compareHeads = (): void => {
    // Without the missing entries there is no tree to add to.
    if (isWhole) frontier = extendFrontier(frontier, leaves)
    leaves = []
    for (let head = waiting.at(-1); head !== undefined && head.size <= next; head = waiting.at(-1)) {
      waiting.pop()
      // Once entries are missing no later root can be recomputed; the missing entries are the finding.
      if (!isWhole || head.size < next) continue
      headsCompared++
      if (sameBytes(head.root, frontierRoot(frontier))) {
        lastGoodHead = head.size
        continue
      }
      isWhole = false
      blame({ is: 'head_differs', number: head.size, says: headMessage(head, lastGoodHead) })
    }
  }

  const noteId = (id: Uint8Array, number: number): void => {
    const before = seen.note(id, number)
    if (before === undefined) return
    blame({ is: 'repeated', number, says: `Entry ${number} has the id of entry ${before}: one of them was put in.` })
  }

  const isInTurn = (number: number): boolean => {
    if (!Number.isSafeInteger(number) || number < 0) {
      blame({ is: 'reordered', number, says: `${number} is no number of an entry.` })
      return false
    }
    if (number < next) {
      const says =
        number === next - 1 ? `Entry ${number} is there twice.` : `Entry ${number} comes after entry ${next - 1}.`
      blame({ is: number === next - 1 ? 'repeated' : 'reordered', number, says })
      return false
    }
    if (number > next) {
      isWhole = false
      const which = number === next + 1 ? `Entry ${next} is` : `Entries ${next} to ${number - 1} are`
      blame({ is: 'missing', number: next, says: `${which} missing.` })
      next = number
    }
    return true
  }

  const addChecked = ({ number, leaf, id, isShown, faults: found }: CheckedEntry): boolean => {
    if (!isInTurn(number)) return false
    for (const fault of found) blame(fault)
    leaves.push(leaf)
    next = number + 1
    entries++
    if (!isShown) hidden++
    if (leaves.length >= leavesHeld || waiting.at(-1)?.size === next) compareHeads()
    if (id !== undefined) noteId(id, number)
    return true
  }

  const add = (recorded: RecordedEntry): TrailEntry | undefined => {
    const { entry, ...checked } = checkEntry(recorded)
    return addChecked(checked) ? entry : undefined
  }

  const finish = (): Verification => {
    compareHeads()
    for (const head of waiting.toReversed()) {
      const says = `${head.by ?? 'A recorded head'} counts ${head.size} entries; only ${next} are here: the end was cut off.`
      blame({ is: 'cut_off', number: next, says })
    }
    waiting = []
    return {
      ok: faultCount === 0,
      entries,
      hidden,
      head: { size: next, root: frontierRoot(frontier) },
      headsCompared,
      faultCount,
      faults,
    }
  }

  const expectHeads = (more: Iterable<RecordedHead>): void => {
    const before = waiting.length
    waiting = sortHeads([...waiting, ...more])
    if (waiting.length > before) compareHeads()
  }

  compareHeads()
  return { add, addChecked, blame, finish, expectHeads }
}

/** Verifies entries given in the order of their numbers. */
export function verifyEntries(entries: Iterable<RecordedEntry>, options: VerifyOptions = {}): Verification {
  const verifier = startVerification(options)
  for (const entry of entries) verifier.add(entry)
  return verifier.finish()
}

function headMessage(head: RecordedHead, lastGoodHead: number): string {
  const who = head.by ?? 'A recorded head'
  const where =
    lastGoodHead === head.size - 1
      ? `entry ${lastGoodHead}`
      : `one or more of the entries ${lastGoodHead} to ${head.size - 1}`
  if (head.size === 0) return `${who} is not the head of an empty log.`
  return `${who} over ${head.size} entries differs from the head recomputed from the bytes: ${where} was changed, put in, left out or moved.`
}

/** Largest first, so that the next one due is popped from the end. */
function sortHeads(heads: Iterable<RecordedHead>): RecordedHead[] {
  return [...heads].sort((a, b) => b.size - a.size)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  // A loop, since this is asked a million times and every() costs more than the comparison.
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
