import { sha256 } from '#sha256'
import { base64, bytesOf, checkName, NotANote, type NoteSignature, readNote } from './checkpoint.ts'

/** A key that verifies notes: C2SP signed-note, Ed25519. */
export type NoteVerifier = { readonly name: string; readonly publicKey: Uint8Array }

const ed25519 = 0x01

/** `name+hash+key`, as verifiers of transparency logs are given keys. */
export function verifierText({ name, publicKey }: NoteVerifier): string {
  return `${name}+${keyIdText(name, publicKey)}+${base64(typed(publicKey))}`
}

export function readVerifier(text: string): NoteVerifier {
  const [name = '', id = '', ...rest] = text.split('+')
  const key = bytesOf(rest.join('+'))
  checkName(name)
  if (key?.length !== 33 || key[0] !== ed25519) throw new NotANote('The key is not an Ed25519 key: name+hash+base64.')
  const publicKey = key.subarray(1)
  if (id !== keyIdText(name, publicKey)) {
    throw new NotANote('The hash in the key is not that of its name and bytes: it was copied wrongly, or renamed.')
  }
  return { name, publicKey }
}

/** The text of a note and the signatures this key is said to have made. Those of other keys are passed over: witnesses add theirs. */
export function signaturesOf(
  note: string,
  { name, publicKey }: NoteVerifier,
): { readonly text: string; readonly ours: readonly NoteSignature[] } {
  const { text, signatures } = readNote(note)
  const keyId = keyIdOf(name, publicKey)
  const ours = signatures.filter((one) => one.name === name && one.keyId === keyId)
  if (ours.length === 0) throw new NotANote(`The note bears no signature of ${name}.`)
  return { text, ours }
}

export function keyIdOf(name: string, publicKey: Uint8Array): number {
  const named = new TextEncoder().encode(`${name}\n`)
  const bytes = new Uint8Array([...named, ...typed(publicKey)])
  const digest = sha256(bytes)
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0)
}

const keyIdText = (name: string, publicKey: Uint8Array): string =>
  keyIdOf(name, publicKey).toString(16).padStart(8, '0')

const typed = (publicKey: Uint8Array): Uint8Array => new Uint8Array([ed25519, ...publicKey])
