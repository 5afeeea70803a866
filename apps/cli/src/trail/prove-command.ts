import { readFile, writeFile } from 'node:fs/promises'
import { continuationText, NotANote, readCheckpoint, readNote } from '@countersign/trail'
import type { Db } from '../../../server/src/kernel/db.ts'
import { readNumber } from './given-heads.ts'

/** The text of a proof from the database: of one entry by number or id, or of continuation since a checkpoint. */
export async function makeProof(db: Db, which: string | undefined, since: string | undefined): Promise<string> {
  if ((which === undefined) === (since === undefined)) {
    throw new Error('Say what to prove: the number or id of an entry, or --since and an older checkpoint.')
  }
  const { proveContinuation, proveEntry } = await import('../../../server/src/features/trail/index.ts')
  if (since === undefined) return (await proveEntry({ db })(undefined, await numberOf(db, which ?? ''))).proof
  const older = await readFile(since, 'utf8')
  const { size, root } = headIn(older, since)
  const { from, to, hashes } = await proveContinuation({ db })(size, undefined)
  if (from.root !== Buffer.from(root).toString('hex')) {
    throw new Error(
      `The log does not continue ${since}: with ${size} entries it has another root than was signed then. It was forked or rewritten.`,
    )
  }
  return continuationText({ older, newer: to.checkpoint, hashes: hashes.map((hash) => Buffer.from(hash, 'base64')) })
}

/** Never over another file: a proof is evidence. */
export async function writeProof(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode: 0o600 })
}

async function numberOf(db: Db, which: string): Promise<number> {
  if (!/^[0-9a-f-]{36}$/.test(which)) return readNumber(which)
  const [row] = await db.query<{ number: number }>('select s.number from trail_sequence as s where s.entry_id = $1', [
    which,
  ])
  if (!row) throw new Error(`There is no entry ${which}, or it has no number yet.`)
  return row.number
}

function headIn(note: string, path: string) {
  try {
    return readCheckpoint(readNote(note).text)
  } catch (cause) {
    if (cause instanceof NotANote) throw new Error(`${path} is no checkpoint: ${cause.message}`, { cause })
    throw cause
  }
}
