import { canonicalJson, type JsonObject } from './canonical-json.ts'
import { type Checkpoint, NotANote, readCheckpoint } from './checkpoint.ts'
import { hexOf } from './export-line.ts'
import { type NoteSigner, openNote, signNote } from './note-key.ts'
import { sha256 } from './sha256.ts'
import type { NoteVerifier } from './verifier-key.ts'

/** A checkpoint as it is kept in a store that lets nobody change or delete it, linked to the one written before. */
export type Anchor = {
  readonly version: 2
  /** Names the chain in its bucket: one installation, one chain. */
  readonly chain_id: string
  /** Gapless within the chain, from 0. */
  readonly sequence: number
  /** The entries that are new since the anchor before; the checkpoint covers all from 0 to `last_seq`. */
  readonly first_seq: number
  readonly last_seq: number
  readonly count: number
  /** Hexadecimal; the same as in the checkpoint. */
  readonly root: string
  readonly checkpoint: string
  readonly prev_anchor_key: string | null
  readonly prev_anchor_sha256: string | null
  readonly created_at: string
}

export type SignedAnchor = Anchor & {
  /** A signed note over the digest of everything else, by the key of the log. */
  readonly signature: string
}

/** Thrown for bytes that are no anchor of this format; the message says why. */
export class NotAnAnchor extends Error {
  override readonly name = 'NotAnAnchor'
}

export const anchorBytesMax = 100_000
const chainForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
const digestForm = /^[0-9a-f]{64}$/
const members = [
  'chain_id',
  'checkpoint',
  'count',
  'created_at',
  'first_seq',
  'last_seq',
  'prev_anchor_key',
  'prev_anchor_sha256',
  'root',
  'sequence',
  'signature',
  'version',
]

export function isChainId(text: string): boolean {
  return chainForm.test(text)
}

/** The exact bytes of an anchor, signed. */
export function anchorBytes(anchor: Anchor, signer: NoteSigner): Uint8Array {
  const signature = signNote(statementText(signer.name, 'anchor', anchor), signer)
  return new TextEncoder().encode(canonicalJson({ ...anchor, signature }))
}

/** What a log says besides its checkpoints: under a line that no checkpoint begins with, so that neither passes for the other. */
export function statementText(name: string, kind: 'anchor' | 'stub', said: JsonObject): string {
  const digest = hexOf(sha256(new TextEncoder().encode(canonicalJson(said))))
  return `${name}/${kind}\nsha256:${digest}\n`
}

/** Reads an anchor and holds it against itself; signatures are checked by `checkAnchor`. */
export function readAnchor(bytes: Uint8Array): { readonly anchor: SignedAnchor; readonly checkpoint: Checkpoint } {
  if (bytes.length > anchorBytesMax) throw new NotAnAnchor(`An anchor has at most ${anchorBytesMax} bytes.`)
  const text = textOf(bytes)
  const read = parse(text)
  if (Object.keys(read).toSorted().join() !== members.join())
    throw new NotAnAnchor('It has other members than an anchor.')
  const anchor = read as unknown as SignedAnchor
  requireForm(anchor)
  if (canonicalJson(read) !== text) throw new NotAnAnchor('Its JSON is not in canonical form (RFC 8785).')
  const checkpoint = checkpointOf(anchor)
  if (checkpoint.size !== anchor.last_seq + 1 || hexOf(checkpoint.root) !== anchor.root) {
    throw new NotAnAnchor('Its checkpoint is of another size or root than the anchor says.')
  }
  return { anchor, checkpoint }
}

/** True when both signatures in it are the key's. */
export function isSignedBy({ signature, ...anchor }: SignedAnchor, verifier: NoteVerifier): boolean {
  try {
    openNote(anchor.checkpoint, verifier)
    return openNote(signature, verifier) === statementText(verifier.name, 'anchor', anchor)
  } catch (cause) {
    if (cause instanceof NotANote) return false
    throw cause
  }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new NotAnAnchor('It is not text in UTF-8.')
  }
}

function parse(text: string): JsonObject {
  try {
    const read: unknown = JSON.parse(text)
    if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read as JsonObject
  } catch {
    // Said below, like every other text that is no object.
  }
  throw new NotAnAnchor('It is not a JSON object.')
}

function requireForm(anchor: SignedAnchor): void {
  const wrong = (name: string): never => {
    throw new NotAnAnchor(`Its ${name} is not what an anchor has there.`)
  }
  const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && Number(n) >= 0
  if (anchor.version !== 2) wrong('version')
  if (typeof anchor.chain_id !== 'string' || !isChainId(anchor.chain_id)) wrong('chain_id')
  for (const name of ['sequence', 'first_seq', 'last_seq', 'count'] as const) if (!isCount(anchor[name])) wrong(name)
  if (anchor.count < 1 || anchor.count !== anchor.last_seq - anchor.first_seq + 1) wrong('count')
  if (typeof anchor.root !== 'string' || !digestForm.test(anchor.root)) wrong('root')
  if (typeof anchor.checkpoint !== 'string') wrong('checkpoint')
  if (typeof anchor.signature !== 'string') wrong('signature')
  if (typeof anchor.created_at !== 'string' || !isInstant(anchor.created_at)) wrong('created_at')
  const { prev_anchor_key: key, prev_anchor_sha256: digest } = anchor
  if (anchor.sequence === 0) {
    if (key !== null || digest !== null || anchor.first_seq !== 0) wrong('link')
  } else if (typeof key !== 'string' || typeof digest !== 'string' || !digestForm.test(digest)) wrong('link')
}

function isInstant(text: string): boolean {
  const at = Date.parse(text)
  return !Number.isNaN(at) && new Date(at).toISOString() === text
}

function checkpointOf({ checkpoint }: SignedAnchor): Checkpoint {
  try {
    return readCheckpoint(checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1))
  } catch (cause) {
    if (cause instanceof NotANote) throw new NotAnAnchor(`Its checkpoint cannot be read: ${cause.message}`)
    throw cause
  }
}

/**
 * Where an anchor of this moment may lie, the coarsest first: `<chain>/2026/03/05/14/anchor-20260305T14.json`, then with
 * minutes, seconds, milliseconds. In the order of their names they are in the order of time.
 */
export function anchorKeys(chainId: string, at: Date): readonly string[] {
  const digits = at.toISOString().replace(/\D/g, '')
  const folder = `${chainId}/${digits.slice(0, 4)}/${digits.slice(4, 6)}/${digits.slice(6, 8)}/${digits.slice(8, 10)}`
  return [10, 12, 14, 17].map((length) => `${folder}/anchor-${digits.slice(0, 8)}T${digits.slice(8, length)}.json`)
}

const keyForm = /^([^/]+)\/(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})\/anchor-(\d{8})T(\d{2}|\d{4}|\d{6}|\d{9})\.json$/

export function isAnchorKey(chainId: string, key: string): boolean {
  const [, chain, year, month, day, hour, date, time = ''] = keyForm.exec(key) ?? []
  return chain === chainId && date === `${year}${month}${day}` && time.startsWith(hour ?? '-')
}
