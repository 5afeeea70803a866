import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { NotANote, noteText } from './checkpoint.ts'
import { keyIdOf, type NoteVerifier, signaturesOf } from './verifier-key.ts'

/** A key that signs notes: C2SP signed-note, Ed25519. */
export type NoteSigner = { readonly name: string; readonly seed: Uint8Array }

// What surrounds a bare key in PKCS #8 and SPKI (RFC 8410).
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')

export function verifierOf({ name, seed }: NoteSigner): NoteVerifier {
  const spki = createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' })
  return { name, publicKey: new Uint8Array(spki.subarray(publicPrefix.length)) }
}

/** The text with our signature below it. */
export function signNote(text: string, signer: NoteSigner): string {
  const { publicKey } = verifierOf(signer)
  const signature = sign(null, Buffer.from(text, 'utf8'), privateKeyOf(signer.seed))
  return noteText({ text, signatures: [{ name: signer.name, keyId: keyIdOf(signer.name, publicKey), signature }] })
}

/**
 * The text of a note that this key signed. Refuses a note without its signature, and one where it is wrong even if another
 * is right. Signatures of unknown keys are passed over, as witnesses add theirs.
 */
export function openNote(note: string, verifier: NoteVerifier): string {
  const { text, ours } = signaturesOf(note, verifier)
  const key = publicKeyOf(verifier.publicKey)
  const bytes = Buffer.from(text, 'utf8')
  if (!ours.every((one) => verify(null, bytes, key, one.signature)))
    throw new NotANote(`The signature of ${verifier.name} is not one of this text.`)
  return text
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) throw new RangeError('The seed of an Ed25519 key has 32 bytes.')
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' })
}

function publicKeyOf(key: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicPrefix, key]), format: 'der', type: 'spki' })
}
