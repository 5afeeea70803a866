import { open } from 'node:fs/promises'
import {
  type Frontier,
  NotANote,
  NotAnExport,
  type NoteVerifier,
  openNote,
  type RecordedHead,
  readCheckpoint,
  readExportLine,
  readNote,
  type SignedStub,
  startVerification,
  type Verifier,
} from '@countersign/trail'
import { type CheckedLines, lineKinds } from './check-lines.ts'
import { countMacs } from './check-macs.ts'
import { type CheckPool, openCheckPool } from './check-pool.ts'
import { checkRemoved, type RemovedCheck } from './check-removed.ts'
import type { ReadArchive } from './read-archives.ts'
import { faultsMax, type MacReport, makeReport, type OtherFault, type Report } from './report.ts'

type ExportOptions = {
  /** The key one trusts: signed checkpoints in the export then count as heads from elsewhere. */
  readonly key?: NoteVerifier | undefined
  readonly macSecrets?: readonly Uint8Array[] | undefined
  /** Of spans that were removed: they are held against what the export has of them. */
  readonly archives?: readonly ReadArchive[]
}

/** Verifies an export: no database, no network, nobody to be trusted but the heads given. */
export async function verifyExport(
  path: string,
  heads: readonly RecordedHead[],
  { key, macSecrets, archives = [] }: ExportOptions = {},
): Promise<Report> {
  const file = await open(path)
  try {
    const { size: bytes } = await file.stat()
    const { from, start } = readFirstLine(path, await readAt(file, 0, firstLineBytesMax))
    const removed = checkRemoved(key, archives)
    const log = openLog(startVerification({ from, heads, faultsMax }), from.size, key, removed)
    const pool = openCheckPool(bytes, macSecrets)
    try {
      await inOrder(pool, readPieces(path, file, start, bytes), log.take)
    } finally {
      await pool.close()
    }
    const { others, otherCount, notesTrusted, macs } = log.found()
    const removals = removed.finish()
    return makeReport(log.verifier.finish(), {
      others: [...others, ...removals.faults].slice(0, faultsMax),
      otherCount: otherCount + removals.faults.length,
      removed: removals.removed,
      headsGiven: heads.length + notesTrusted,
      waiting: 0,
      macs: macSecrets && macs,
    })
  } finally {
    await file.close()
  }
}

/** Checks pieces side by side and takes what was found in their order. */
async function inOrder(
  pool: CheckPool,
  pieces: AsyncGenerator<Buffer>,
  take: (checked: CheckedLines) => void,
): Promise<void> {
  const underWay: Promise<CheckedLines>[] = []
  const takeFirst = async (): Promise<void> => {
    const checked = await underWay.shift()
    if (checked) take(checked)
  }
  for await (const piece of pieces) {
    const checking = pool.check(piece)
    // Its failure is told when its turn comes; until then it must not count as unheard.
    checking.catch(() => undefined)
    underWay.push(checking)
    if (underWay.length >= pool.width) await takeFirst()
  }
  while (underWay.length > 0) await takeFirst()
}

type Found = {
  readonly others: readonly OtherFault[]
  readonly otherCount: number
  readonly notesTrusted: number
  readonly macs: MacReport
}
type Log = {
  readonly verifier: Verifier
  readonly take: (checked: CheckedLines) => void
  readonly found: () => Found
}

