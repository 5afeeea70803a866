import { base64, bytesOf } from './checkpoint.ts'
import { hashBytes } from './tree.ts'

/** That one entry is in the log of a signed checkpoint: C2SP tlog-proof, the entry itself being the extra data. */
export type EntryProof = {
  readonly number: number
  readonly bytes: Uint8Array
  /** RFC 6962 inclusion proof, from the leaf's sibling upwards. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note, as the log served it. */
  readonly checkpoint: string
}

/** That the log of one signed checkpoint begins with the whole log of an older one. */
export type ContinuationProof = {
  readonly older: string
  readonly newer: string
  readonly hashes: readonly Uint8Array[]
}

/** Thrown for a text that is no proof, or one that proves nothing; the message says why. */
export class NotAProof extends Error {
  override readonly name = 'NotAProof'
}

const proofStarts = 'c2sp.org/tlog-proof@v1'
/** The longest entry in base64, the longest path and a checkpoint with many witnesses, with room. */
const proofLengthMax = 200_000
const hashesMax = 64

export function entryProofText({ number, bytes, hashes, checkpoint }: EntryProof): string {
  const lines = [proofStarts, `extra ${base64(bytes)}`, `index ${number}`, ...hashes.map(base64)]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

export function readEntryProof(text: string): EntryProof {
  if (text.length > proofLengthMax) throw new NotAProof(`A proof has at most ${proofLengthMax} characters.`)
  const split = text.indexOf('\n\n')
  const [first, extra = '', index = '', ...path] = text.slice(0, Math.max(0, split)).split('\n')
  if (split < 0 || first !== proofStarts) throw new NotAProof(`A proof begins with the line "${proofStarts}".`)
  const bytes = extra.startsWith('extra ') ? bytesOf(extra.slice('extra '.length)) : undefined
  if (bytes === undefined) throw new NotAProof('The second line of the proof is not the entry: "extra" and base64.')
  const number = Number(/^index (0|[1-9]\d{0,15})$/.exec(index)?.[1] ?? Number.NaN)
  if (!Number.isSafeInteger(number)) throw new NotAProof('The third line of the proof is not "index" and a number.')
  return { number, bytes, hashes: readHashes(path), checkpoint: text.slice(split + 2) }
}

export function continuationText({ older, newer, hashes }: ContinuationProof): string {
  return `${JSON.stringify({ countersign_continuation: 1, newer, older, proof: hashes.map(base64) }, null, 2)}\n`
}

export function readContinuation(text: string): ContinuationProof {
  if (text.length > proofLengthMax) throw new NotAProof(`A proof has at most ${proofLengthMax} characters.`)
  const value = readObject(text)
  const { countersign_continuation: version, older, newer, proof } = value
  if (version !== 1) throw new NotAProof('"countersign_continuation" is not 1.')
  if (typeof older !== 'string' || typeof newer !== 'string')
    throw new NotAProof('"older" and "newer" are the texts of two signed checkpoints.')
  if (!Array.isArray(proof)) throw new NotAProof('"proof" is a list of hashes in base64.')
  return { older, newer, hashes: readHashes(proof) }
}

function readHashes(lines: readonly unknown[]): readonly Uint8Array[] {
  if (lines.length > hashesMax) throw new NotAProof(`A proof has at most ${hashesMax} hashes.`)
  return lines.map((line) => {
    const bytes = typeof line === 'string' ? bytesOf(line) : undefined
    if (bytes?.length !== hashBytes) throw new NotAProof('A line of the proof is not 32 bytes in base64.')
    return bytes
  })
}

function readObject(text: string): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Told below: whatever JSON.parse says of a text that is no JSON helps nobody.
  }
  throw new NotAProof('The text is no proof: neither a C2SP tlog-proof nor the JSON of a continuation.')
}
