import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'
import { base64, bytesOf, checkName, NotANote, noteText, readNote } from './checkpoint.ts'

/** A key that signs notes: C2SP signed-note, Ed25519. */
export type NoteSigner = { readonly name: string; readonly seed: Uint8Array }
/** A key that verifies them. */
export type NoteVerifier = { readonly name: string; readonly publicKey: Uint8Array }

const ed25519 = 0x01
// What surrounds a bare key in PKCS #8 and SPKI (RFC 8410).
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex')
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex')

/** `name+hash+key`, as verifiers of transparency logs are given keys. */
export function verifierText({ name, publicKey }: NoteVerifier): string {
  const id = keyIdOf(name, publicKey).toString(16).padStart(8, '0')
  return `${name}+${id}+${base64(Buffer.concat([Buffer.of(ed25519), publicKey]))}`
}

export function readVerifier(text: string): NoteVerifier {
  const [name = '', id = '', ...rest] = text.split('+')
  const key = bytesOf(rest.join('+'))
  checkName(name)
  if (key?.length !== 33 || key[0] !== ed25519) throw new NotANote('The key is not an Ed25519 key: name+hash+base64.')
  const publicKey = key.subarray(1)
  if (id !== keyIdOf(name, publicKey).toString(16).padStart(8, '0')) {
    throw new NotANote('The hash in the key is not that of its name and bytes: it was copied wrongly, or renamed.')
  }
  return { name, publicKey }
}

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
export function openNote(note: string, { name, publicKey }: NoteVerifier): string {
  const { text, signatures } = readNote(note)
  const keyId = keyIdOf(name, publicKey)
  const ours = signatures.filter((one) => one.name === name && one.keyId === keyId)
  if (ours.length === 0) throw new NotANote(`The note bears no signature of ${name}.`)
  const key = publicKeyOf(publicKey)
  const bytes = Buffer.from(text, 'utf8')
  if (!ours.every((one) => verify(null, bytes, key, one.signature)))
    throw new NotANote(`The signature of ${name} is not one of this text.`)
  return text
}

function keyIdOf(name: string, publicKey: Uint8Array): number {
  const named = Buffer.concat([Buffer.from(`${name}\n`, 'utf8'), Buffer.of(ed25519), publicKey])
  return hash('sha256', named, 'buffer').readUInt32BE(0)
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) throw new RangeError('The seed of an Ed25519 key has 32 bytes.')
  return createPrivateKey({ key: Buffer.concat([privatePrefix, seed]), format: 'der', type: 'pkcs8' })
}

function publicKeyOf(key: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicPrefix, key]), format: 'der', type: 'spki' })
}
