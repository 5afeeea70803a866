// What a page runs to check what a server shows it: nothing here needs Node.

import { NotANote } from './checkpoint.ts'
import { type NoteVerifier, signaturesOf } from './verifier-key.ts'

export { type Checkpoint, NotANote, readCheckpoint } from './checkpoint.ts'
export { NotAnEntry, readEntry } from './entry.ts'
export { continues, includes } from './proof.ts'
export { NotAProof, readContinuation, readEntryProof } from './proof-file.ts'
export { leafHash } from './tree.ts'
export { type NoteVerifier, readVerifier } from './verifier-key.ts'

/** Thrown by a browser that has no Ed25519. */
export class NoEd25519 extends Error {
  override readonly name = 'NoEd25519'
}

/** The same as `openNote` with the browser's own cryptography, which answers later. */
export async function openNoteHere(note: string, verifier: NoteVerifier): Promise<string> {
  const { text, ours } = signaturesOf(note, verifier)
  const key = await crypto.subtle
    .importKey('raw', new Uint8Array(verifier.publicKey), 'Ed25519', false, ['verify'])
    .catch((cause: unknown) => {
      throw new NoEd25519('This browser cannot check Ed25519 signatures.', { cause })
    })
  const bytes = new TextEncoder().encode(text)
  for (const { signature } of ours) {
    if (!(await crypto.subtle.verify('Ed25519', key, new Uint8Array(signature), bytes)))
      throw new NotANote(`The signature of ${verifier.name} is not one of this text.`)
  }
  return text
}
