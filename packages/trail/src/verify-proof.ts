import { type Checkpoint, NotANote, readCheckpoint, readNote } from './checkpoint.ts'
import { NotAnEntry, readEntry, type TrailEntry } from './entry.ts'
import { openNote } from './note-key.ts'
import { continues, includes } from './proof.ts'
import { NotAProof, readContinuation, readEntryProof } from './proof-file.ts'
import { leafHash } from './tree.ts'
import type { NoteVerifier } from './verifier-key.ts'

/** What a good proof shows. */
export type ProvenEntry = {
  readonly number: number
  readonly entry: TrailEntry
  readonly leaf: Uint8Array
  readonly checkpoint: Checkpoint
}

/** The entry a proof shows, once everything about it was recomputed; with no key, once it fits its own checkpoint. */
export function verifyEntryProof(text: string, key: NoteVerifier | undefined): ProvenEntry {
  const { number, bytes, hashes, checkpoint: note } = readEntryProof(text)
  const checkpoint = openCheckpoint(note, key, 'The checkpoint in the proof')
  const leaf = leafHash(bytes)
  if (!includes(leaf, number, hashes, checkpoint)) {
    throw new NotAProof(
      `Entry ${number} as it stands in the proof is not in the log of ${checkpoint.size} entries that the checkpoint of ${checkpoint.origin} counts: the entry, its number or the path was changed.`,
    )
  }
  return { number, entry: entryIn(bytes, number), leaf, checkpoint }
}

/** The two heads of a good proof of continuation. */
export function verifyContinuation(
  text: string,
  key: NoteVerifier | undefined,
): { readonly older: Checkpoint; readonly newer: Checkpoint } {
  const proof = readContinuation(text)
  const older = openCheckpoint(proof.older, key, 'The older checkpoint')
  const newer = openCheckpoint(proof.newer, key, 'The newer checkpoint')
  if (older.origin !== newer.origin) {
    throw new NotAProof(`The checkpoints are of two logs: ${older.origin} and ${newer.origin}.`)
  }
  if (!continues(older, newer, proof.hashes)) {
    throw new NotAProof(
      `The log of ${newer.size} entries does not begin with the log of ${older.size} entries that was signed before: it was forked or rewritten, or the path was changed.`,
    )
  }
  return { older, newer }
}

function openCheckpoint(note: string, key: NoteVerifier | undefined, which: string): Checkpoint {
  try {
    return readCheckpoint(key === undefined ? readNote(note).text : openNote(note, key))
  } catch (cause) {
    if (cause instanceof NotANote) throw new NotAProof(`${which} cannot be trusted: ${cause.message}`, { cause })
    throw cause
  }
}

function entryIn(bytes: Uint8Array, number: number): TrailEntry {
  try {
    return readEntry(bytes)
  } catch (cause) {
    if (cause instanceof NotAnEntry) throw new NotAProof(`Entry ${number} is no entry: ${cause.message}`, { cause })
    throw cause
  }
}
