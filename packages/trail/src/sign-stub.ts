import { statementText } from './anchor.ts'
import { NotANote } from './checkpoint.ts'
import { type NoteSigner, openNote, signNote } from './note-key.ts'
import type { SignedStub, Stub } from './stub.ts'
import type { NoteVerifier } from './verifier-key.ts'

export function signStub(stub: Stub, signer: NoteSigner): SignedStub {
  return { ...stub, signature: signNote(statementText(signer.name, 'stub', stub), signer) }
}

export function isStubSignedBy({ signature, ...stub }: SignedStub, verifier: NoteVerifier): boolean {
  try {
    return openNote(signature, verifier) === statementText(verifier.name, 'stub', stub)
  } catch (cause) {
    if (cause instanceof NotANote) return false
    throw cause
  }
}
