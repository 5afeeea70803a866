import { hexOf, readCheckpoint, readNote, verifierText } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { findLogKey } from './checkpoint-tables.ts'

export type NewestCheckpoint = {
  readonly size: number
  readonly root: string
  readonly at: Date
  /** The signed note, as it is served. */
  readonly note: string
  /** The key that signed it, in the form verifiers are given. */
  readonly key: string
}

/** What somebody who wants to check the log later should keep elsewhere. */
export async function readNewestCheckpoint(db: Sql): Promise<NewestCheckpoint | undefined> {
  const [row] = await db.query<{ size: number; note: string; at: Date }>(
    'select c.size, c.note, c.at from trail_checkpoints as c order by c.size desc limit 1',
  )
  const key = await findLogKey(db)
  if (!row || !key) return undefined
  const { root } = readCheckpoint(readNote(row.note).text)
  return { ...row, root: hexOf(root), key: verifierText({ name: key.name, publicKey: key.publicKey }) }
}
