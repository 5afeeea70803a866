import { open } from 'node:fs/promises'
import { emptyFrontier, exportLine, type RecordedHead } from '@countersign/trail'
import type { Db } from '../../../server/src/kernel/db.ts'
import { atOneMoment, readRows } from './trail-database.ts'

const lineEnd = Buffer.from('\n')
const writeBytes = 1 << 20

/** Writes the record as it is at one moment into a new file. Answers how many entries it has. */
export async function exportTrail(db: Db, path: string): Promise<number> {
  // Never over another file: an export is evidence.
  const file = await open(path, 'wx', 0o600)
  let waiting: Uint8Array[] = []
  let waitingBytes = 0
  const flush = async (): Promise<void> => {
    await file.write(Buffer.concat(waiting))
    waiting = []
    waitingBytes = 0
  }
  const add = async (line: Parameters<typeof exportLine>[0]): Promise<void> => {
    const bytes = exportLine(line)
    waiting.push(bytes, lineEnd)
    waitingBytes += bytes.length + 1
    if (waitingBytes >= writeBytes) await flush()
  }
  try {
    await add({ is: 'log', from: emptyFrontier })
    const count = await atOneMoment(db, async (sql) => {
      const heads = await sql.query<RecordedHead>('select h.size, h.root from trail_heads as h order by h.size')
      const bySize = new Map(heads.map((head) => [head.size, head]))
      let entries = 0
      for await (const { number, bytes, leafHash } of readRows(sql, 0)) {
        if (bytes === null || leafHash === null)
          throw new Error(`Entry ${number} was deleted. Run "countersign trail verify" to see what else is wrong.`)
        await add({ is: 'entry', entry: { number, bytes, leafHash } })
        entries++
        const head = bySize.get(number + 1)
        if (head) await add({ is: 'head', head })
      }
      return entries
    })
    await flush()
    await file.sync()
    return count
  } finally {
    await file.close()
  }
}
