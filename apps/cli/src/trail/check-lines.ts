import {
  type CheckedEntry,
  checkLeaf,
  type Fault,
  NotAnExport,
  type RecordedHead,
  readExportLine,
  readPlainLine,
  type SignedStub,
  writeUuid,
} from '@countersign/trail'
import { checkMac, type MacResult } from './check-macs.ts'

/** What was found in a piece of an export, packed so that it passes quickly from thread to thread. */
export type CheckedLines = {
  /** One for each line that could be read, in order. */
  readonly kinds: Uint8Array<ArrayBuffer>
  /** The entry's number or the head's size. */
  readonly numbers: Float64Array<ArrayBuffer>
  /** 32 bytes each: leaf or root. */
  readonly hashes: Uint8Array<ArrayBuffer>
  /** 16 bytes each; an entry's id. */
  readonly ids: Uint8Array<ArrayBuffer>
  /** By place of the line in this piece. */
  readonly faults: readonly (readonly [place: number, faults: readonly Fault[]])[]
  readonly unreadable: readonly (readonly [place: number, why: string])[]
  readonly notes: readonly (readonly [place: number, note: string])[]
  /** Of entries that were removed after their time. */
  readonly stubs: readonly (readonly [place: number, stub: SignedStub])[]
  /** What was found of the MACs of entries whose bytes are here; empty when no secrets were given. */
  readonly macs: readonly (readonly [number: number, found: MacResult])[]
}

export const lineKinds = { unreadable: 0, entry: 1, nameless: 2, hidden: 3, head: 4, note: 5, stub: 6 } as const

const lineEnd = 0x0a

/** Checks every line of a piece by itself. Pieces begin and end at line ends; the last line may lack its own. */
export function checkLines(piece: Buffer, macSecrets: readonly Uint8Array[] = []): CheckedLines {
  const lines = splitLines(piece)
  const kinds = new Uint8Array(lines.length)
  const numbers = new Float64Array(lines.length)
  const hashes = new Uint8Array(lines.length * 32)
  const hashText = Buffer.from(hashes.buffer)
  const ids = new Uint8Array(lines.length * 16)
  const faults: [number, readonly Fault[]][] = []
  const unreadable: [number, string][] = []
  const notes: [number, string][] = []
  const stubs: [number, SignedStub][] = []
  const macs: [number, MacResult][] = []
  const macFound = macSecrets.length > 0 ? checkMac(macSecrets) : undefined

  const takeEntry = (place: number, checked: CheckedEntry): void => {
    numbers[place] = checked.number
    hashes.set(checked.leaf, place * 32)
    if (checked.faults.length > 0) faults.push([place, checked.faults])
    if (checked.id !== undefined) ids.set(checked.id, place * 16)
    kinds[place] = !checked.isShown ? lineKinds.hidden : checked.id === undefined ? lineKinds.nameless : lineKinds.entry
  }
  const takeHead = (place: number, head: RecordedHead): void => {
    numbers[place] = head.size
    hashes.set(head.root, place * 32)
    kinds[place] = lineKinds.head
  }

  /** Nearly all lines are plain; whatever is not, or was changed, is read with care. */
  const takePlain = (place: number, line: Uint8Array): boolean => {
    const plain = readPlainLine(line)
    if (plain === undefined) return false
    const { number, leaf, id, bytes, mac } = plain
    numbers[place] = number
    hashText.write(leaf, place * 32, 'hex')
    writeUuid(id, ids, place * 16)
    kinds[place] = lineKinds.entry
    if (macFound) macs.push([number, macFound(bytes, mac)])
    return true
  }

  for (const [place, line] of lines.entries()) {
    if (takePlain(place, line)) continue
    try {
      const read = readExportLine(line)
      if (read.is === 'log') throw new NotAnExport('It begins a log in the middle of one.')
      if (read.is === 'head') takeHead(place, read.head)
      else if (read.is === 'checkpoint') {
        kinds[place] = lineKinds.note
        notes.push([place, read.note])
      } else if (read.is === 'removed') {
        kinds[place] = lineKinds.stub
        stubs.push([place, read.stub])
      } else {
        takeEntry(place, checkLeaf(read.entry))
        const { number, bytes, mac } = read.entry
        if (macFound && bytes) macs.push([number, macFound(bytes, mac)])
      }
    } catch (cause) {
      if (!(cause instanceof NotAnExport)) throw cause
      unreadable.push([place, cause.message])
    }
  }
  return { kinds, numbers, hashes, ids, faults, unreadable, notes, stubs, macs }
}

function splitLines(piece: Buffer): Buffer[] {
  const lines: Buffer[] = []
  let start = 0
  for (let end = piece.indexOf(lineEnd); end >= 0; end = piece.indexOf(lineEnd, start)) {
    lines.push(piece.subarray(start, end))
    start = end + 1
  }
  if (start < piece.length) lines.push(piece.subarray(start))
  return lines
}
