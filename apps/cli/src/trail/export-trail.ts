import { open } from 'node:fs/promises'
import { exportLine, type RecordedHead } from '@countersign/trail'
import { findStubs } from '../../../server/src/features/trail/index.ts'
import type { Db, Sql } from '../../../server/src/kernel/db.ts'
import { atOneMoment, readRows } from './read-rows.ts'
import { readEnd, readStart } from './trail-database.ts'

const lineEnd = Buffer.from('\n')
const writeBytes = 1 << 20

/** Writes the record as it is at one moment into a new file, or the part of it between two heads. Answers how many entries. */
export async function exportTrail(
  db: Db,
  path: string,
  { from, to }: { readonly from: number; readonly to: number | undefined },
): Promise<number> {
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
    const count = await atOneMoment(db, async (sql) => {
      const start = await readStart(sql, from)
      const end = to === undefined ? undefined : await readEnd(sql, to)
      await add({ is: 'log', from: start })
      const heads = await headsAfter(sql, start.size, end)
      const note = await newestNote(sql, start.size, end)
      let entries = 0
      const stubs = await findStubs(sql, start.size, end)
      let [stub] = stubs
      for await (const { number, bytes, leafHash, mac, isRemoved } of readRows(sql, start.size, end)) {
        if (isRemoved && stub && number >= stub.first) {
          await add({ is: 'removed', stub })
          const { last } = stub
          stub = stubs.find(({ first }) => first > last)
        }
        if (leafHash === null || (bytes === null && !isRemoved))
          throw new Error(`Entry ${number} was deleted. Run "countersign trail verify" to see what else is wrong.`)
        await add({ is: 'entry', entry: { number, bytes, leafHash, ...(mac && { mac }) } })
        entries++
        const head = heads.get(number + 1)
        if (head) await add({ is: 'head', head })
        if (note?.size === number + 1) await add({ is: 'checkpoint', note: note.note })
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

async function headsAfter(sql: Sql, size: number, end: number | undefined): Promise<ReadonlyMap<number, RecordedHead>> {
  const heads = await sql.query<RecordedHead>(
    'select h.size, h.root from trail_heads as h where h.size > $1 and h.size <= $2 order by h.size',
    [size, end ?? Number.MAX_SAFE_INTEGER],
  )
  return new Map(heads.map((head) => [head.size, head]))
}

/** The newest signed checkpoint that counts no more than what is exported. */
async function newestNote(
  sql: Sql,
  size: number,
  end: number | undefined,
): Promise<{ readonly size: number; readonly note: string } | undefined> {
  const [row] = await sql.query<{ size: number; note: string }>(
    `select c.size, c.note from trail_checkpoints as c where c.size > $1 and c.size <= $2 order by c.size desc limit 1`,
    [size, end ?? Number.MAX_SAFE_INTEGER],
  )
  return row
}
