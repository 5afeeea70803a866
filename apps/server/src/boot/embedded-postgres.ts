import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { randomToken } from '../kernel/crypto.ts'
import type { Log } from '../kernel/log.ts'
import { type DataFolder, errorCode, unless } from './data-folder.ts'
import {
  type Cluster,
  freePort,
  NotStarted,
  openCluster,
  startServer,
  stopServer,
} from './embedded-postgres/cluster.ts'
import { chooseHome } from './embedded-postgres/home.ts'
import { isServerOf, readPostmaster } from './embedded-postgres/postmaster.ts'
import { appRole, databaseName, makeRoles, ownerRole } from './embedded-postgres/roles.ts'
import { installedRuntime, removeOtherRuntimes } from './embedded-postgres/runtime.ts'
import { fullDisk } from './full-disk.ts'

export type EmbeddedPostgres = {
  /** As the restricted role the server runs as. */
  readonly url: string
  /** As the owner, who migrates. */
  readonly ownerUrl: string
  /** For tests and repairs; the server never uses it. */
  readonly superuserUrl: string
  /** Where the cluster lies: the data folder, or elsewhere when a folder above that is closed. */
  readonly home: string
  /** True when the server was already running: after a kill of its process, or beside a living one. */
  readonly adopted: boolean
  /** Stops the database unless somebody else still uses it. Close every pool first. */
  readonly stop: () => Promise<void>
}

type Needs = {
  readonly folder: DataFolder
  readonly log: Pick<Log, 'info' | 'warn'>
  /** Of all processes on this folder together. */
  readonly connectionsMax?: number
  /** Says to whoever starts the server what must not depend on how much is logged. */
  readonly say?: (text: string) => void
  /** Called when the database's process was started and there is nothing to do but to wait until it is ready. */
  readonly onLaunched?: () => void
}

type Passwords = { readonly superuser: string; readonly owner: string; readonly app: string }

/** How long a start is tried again while another server of the same folder is on its way up or down. */
const patienceMs = 15_000

/**
 * Starts the PostgreSQL that npm brought, or adopts the one that already runs on this folder, and keeps it running:
 * should it die, it is started again on the same port.
 */
export async function startEmbeddedPostgres({
  folder,
  log,
  connectionsMax = 100,
  say = () => {},
  onLaunched,
}: Needs): Promise<EmbeddedPostgres> {
  const runtime = await installedRuntime()
  const passwords = await withRoom(folder.path, () => makePasswords(folder))
  const home = await withRoom(folder.path, () => chooseHome(folder, runtime.major))
  if (home !== folder.path) {
    say(`The database is kept in ${home}, since a folder above ${folder.path} is closed to other users`)
  }
  const cluster = await withRoom(home, () =>
    openCluster({ home, runtime, password: passwords.superuser, connectionsMax }),
  )
  const first = await withRoom(home, () => obtain(cluster, passwords, undefined, onLaunched))
  const { port } = first
  if (first.adopted) log.info({ port, home }, 'Using the embedded PostgreSQL that is already running')
  else await removeOtherRuntimes(runtime, home)

  let isStopping = false
  let keeper = first.keeper
  let revival: Promise<void> | undefined
  const watch = (): void => {
    keeper.once('end', () => {
      if (!isStopping) revival = revive()
    })
  }
  const revive = async (): Promise<void> => {
    log.warn({ port }, 'The embedded PostgreSQL is gone; starting it again')
    while (!isStopping) {
      try {
        const again = await obtain(cluster, passwords, port)
        keeper = again.keeper
        watch()
        log.info({ port }, 'The embedded PostgreSQL runs again')
        return
      } catch (cause) {
        const full = await fullDisk(cause, home)
        if (full) log.warn({ cause: full.message }, 'The embedded PostgreSQL has no room; trying again until there is')
        else log.warn({ cause: String(cause) }, 'The embedded PostgreSQL cannot be started; trying again')
        await pause(1_000)
      }
    }
  }
  watch()

  return {
    ...urls(port, passwords),
    home,
    adopted: first.adopted,
    stop: async () => {
      isStopping = true
      await revival
      await keeper.end()
      if (!(await stopUnlessUsed(cluster, passwords))) {
        log.info({ port }, 'The embedded PostgreSQL is left running for others who use it')
      }
    },
  }
}

/** A full disk is told as one, whatever failed first for want of room. */
async function withRoom<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    throw (await fullDisk(cause, path)) ?? cause
  }
}

/** The addresses of a database that runs on this folder now: for the command line beside a running server. */
export async function runningEmbeddedPostgres(
  folder: DataFolder,
): Promise<Pick<EmbeddedPostgres, 'url' | 'ownerUrl'> | undefined> {
  const superuser = await folder.existingSecret('postgres-superuser')
  const owner = await folder.existingSecret('postgres-owner')
  const app = await folder.existingSecret('postgres-app')
  if (!superuser || !owner || !app) return undefined
  const { major } = await installedRuntime()
  const data = join(await chooseHome(folder, major), `postgres-${major}`, 'data')
  const running = await readPostmaster(data)
  if (!running?.isReady || !(await isServerOf(data, running.pid))) return undefined
  return urls(running.port, { superuser, owner, app })
}

type Obtained = { readonly port: number; readonly adopted: boolean; readonly keeper: pg.Client }

