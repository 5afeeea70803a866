import { hashBytes } from './tree.ts'

/** The head of a log as the world reads it: C2SP tlog-checkpoint. */
export type Checkpoint = {
  /** Names the log, for ever: a host and path without scheme, such as `countersign.example.com/trail`. */
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
  /** Further lines, which are signed too. */
  readonly extensions: readonly string[]
}

/** A text with signatures, one line each: C2SP signed-note. */
export type SignedNote = { readonly text: string; readonly signatures: readonly NoteSignature[] }

/** `keyId` is the first four bytes by which a verifier finds its key; the name alone proves nothing. */
export type NoteSignature = { readonly name: string; readonly keyId: number; readonly signature: Uint8Array }

/** Thrown for a text that is no checkpoint or signed note; the message says why. */
export class NotANote extends Error {
  override readonly name = 'NotANote'
}

const noteBytesMax = 1_000_000
const signaturesMax = 100
const signatureLine = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u

/** The text that is signed. */
export function checkpointText({ origin, size, root, extensions }: Checkpoint): string {
  if (!isLine(origin) || origin === '') throw new NotANote('The origin of a log is one line of text and not empty.')
  if (!Number.isSafeInteger(size) || size < 0) throw new NotANote('The size of a log is a whole number from 0.')
  if (root.length !== hashBytes) throw new NotANote('The root of a log has 32 bytes.')
  for (const line of extensions) {
    if (!isLine(line) || line === '')
      throw new NotANote('An extension of a checkpoint is one line of text and not empty.')
  }
  return `${[origin, size, base64(root), ...extensions].join('\n')}\n`
}

export function readCheckpoint(text: string): Checkpoint {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n')
  if (rest.pop() !== '') throw new NotANote('A checkpoint ends with a line end and has at least three lines.')
  if (origin === '' || !isLine(origin)) throw new NotANote('The first line of a checkpoint names its log.')
  if (!/^(?:0|[1-9]\d{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    throw new NotANote(`The second line of a checkpoint is a size, not ${JSON.stringify(size.slice(0, 40))}.`)
  }
  const hash = bytesOf(root)
  if (hash?.length !== hashBytes) throw new NotANote('The third line of a checkpoint is 32 bytes in base64.')
  if (rest.includes('') || !rest.every(isLine)) throw new NotANote('A checkpoint has no empty lines.')
  return { origin, size: Number(size), root: hash, extensions: rest }
}

export function noteText({ text, signatures }: SignedNote): string {
  checkNoteText(text)
  return `${text}\n${signatures.map(signatureText).join('')}`
}

function signatureText({ name, keyId, signature }: NoteSignature): string {
  checkName(name)
  const bytes = new Uint8Array(4 + signature.length)
  new DataView(bytes.buffer).setUint32(0, keyId)
  bytes.set(signature, 4)
  return `— ${name} ${base64(bytes)}\n`
}

export function readNote(note: string): SignedNote {
  if (note.length > noteBytesMax) throw new NotANote('A signed note has at most a million characters.')
  // The last empty line: the text itself may have some.
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) throw new NotANote('A signed note is a text, an empty line and signatures.')
  const text = note.slice(0, split + 1)
  checkNoteText(text)
  const lines = note
    .slice(split + 2)
    .split('\n')
    .slice(0, -1)
  if (lines.length === 0 || lines.length > signaturesMax)
    throw new NotANote(`A signed note has 1 to ${signaturesMax} signatures.`)
  return { text, signatures: lines.map(readSignature) }
}

function readSignature(line: string): NoteSignature {
  const found = signatureLine.exec(line)
  const bytes = bytesOf(found?.[2] ?? '')
  if (!found || bytes === undefined || bytes.length < 5)
    throw new NotANote('A line below the empty one is not a signature.')
  const name = found[1] ?? ''
  return { name, keyId: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), signature: bytes.subarray(4) }
}

export function checkName(name: string): void {
  if (name === '' || /[\s+]/u.test(name) || !name.isWellFormed()) {
    throw new NotANote('The name of a key has no spaces and no plus sign, and is not empty.')
  }
}

function checkNoteText(text: string): void {
  if (!text.endsWith('\n')) throw new NotANote('The text of a note ends with a line end.')
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text) || !text.isWellFormed())
    throw new NotANote('The text of a note has no control characters.')
}

function isLine(text: string): boolean {
  return !/[\u0000-\u001f]/.test(text) && text.isWellFormed()
}

/** Without Buffer, since browsers read checkpoints too. */
export function base64(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return btoa(text)
}

/** Only what `base64` writes: whatever else decodes to the same bytes is refused. */
export function bytesOf(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return undefined
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  return base64(bytes) === text ? bytes : undefined
}