function openLog(verifier: Verifier, from: number, key: NoteVerifier | undefined, removed: RemovedCheck): Log {
  const others: OtherFault[] = []
  const macs = countMacs()
  let otherCount = 0
  let notesTrusted = 0
  let size = from
  // The first line was read apart.
  let linesBefore = 1

  const add = (fault: OtherFault | undefined): void => {
    if (fault === undefined) return
    otherCount++
    if (others.length < faultsMax) others.push(fault)
  }

  const blame = (place: number, why: string): void => {
    add({ is: 'unreadable', number: null, says: `Line ${linesBefore + place + 1} was changed: ${why}` })
  }

  const takeHead = (place: number, head: RecordedHead): void => {
    // Anywhere else it could not be compared, and would look as if it had been.
    if (head.size === size) verifier.expectHeads([head])
    else blame(place, `It is the head over ${head.size} entries but stands after ${size}.`)
  }

  const takeNote = (place: number, note: string): void => {
    try {
      const { root, size: counted, origin } = readCheckpoint(key ? openNote(note, key) : readNote(note).text)
      if (key && origin !== key.name) throw new NotANote(`it is of the log ${origin}.`)
      takeHead(place, { size: counted, root, by: `The checkpoint of ${origin} in the export` })
      if (key) notesTrusted++
    } catch (cause) {
      if (!(cause instanceof NotANote)) throw cause
      blame(place, `The checkpoint in it cannot be trusted: ${cause.message}`)
    }
  }

  const takeStub = (place: number, stub: SignedStub): void => {
    // Behind the entries it speaks of it would speak of others; of the first span an export may have the end only.
    if (stub.first === size || (size === from && stub.first < size && stub.last >= size)) removed.expect(stub)
    else blame(place, `It is the stub of the entries ${stub.first} to ${stub.last} but stands after ${size}.`)
  }

  const take = (checked: CheckedLines): void => {
    const { kinds, numbers, hashes, ids, faults, unreadable, notes, stubs, macs: macsFound } = checked
    const stubAt = new Map(stubs)
    const noteAt = new Map(notes)
    const faultsAt = new Map(faults)
    for (const [place, kind] of kinds.entries()) {
      const number = numbers[place] ?? 0
      const hash = hashes.subarray(place * 32, place * 32 + 32)
      if (kind === lineKinds.unreadable) continue
      if (kind === lineKinds.head) {
        takeHead(place, { size: number, root: hash, by: 'The head in the export' })
        continue
      }
      if (kind === lineKinds.note) {
        takeNote(place, noteAt.get(place) ?? '')
        continue
      }
      const stub = kind === lineKinds.stub ? stubAt.get(place) : undefined
      if (stub) {
        takeStub(place, stub)
        continue
      }
      if (removed.isOpen()) removed.leaf(number, hash)
      const id = kind === lineKinds.entry ? ids.subarray(place * 16, place * 16 + 16) : undefined
      verifier.addChecked({
        number,
        leaf: hash,
        id,
        isShown: kind !== lineKinds.hidden,
        faults: faultsAt.get(place) ?? [],
      })
      size = Math.max(size, number + 1)
    }
    for (const [place, why] of unreadable) blame(place, why)
    for (const [number, found] of macsFound) add(macs.take(number, found))
    linesBefore += kinds.length
  }

  return { verifier, take, found: () => ({ others, otherCount, notesTrusted, macs: macs.report() }) }
}

const lineEnd = 0x0a
const pieceBytes = 4 << 20
/** An entry and what is around it, with room; a longer line is nothing we wrote. */
const lineBytesMax = 100_000
const firstLineBytesMax = 10_000

type File = Awaited<ReturnType<typeof open>>

async function readAt(file: File, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  const { bytesRead } = await file.read(bytes, 0, length, position)
  return bytes.subarray(0, bytesRead)
}

function readFirstLine(path: string, beginning: Buffer): { readonly from: Frontier; readonly start: number } {
  if (beginning.length === 0) throw new Error(`${path} is empty, so it is not an export of a trail.`)
  const end = beginning.indexOf(lineEnd)
  try {
    const read = readExportLine(beginning.subarray(0, end < 0 ? beginning.length : end))
    if (read.is !== 'log') throw new NotAnExport('Its first line does not tell where it begins.')
    return { from: read.from, start: end < 0 ? beginning.length : end + 1 }
  } catch (cause) {
    if (!(cause instanceof NotAnExport)) throw cause
    throw new Error(`${path} is not an export of a trail: ${cause.message}`, { cause })
  }
}

/** Some megabytes at a time, cut at line ends. */
async function* readPieces(path: string, file: File, start: number, end: number): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0)
  for (let position = start; ; ) {
    const bytes = await readAt(file, position, Math.min(pieceBytes, end - position))
    position += bytes.length
    if (bytes.length === 0) break
    const cut = bytes.lastIndexOf(lineEnd)
    if (cut < 0 && rest.length + bytes.length > lineBytesMax + pieceBytes) {
      throw new Error(`${path} is not an export of a trail: it has a line of more than ${lineBytesMax} bytes.`)
    }
    if (cut >= 0) yield Buffer.concat([rest, bytes.subarray(0, cut + 1)])
    rest = cut >= 0 ? bytes.subarray(cut + 1) : Buffer.concat([rest, bytes])
  }
  if (rest.length > 0) yield rest
}
