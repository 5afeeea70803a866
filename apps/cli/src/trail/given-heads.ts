import { readFile } from 'node:fs/promises'
import {
  NotANote,
  type NoteVerifier,
  openNote,
  type RecordedHead,
  readCheckpoint,
  readVerifier,
} from '@countersign/trail'
import { InvalidArgumentError } from 'commander'
import { readHeadText } from './head-text.ts'

export type GivenHeads = {
  readonly head?: readonly RecordedHead[]
  readonly checkpoint?: readonly string[]
  readonly key?: string
}

/** The key one trusts, as it was copied from the log once. */
export function readGivenKey(key: string | undefined): NoteVerifier | undefined {
  if (key === undefined) return undefined
  try {
    return readVerifier(key.trim())
  } catch (cause) {
    if (cause instanceof NotANote) throw new Error(`--key cannot be read: ${cause.message}`, { cause })
    throw cause
  }
}

/** Heads that were kept elsewhere; those of checkpoints only once their signature was found to be the key's. */
export async function readGivenHeads({
  head = [],
  checkpoint = [],
  key,
}: GivenHeads): Promise<readonly RecordedHead[]> {
  if (checkpoint.length === 0) return head
  const verifier = readGivenKey(key)
  if (verifier === undefined) {
    throw new Error('Give --checkpoint and --key together: without a key you trust, a checkpoint proves nothing.')
  }
  const read = async (path: string): Promise<RecordedHead> => {
    const { origin, size, root } = openTrusted(await readFile(path, 'utf8'), verifier)
    return { size, root, by: `The checkpoint of ${origin}` }
  }
  return [...head, ...(await Promise.all(checkpoint.map(read)))]
}

export function openTrusted(note: string, key: NoteVerifier) {
  try {
    const checkpoint = readCheckpoint(openNote(note, key))
    if (checkpoint.origin === key.name) return checkpoint
    throw new NotANote(`it is of ${checkpoint.origin}, the key is that of ${key.name}.`)
  } catch (cause) {
    if (cause instanceof NotANote) throw new Error(`The checkpoint cannot be trusted: ${cause.message}`, { cause })
    throw cause
  }
}

export function addHead(text: string, heads: readonly RecordedHead[] = []): readonly RecordedHead[] {
  const head = readHeadText(text)
  if (head === undefined)
    throw new InvalidArgumentError('Give it as "trail head" printed it: the size, a colon, 64 hexadecimal digits.')
  return [...heads, head]
}

export function addText(text: string, texts: readonly string[] = []): readonly string[] {
  return [...texts, text]
}

export function readNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('Give the number of an entry: a whole number from 0.')
  return Number(text)
}
