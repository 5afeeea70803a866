import { canonicalBytes, canonicalJson } from './canonical-json.ts'
import { NotAStub, readStub, type SignedStub } from './stub.ts'
import { type Frontier, hashBytes } from './tree.ts'
import type { RecordedEntry, RecordedHead } from './verify.ts'

/**
 * An export is JSON Lines, each line RFC 8785 canonical itself, in this order: one `log` line; then `entry` and `head`
 * lines, a head after the last entry it counts, and `checkpoint` lines likewise: signed notes. Entries the reader may not
 * see are there as their leaf only, so that whoever holds an export can still recompute every root. So are entries that
 * were removed after their time, behind the `removed` line that says by whom and where they are.
 */
export type ExportLine =
  | { readonly is: 'log'; readonly from: Frontier }
  | { readonly is: 'entry'; readonly entry: RecordedEntry }
  | { readonly is: 'head'; readonly head: RecordedHead }
  | { readonly is: 'checkpoint'; readonly note: string }
  | { readonly is: 'removed'; readonly stub: SignedStub }

/** Thrown for a line that is not one of an export; the message says why. */
export class NotAnExport extends Error {
  override readonly name = 'NotAnExport'
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const entryStarts = encoder.encode('{"entry":')
// What follows an entry has a fixed form, so that the entry's own bytes are cut out and never written anew.
const entryEnds =
  /^,"leaf":"([0-9a-f]{64})"(?:,"mac":"([0-9a-f]{64})","mac_key":"([0-9a-f]{16})")?,"number":(0|[1-9]\d{0,15})\}$/
const hidden = /^\{"leaf":"([0-9a-f]{64})","number":(0|[1-9]\d{0,15})\}$/
const headForm = /^\{"head":\{"root":"([0-9a-f]{64})","size":(0|[1-9]\d{0,15})\}\}$/
const logForm = /^\{"countersign_trail":1,"peaks":\[((?:"[0-9a-f]{64}",?)*)\],"size":(0|[1-9]\d{0,15})\}$/

/** The bytes of one line, without its line end. */
export function exportLine(line: ExportLine): Uint8Array {
  switch (line.is) {
    case 'log':
      return canonicalBytes({ countersign_trail: 1, peaks: line.from.peaks.map(hexOf), size: line.from.size })
    case 'head':
      return canonicalBytes({ head: { root: hexOf(line.head.root), size: line.head.size } })
    case 'checkpoint':
      return canonicalBytes({ checkpoint: line.note })
    case 'removed':
      return canonicalBytes({ removed: line.stub })
    case 'entry': {
      const { number, bytes, leafHash, mac } = line.entry
      const leaf = hexOf(leafHash)
      if (bytes === null) return canonicalBytes({ leaf, number })
      const macText = mac ? `"mac":"${hexOf(mac.value)}","mac_key":"${mac.key}",` : ''
      return Buffer.concat([entryStarts, bytes, encoder.encode(`,"leaf":"${leaf}",${macText}"number":${number}}`)])
    }
  }
}

/** Reads a line without its line end. An entry's bytes are taken as they stand; the verifier judges them. */
export function readExportLine(line: Uint8Array): ExportLine {
  if (startsWith(line, entryStarts)) return readEntryLine(line)
  const text = readText(line)
  const leafOnly = hidden.exec(text)
  if (leafOnly)
    return { is: 'entry', entry: { number: countOf(leafOnly[2]), bytes: null, leafHash: bytesOf(leafOnly[1]) } }
  const head = headForm.exec(text)
  if (head)
    return { is: 'head', head: { size: countOf(head[2]), root: bytesOf(head[1]), by: 'The head in the export' } }
  if (text.startsWith(checkpointStarts)) return readCheckpointLine(text)
  if (text.startsWith(removedStarts)) return readRemovedLine(text)
  const log = logForm.exec(text)
  if (log) return { is: 'log', from: { size: countOf(log[2]), peaks: hashesOf(log[1] ?? '') } }
  throw new NotAnExport(`The line is none of an export: ${JSON.stringify(text.slice(0, 80))}.`)
}

const checkpointStarts = '{"checkpoint":"'

function readCheckpointLine(text: string): ExportLine {
  try {
    const { checkpoint: note }: { readonly checkpoint?: unknown } = JSON.parse(text)
    if (typeof note === 'string' && canonicalJson({ checkpoint: note }) === text) return { is: 'checkpoint', note }
  } catch {
    // Told below, in our words.
  }
  throw new NotAnExport('The line is not a checkpoint as exports write it.')
}

const removedStarts = '{"removed":{'

function readRemovedLine(text: string): ExportLine {
  try {
    const { removed }: { readonly removed?: unknown } = JSON.parse(text)
    const stub = readStub(removed)
    if (canonicalJson({ removed: stub }) === text) return { is: 'removed', stub }
  } catch (cause) {
    if (cause instanceof NotAStub) throw new NotAnExport(`The line is no stub of removed entries: ${cause.message}`)
  }
  throw new NotAnExport('The line is not a stub as exports write it.')
}

/** The longest line's end: `,"leaf":"` 64 digits `","mac":"` 64 `","mac_key":"` 16 `","number":` 16 digits `}`. */
const endLengthMax = 9 + 64 + 9 + 64 + 13 + 16 + 11 + 16 + 1

function readEntryLine(line: Uint8Array): ExportLine {
  const tail = readText(line.subarray(Math.max(entryStarts.length, line.length - endLengthMax)), true)
  // The last of them: an entry may hold the same text.
  const start = tail.lastIndexOf(',"leaf":"')
  const found = entryEnds.exec(start < 0 ? '' : tail.slice(start))
  if (!found) throw new NotAnExport('The line holds an entry but does not end with its leaf and number.')
  const bytes = line.subarray(entryStarts.length, line.length - (tail.length - start))
  const mac = found[2] === undefined ? {} : { mac: { key: found[3] ?? '', value: bytesOf(found[2]) } }
  return { is: 'entry', entry: { number: countOf(found[4]), bytes, leafHash: bytesOf(found[1]), ...mac } }
}

function readText(bytes: Uint8Array, isAscii = false): string {
  if (isAscii) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new NotAnExport('The line is not UTF-8.', { cause })
  }
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[i] !== start[i]) return false
  return true
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

function countOf(digits: string | undefined): number {
  const count = Number(digits)
  if (!Number.isSafeInteger(count)) throw new NotAnExport(`The line has a number no log can reach: ${digits ?? ''}.`)
  return count
}

function bytesOf(hex: string | undefined): Uint8Array {
  return Buffer.from(hex ?? '', 'hex')
}

function hashesOf(list: string): readonly Uint8Array[] {
  return list === '' ? [] : list.split(',').map((quoted) => bytesOf(quoted.slice(1, 1 + 2 * hashBytes)))
}
