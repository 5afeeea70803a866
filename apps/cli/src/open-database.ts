import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { readVariable } from '../../server/src/boot/config.ts'
import { type DataFolder, openDataFolder } from '../../server/src/boot/data-folder.ts'
import { runningEmbeddedPostgres, startEmbeddedPostgres } from '../../server/src/boot/embedded-postgres.ts'
import { type Db, openDb } from '../../server/src/kernel/db.ts'

type Where = { readonly database?: string; readonly dataDir?: string }

export type OpenedDatabase = {
  readonly db: Db
  /** Where the server keeps its secrets, when its database is the embedded one. */
  readonly folder: DataFolder | undefined
  readonly close: () => Promise<void>
}

/** As the role the server runs as, or as the owner of the tables, which may do what no server may. */
export type DatabaseRole = 'server' | 'owner'

/** The database an operator means: the one named, the environment's, or the one in the server's data folder. */
export async function openDatabase(
  where: Where,
  env: Readonly<Record<string, string | undefined>>,
  role: DatabaseRole = 'server',
): Promise<OpenedDatabase> {
  const read = (path: string): string => readFileSync(path, 'utf8')
  const given = where.dataDir === undefined ? readVariable('databaseUrl', env, read)?.reveal() : undefined
  const owned =
    given !== undefined && role === 'owner' ? readVariable('migrateDatabaseUrl', env, read)?.reveal() : undefined
  const url = where.database ?? owned ?? given
  if (url !== undefined) return connect(url, undefined, async () => undefined)
  const folder = resolve(where.dataDir ?? readVariable('dataDir', env, read))
  const kept = await stat(folder).catch(() => undefined)
  if (!kept?.isDirectory()) {
    throw new Error(
      `There is no data folder ${folder}. Give --data-dir of the server, or --database (or COUNTERSIGN_DATABASE_URL) when it has a PostgreSQL of its own.`,
    )
  }
  const opened = await openDataFolder(folder)
  const running = await runningEmbeddedPostgres(opened)
  if (running) return connect(urlOf(running, role), opened, async () => undefined)
  if ((await opened.existingSecret('postgres-app')) === undefined) {
    throw new Error(`No server has ever kept a database in ${folder}. Give --data-dir of one, or --database.`)
  }
  const quiet = (): void => undefined
  const started = await startEmbeddedPostgres({ folder: opened, log: { info: quiet, warn: quiet } })
  return connect(urlOf(started, role), opened, started.stop)
}

const urlOf = (of: { readonly url: string; readonly ownerUrl: string }, role: DatabaseRole): string =>
  role === 'owner' ? of.ownerUrl : of.url

async function connect(
  url: string,
  folder: DataFolder | undefined,
  stop: () => Promise<void>,
): Promise<OpenedDatabase> {
  const db = openDb({ url, applicationName: 'countersign cli', connectionsMax: 2, onBrokenConnection: () => undefined })
  const close = async (): Promise<void> => {
    await db.end()
    await stop()
  }
  try {
    await db.query('select 1')
  } catch (cause) {
    await close()
    throw new Error(`The database cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    })
  }
  return { db, folder, close }
}
