import { checkEntry, type Fault, NotAnExport, type RecordedHead, readExportLine } from '@countersign/trail'

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
}

export const lineKinds = { unreadable: 0, entry: 1, nameless: 2, hidden: 3, head: 4 } as const

const lineEnd = 0x0a

/** Checks every line of a piece by itself. Pieces begin and end at line ends; the last line may lack its own. */
export function checkLines(piece: Buffer): CheckedLines {
  const lines = splitLines(piece)
  const kinds = new Uint8Array(lines.length)
  const numbers = new Float64Array(lines.length)
  const hashes = new Uint8Array(lines.length * 32)
  const ids = new Uint8Array(lines.length * 16)
  const faults: [number, readonly Fault[]][] = []
  const unreadable: [number, string][] = []

  const takeEntry = (place: number, checked: ReturnType<typeof checkEntry>): void => {
    numbers[place] = checked.number
    hashes.set(checked.leaf, place * 32)
    if (checked.faults.length > 0) faults.push([place, checked.faults])
    if (checked.id !== undefined) ids.set(Buffer.from(checked.id.replaceAll('-', ''), 'hex'), place * 16)
    kinds[place] = !checked.isShown ? lineKinds.hidden : checked.id === undefined ? lineKinds.nameless : lineKinds.entry
  }
  const takeHead = (place: number, head: RecordedHead): void => {
    numbers[place] = head.size
    hashes.set(head.root, place * 32)
    kinds[place] = lineKinds.head
  }

  for (const [place, line] of lines.entries()) {
    try {
      const read = readExportLine(line)
      if (read.is === 'log') throw new NotAnExport('It begins a log in the middle of one.')
      if (read.is === 'head') takeHead(place, read.head)
      else takeEntry(place, checkEntry(read.entry))
    } catch (cause) {
      if (!(cause instanceof NotAnExport)) throw cause
      unreadable.push([place, cause.message])
    }
  }
  return { kinds, numbers, hashes, ids, faults, unreadable }
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
