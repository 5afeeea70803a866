import { statfs } from 'node:fs/promises'
import { errorCode } from './data-folder.ts'
import { NotStarted } from './embedded-postgres/cluster.ts'

/** Less than this and not even a word about what went wrong can be written. */
const nothing = 2 ** 20

/** The words for somebody who starts a server whose disk is full; nothing when that is not why it failed. */
export async function fullDisk(cause: unknown, folder: string): Promise<Error | undefined> {
  const disk = await statfs(folder).catch(() => undefined)
  const free = disk && disk.bavail * disk.bsize
  // A database without room ends before it has written why.
  const isMute = free !== undefined && free < nothing && isDatabaseLost(cause)
  if (!isMute && !saysFull(cause)) return undefined
  const left = free === undefined ? '' : ` (${Math.floor(free / 2 ** 20)} MB left)`
  return new Error(
    `The disk that holds ${folder} is full${left}. What is stored there is untouched. ` +
      'Make room and start again; beginning takes about 120 MB there, for the programs and a new database.',
    { cause },
  )
}

function saysFull(cause: unknown): boolean {
  // The last is PostgreSQL's own.
  if (['ENOSPC', 'EDQUOT', '53100'].includes(errorCode(cause))) return true
  return /No space left on device|Disk quota exceeded/i.test(String(cause))
}

function isDatabaseLost(cause: unknown): boolean {
  if (cause instanceof NotStarted || (cause instanceof Error && cause.cause instanceof NotStarted)) return true
  return (
    ['ECONNREFUSED', 'ECONNRESET', '57P03'].includes(errorCode(cause)) || /Connection terminated/.test(String(cause))
  )
}
