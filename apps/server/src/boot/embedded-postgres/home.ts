import { readdir, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  closedParent,
  type DataFolder,
  exists,
  isRoot,
  keepOnce,
  makeFolder,
  readKept,
  unless,
} from '../data-folder.ts'

const elsewhere = '/var/lib/countersign'

/**
 * Where the cluster and the copied binaries live: the data folder, or `/var/lib/countersign/<id>` when the database's
 * user could not reach the data folder (a checkout in root's home). The choice is made once and kept: a second choice
 * would start with an empty database and look like lost data.
 */
export async function chooseHome(folder: DataFolder, major: string): Promise<string> {
  const idFile = join(folder.path, 'embedded-database-id')
  const id = await readKept(idFile)
  const home = id === undefined ? await homeForNew(folder.path, major, idFile) : keptHome(id, idFile)
  if (!(await exists(home))) {
    throw new Error(
      `The embedded database of ${folder.path} was in ${home}, which is gone. Restore it from a backup; ` +
        `to begin with an empty database instead, remove ${idFile}.`,
    )
  }
  await refuseOtherMajor(home, major)
  return home
}

async function homeForNew(path: string, major: string, idFile: string): Promise<string> {
  const closed = isRoot() ? await closedParent(path) : undefined
  if (closed === undefined) return path
  const cluster = join(path, `postgres-${major}`)
  if (await exists(join(cluster, 'data'))) {
    const { uid } = await stat(cluster)
    if ((await stat(closed)).uid === uid) return path
    throw new Error(
      `The database in ${path} cannot be reached by the user it runs as (${uid}), since ${closed} is closed to others. ` +
        `Open it (chmod o+x ${closed}), or move the data folder and set COUNTERSIGN_DATA_DIR.`,
    )
  }
  // The folder first, the id that points to it last: a start cut short leaves no pointer to nothing.
  const mine = globalThis.crypto.randomUUID()
  await makeFolder(join(elsewhere, mine), 0o711)
  const kept = await keepOnce(idFile, () => mine)
  if (kept !== mine) await rmdir(join(elsewhere, mine))
  return keptHome(kept, idFile)
}

function keptHome(id: string, idFile: string): string {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new Error(`${idFile} does not hold an id; restore it from a backup.`)
  return join(elsewhere, id)
}

async function refuseOtherMajor(home: string, major: string): Promise<void> {
  const names = (await readdir(home).catch(unless('ENOENT'))) ?? []
  const other = names.find((name) => /^postgres-\d+$/.test(name) && name !== `postgres-${major}`)
  if (other === undefined || names.includes(`postgres-${major}`)) return
  throw new Error(
    `${home} holds a database of PostgreSQL ${other.slice('postgres-'.length)}, and this release brings PostgreSQL ${major}. ` +
      `Dump it with the release that made it (pg_dump) and restore it into a fresh data folder, or set COUNTERSIGN_DATABASE_URL ` +
      `to a PostgreSQL 15 or newer that holds it; then remove or rename ${join(home, other)}.`,
  )
}