/**
 * A running server and a connection to it. The connection is kept: it tells at once when the server dies, and it tells
 * other processes on the same folder that this one lives.
 */
async function obtain(
  cluster: Cluster,
  passwords: Passwords,
  onlyPort?: number,
  onLaunched?: () => void,
): Promise<Obtained> {
  const portFile = join(cluster.home, 'postgres-port')
  const begun = performance.now()
  for (;;) {
    try {
      const running = await readPostmaster(cluster.data)
      if (running && (await isServerOf(cluster.data, running.pid))) {
        return { port: running.port, adopted: true, keeper: await connectKeeper(cluster, passwords, running.port) }
      }
      const kept = onlyPort ?? (Number(await readFile(portFile, 'utf8').catch(unless('ENOENT'))) || undefined)
      const port = await startServer(cluster, onlyPort ?? (await freePort(kept)), onLaunched)
      if (port !== kept) await writeFile(portFile, `${port}\n`)
      return { port, adopted: false, keeper: await connectKeeper(cluster, passwords, port) }
    } catch (cause) {
      // Another process may be starting or stopping the same server, and a killed one's helpers take a moment to go.
      if (performance.now() - begun > patienceMs || !isPassing(cause)) throw explain(cause, cluster)
      await pause(50)
    }
  }
}

async function connectKeeper(cluster: Cluster, passwords: Passwords, port: number): Promise<pg.Client> {
  const keeper = await connect(port, passwords, 'countersign keeper')
  try {
    const { rows } = await keeper.query<{ data_directory: string }>('show data_directory')
    if (rows[0]?.data_directory !== cluster.data) {
      throw new Error(`The server on port ${port} serves ${rows[0]?.data_directory}, not ${cluster.data}`)
    }
    await makeRoles(keeper, passwords)
    return keeper
  } catch (cause) {
    await keeper.end()
    throw cause
  }
}

async function connect(port: number, passwords: Passwords, name: string): Promise<pg.Client> {
  const client = new pg.Client({
    ...connection(port),
    password: passwords.superuser,
    application_name: name,
    keepAlive: true,
  })
  // A connection that breaks while idle ends the process unless somebody listens; `end` follows and is what we act on.
  client.on('error', () => {})
  await client.connect()
  return client
}

/** False when the server was left to others. Of two processes stopping at once, one of them stops the server. */
async function stopUnlessUsed(cluster: Cluster, passwords: Passwords): Promise<boolean> {
  const running = await readPostmaster(cluster.data)
  if (!running || !(await isServerOf(cluster.data, running.pid))) return true
  const last = await connect(running.port, passwords, 'countersign stopping').catch(() => undefined)
  if (!last) {
    // It is going down already, or cannot answer; asking it to shut down is right in both cases.
    await stopServer(cluster)
    return true
  }
  try {
    await last.query('select pg_advisory_lock(44)')
    // Connections that this process has just closed take a moment to disappear.
    for (let look = 0; look < 20; look++) {
      const { rows } = await last.query<{ others: number }>(
        `select count(*)::int as others from pg_stat_activity as a
          where a.backend_type = 'client backend' and a.pid <> pg_backend_pid() and a.application_name <> 'countersign stopping'`,
      )
      if (rows[0]?.others === 0) {
        await stopServer(cluster)
        return true
      }
      await pause(50)
    }
    return false
  } catch (cause) {
    if (isPassing(cause)) return true
    throw cause
  } finally {
    await last.end()
  }
}

async function makePasswords(folder: DataFolder): Promise<Passwords> {
  return {
    superuser: await folder.secret('postgres-superuser', randomToken),
    owner: await folder.secret('postgres-owner', randomToken),
    app: await folder.secret('postgres-app', randomToken),
  }
}

function connection(port: number): { host: string; port: number; user: string; database: string } {
  return { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' }
}

function urls(port: number, passwords: Passwords): Pick<EmbeddedPostgres, 'url' | 'ownerUrl' | 'superuserUrl'> {
  const at = `127.0.0.1:${port}`
  return {
    url: `postgres://${appRole}:${passwords.app}@${at}/${databaseName}`,
    ownerUrl: `postgres://${ownerRole}:${passwords.owner}@${at}/${databaseName}`,
    superuserUrl: `postgres://postgres:${passwords.superuser}@${at}/postgres`,
  }
}

/** Errors of a server that is coming up, going down or was just replaced. */
function isPassing(cause: unknown): boolean {
  if (cause instanceof NotStarted) {
    return /lock file .* already exists|shared memory block|address already in use/i.test(cause.message)
  }
  const code = errorCode(cause)
  if (['ECONNREFUSED', 'ECONNRESET', 'EPIPE', '57P01', '57P02', '57P03'].includes(code)) return true
  return cause instanceof Error && /Connection terminated|not queryable|connection is closed/i.test(cause.message)
}

function explain(cause: unknown, cluster: Cluster): Error {
  if (errorCode(cause) === '28P01') {
    return new Error(
      `The database in ${cluster.home} does not take the password in the data folder's secrets. ` +
        'The two were not made together: restore both from the same backup.',
      { cause },
    )
  }
  if (cause instanceof NotStarted) {
    return new Error(`The embedded PostgreSQL in ${cluster.home} does not start: ${cause.message}`, { cause })
  }
  return cause instanceof Error ? cause : new Error(String(cause))
}
