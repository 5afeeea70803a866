import {
  continues,
  includes,
  leafHash,
  NoEd25519,
  NotANote,
  NotAnEntry,
  NotAProof,
  openNoteHere,
  readCheckpoint,
  readEntry,
  readEntryProof,
  readVerifier,
} from '@countersign/trail/browser'
import { ApiProblem } from '../../api/problem.ts'
import type { TrailContinuation, TrailEntryWithBytes, TrailProof } from '../../api/types.ts'
import { counted, countWords } from '../../ui/numbers.ts'
import { hexOf, hexToBytes, sameBytes } from './bytes.ts'

/** What was looked at and how it was found. `unknown`: this browser could not tell. */
export type Check = { readonly says: string; readonly found: 'good' | 'bad' | 'unknown' }

/** What the page asks the server for; the server is not believed a word of it. */
export type LogReader = {
  readonly key: () => Promise<string>
  readonly proof: (number: number) => Promise<TrailProof>
  readonly continuation: (from: number) => Promise<TrailContinuation>
}

/** What this browser remembers of a log, so that it notices a swapped key and a log that was set back or forked. */
export type Memory = {
  readonly read: (name: 'key' | 'head') => string | undefined
  readonly write: (name: 'key' | 'head', value: string) => void
}

/** Recomputes everything about one entry in this browser, from its bytes to the signature over the whole log. */
export async function verifyHere(
  entry: TrailEntryWithBytes,
  log: LogReader,
  memory: Memory,
): Promise<readonly Check[]> {
  const checks: Check[] = []
  const good = (says: string): void => void checks.push({ says, found: 'good' })
  try {
    const bytes = new TextEncoder().encode(entry.canonical)
    const leaf = leafHash(bytes)
    const read = readEntry(bytes)
    if (hexOf(leaf) !== entry.leaf_hash) throw new NotAProof('The bytes do not have the leaf hash shown for them.')
    if (read.id !== entry.id || read.act !== entry.act || read.at !== entry.at || read.outcome !== entry.outcome)
      throw new NotAProof('The bytes tell of another entry than the page shows.')
    good('The bytes are this entry, and hash to its leaf.')

    const proof = readEntryProof((await log.proof(entry.number)).proof)
    const key = readVerifier((await log.key()).trim())
    const head = readCheckpoint(await openNoteHere(proof.checkpoint, key))
    if (
      proof.number !== entry.number ||
      !sameBytes(proof.bytes, bytes) ||
      !includes(leaf, entry.number, proof.hashes, head)
    )
      throw new NotAProof(
        `The path does not lead from this entry to the root over ${counted(head.size, 'entry', 'entries')}.`,
      )
    good(
      `${counted(proof.hashes.length, 'hash', 'hashes')} lead from it to the root over ${counted(head.size, 'entry', 'entries')}.`,
    )
    if (head.origin !== key.name) throw new NotAProof(`The checkpoint is of another log, ${head.origin}.`)
    good(`The root is signed by the key of ${head.origin}.`)

    good(rememberKey(await log.key(), memory))
    good(await rememberHead(head, log, memory))
  } catch (cause) {
    if (cause instanceof NoEd25519) {
      checks.push({ says: `${cause.message} Use "countersign trail verify" instead.`, found: 'unknown' })
    } else if (cause instanceof ApiProblem) {
      checks.push({ says: cause.message, found: 'unknown' })
    } else if (isFinding(cause)) {
      checks.push({ says: cause.message, found: 'bad' })
    } else throw cause
  }
  return checks
}

function rememberKey(text: string, memory: Memory): string {
  const key = text.trim()
  const known = memory.read('key')
  if (known !== undefined && known !== key)
    throw new NotAProof('The key is not the one this browser has seen before: it was swapped.')
  memory.write('key', key)
  return known === undefined
    ? 'This browser has not seen the key before; it remembers it from now on.'
    : 'It is the key this browser has seen before.'
}

/** The newest head this browser has verified is kept; a log that no longer begins with it was set back or forked. */
async function rememberHead(
  head: { readonly size: number; readonly root: Uint8Array },
  log: LogReader,
  memory: Memory,
): Promise<string> {
  const [size = '', root = ''] = (memory.read('head') ?? '').split(':')
  const known = size === '' ? undefined : { size: Number(size), root: hexToBytes(root) }
  const remember = (): void => memory.write('head', `${head.size}:${hexOf(head.root)}`)
  if (known === undefined) {
    remember()
    return 'This browser remembers this state of the log, and will notice when it is set back.'
  }
  if (known.size > head.size)
    throw new NotAProof(
      `This browser has seen ${countWords(known.size)} entries and now the log has ${countWords(head.size)}: it was set back.`,
    )
  const { from, to, hashes } = await log.continuation(known.size)
  const newer = { size: to.size, root: hexToBytes(to.root) }
  const path = hashes.map((hash) => Uint8Array.from(atob(hash), (character) => character.charCodeAt(0)))
  const isSameHead = newer.size !== head.size || sameBytes(newer.root, head.root)
  if (!isSameHead || from.size !== known.size || !continues(known, newer, path))
    throw new NotAProof(
      `The log no longer begins with the ${countWords(known.size)} entries this browser has seen: it was forked or rewritten.`,
    )
  remember()
  return `The log begins with the ${countWords(known.size)} entries this browser has seen before, unchanged.`
}

function isFinding(cause: unknown): cause is Error {
  return cause instanceof NotAProof || cause instanceof NotANote || cause instanceof NotAnEntry
}
