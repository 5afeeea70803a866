import { type ChildProcess, spawn } from 'node:child_process'
import { chown, lstat, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { exists, isRoot, makeFolder, unless } from '../data-folder.ts'
import { isAlive, isServerOf, readPostmaster, removeStalePid } from './postmaster.ts'
import { installRuntime, type Runtime } from './runtime.ts'

/** `nobody` on every system we run on. PostgreSQL refuses to run as root. */
const unprivileged = 65534

export type Cluster = {
  /** Ours; holds the cluster's folder and the binaries. */
  readonly home: string
  /** `<home>/postgres-<major>`: closed to everybody but the database's user. */
  readonly folder: string
  /** The files of the database itself. */
  readonly data: string
  readonly runtime: string
  /** The user the database runs as when that is not ours. */
  readonly uid: number | undefined
  readonly connectionsMax: number
}

type Opening = {
  readonly home: string
  readonly runtime: Runtime
  readonly password: string
  readonly connectionsMax: number
}

/** Makes the cluster when there is none. Of two processes at once one makes it and the other uses it. */
export async function openCluster({ home, runtime, password, connectionsMax }: Opening): Promise<Cluster> {
  const folder = join(home, `postgres-${runtime.major}`)
  await makeFolder(folder, 0o700)
  const owner = (await stat(folder)).uid
  // A cluster that an ordinary user made stays that user's when root starts it.
  const uid = isRoot() ? (owner === 0 ? unprivileged : owner) : undefined
  if (uid !== undefined && owner !== uid) await give(folder, uid)
  const cluster: Cluster = {
    home,
    folder,
    data: join(folder, 'data'),
    runtime: await installRuntime(runtime, home),
    uid,
    connectionsMax,
  }
  if (!(await exists(join(cluster.data, 'PG_VERSION')))) await initialize(cluster, password)
  return cluster
}

async function initialize(cluster: Cluster, password: string): Promise<void> {
  for (const name of await readdir(cluster.folder)) {
    // What an earlier start left when it was killed half-way; a living one's stays.
    const madeBy = Number(/^new-(\d+)/.exec(name)?.[1] ?? 0)
    if (madeBy === process.pid || (madeBy > 0 && !isAlive(madeBy)))
      await rm(join(cluster.folder, name), { recursive: true, force: true })
  }
  const aside = join(cluster.folder, `new-${process.pid}`)
  const passwordFile = `${aside}.password`
  // Exclusively, here and below: this folder belongs to the database's user, who could have put a link there.
  await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' })
  try {
    if (cluster.uid !== undefined) await give(passwordFile, cluster.uid)
    const options = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8']
    // PostgreSQL's own collation: an upgrade of the system's cannot silently reorder our indexes.
    const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    await runToEnd(cluster, 'initdb', ['-D', aside, ...options, ...locale, '--no-instructions'])
    await rename(aside, cluster.data).catch(unless('ENOTEMPTY', 'EEXIST'))
  } finally {
    await rm(passwordFile, { force: true })
    await rm(aside, { recursive: true, force: true })
  }
}

/** Starts the server and waits until it takes connections; answers its port. Throws `NotStarted` when it gave up. */
export async function startServer(cluster: Cluster, port: number, onLaunched?: () => void): Promise<number> {
  const before = await readPostmaster(cluster.data)
  const isStale = before && !(await isServerOf(cluster.data, before.pid))
  const inTheWay = isStale ? await removeStalePid(cluster.data) : undefined
  const output = join(cluster.home, `postgres-start-${process.pid}.log`)
  try {
    const child = await launch(
      cluster,
      'postgres',
      ['-D', cluster.data, '-p', String(port), ...settings(cluster)],
      output,
    )
    onLaunched?.()
    // Recovery after a crash may take long and is not an error, so the wait ends with the process alone.
    for (;;) {
      const found = await readPostmaster(cluster.data)
      if (found?.pid === child.pid && found?.isReady) return found.port
      if (child.exitCode !== null || child.signalCode !== null) {
        throw new NotStarted([await lastLines(cluster, output), inTheWay].filter(Boolean).join('\nIn the way: '))
      }
      await pause(10)
    }
  } finally {
    // From here on the server writes to its own files.
    await rm(output, { force: true })
  }
}

/** The server ended before it was ready: another one runs, the port was taken, or something is really wrong. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted'
}

/** Asks for a fast shutdown and waits until the server is gone. */
export async function stopServer(cluster: Cluster): Promise<void> {
  const running = await readPostmaster(cluster.data)
  if (!running || !(await isServerOf(cluster.data, running.pid))) return
  process.kill(running.pid, 'SIGINT')
  for (let waitedMs = 0; await isServerOf(cluster.data, running.pid); waitedMs += 10) {
    // An immediate shutdown loses nothing either; the next start replays the write-ahead log.
    if (waitedMs === 30_000) process.kill(running.pid, 'SIGQUIT')
    if (waitedMs === 60_000) throw new Error(`PostgreSQL (process ${running.pid}) does not stop`)
    await pause(10)
  }
}

export async function freePort(preferred: number | undefined): Promise<number> {
  return (preferred && (await tryPort(preferred))) || (await tryPort(0)) || 0
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((settle) => {
    const probe = createServer()
    probe.once('error', () => settle(undefined))
    probe.listen(port, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => settle(typeof address === 'object' ? address?.port : undefined))
    })
  })
}

function settings({ connectionsMax }: Cluster): string[] {
  const isSmall = Math.min(process.constrainedMemory() || Infinity, totalmem()) < 2 ** 31
  const values: Record<string, string | number> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: connectionsMax,
    max_locks_per_transaction: 128,
    shared_buffers: isSmall ? '128MB' : '256MB',
    effective_cache_size: isSmall ? '512MB' : '1GB',
    work_mem: '8MB',
    maintenance_work_mem: '128MB',
    max_wal_size: '2GB',
    // Segments of the log are used again and not removed after every burst.
    min_wal_size: '1GB',
    // A new one is not first filled with zeros, which would write everything twice and make all wait for 16 MB.
    wal_init_zero: 'off',
    wal_compression: 'on',
    random_page_cost: 1.1,
    fsync: 'on',
    synchronous_commit: 'on',
    // Our statements are short; compiling them costs more than it saves.
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Its own files, since a pipe would die with Node while the server lives on; a week of them.
    logging_collector: 'on',
    log_filename: 'postgres-%a.log',
    log_rotation_age: '1d',
    log_rotation_size: 0,
    log_truncate_on_rotation: 'on',
    // Terse leaves out the detail lines, which quote values of rows.
    log_error_verbosity: 'terse',
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function launch(cluster: Cluster, program: string, args: string[], output: string): Promise<ChildProcess> {
  const log = await open(output, 'w', 0o600)
  try {
    const child = spawn(join(cluster.runtime, 'bin', program), args, {
      cwd: cluster.folder,
      // A session of its own: Ctrl-C in a terminal must not stop the database before the server has drained.
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      // Nothing of ours: the environment may hold secrets, and the database's user is not to see them.
      env: { LC_ALL: 'C', TZ: 'UTC' },
      ...(cluster.uid === undefined ? {} : { uid: cluster.uid, gid: cluster.uid }),
    })
    await new Promise<void>((settle, fail) => {
      child.once('spawn', () => settle())
      child.once('error', (cause) => fail(cannotRun(cluster, program, cause)))
    })
    child.unref()
    return child
  } finally {
    await log.close()
  }
}

async function runToEnd(cluster: Cluster, program: string, args: string[]): Promise<void> {
  const output = join(cluster.home, `${program}-${process.pid}.log`)
  try {
    const child = await launch(cluster, program, args, output)
    child.ref()
    const code = await new Promise<number | null>((settle) => {
      if (child.exitCode !== null) settle(child.exitCode)
      else child.once('exit', settle)
    })
    if (code !== 0) throw new Error(`${program} failed: ${await complaints(output)}`)
  } finally {
    await rm(output, { force: true })
  }
}

function cannotRun(cluster: Cluster, program: string, cause: unknown): Error {
  const who = cluster.uid === undefined ? 'this user' : `user ${cluster.uid}`
  return new Error(
    `PostgreSQL's ${program} in ${cluster.runtime} cannot be run as ${who}: ${String(cause)}. ` +
      'The folder must lie on a file system that allows programs, below folders that user may pass through; ' +
      'set COUNTERSIGN_DATA_DIR to such a folder, or COUNTERSIGN_DATABASE_URL to a PostgreSQL 15 or newer.',
    { cause },
  )
}

/** Hands a file or folder to the database's user, never through a link somebody planted. */
async function give(path: string, uid: number): Promise<void> {
  if ((await lstat(path)).isSymbolicLink()) throw new Error(`${path} is a symbolic link; remove it`)
  await chown(path, uid, uid).catch((cause: unknown) => {
    throw new Error(
      `${path} cannot be given to user ${uid}, as which PostgreSQL runs (${String(cause)}). ` +
        'Start the server as an ordinary user instead of a root without rights.',
      { cause },
    )
  })
}

async function lastLines(cluster: Cluster, output: string): Promise<string> {
  const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].map((day) =>
    join(cluster.data, 'log', `postgres-${day}.log`),
  )
  const found = await Promise.all(
    days.map(async (path) => ({ path, time: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })),
  )
  const newest = found.toSorted((a, b) => b.time - a.time)[0]
  return `${await tail(output)}\n${newest?.time ? await tail(newest.path) : ''}`.trim()
}

/** What a program that tells its whole life says went wrong; its last lines when nothing looks like it. */
async function complaints(path: string): Promise<string> {
  const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n')
  const found = lines.filter((line) => /\b(?:FATAL|PANIC|ERROR|error):|could not/.test(line))
  return found.length > 0 ? found.slice(0, 8).join('\n') : tail(path)
}

async function tail(path: string): Promise<string> {
  return (await readFile(path, 'utf8').catch(() => '')).trim().split('\n').slice(-8).join('\n')
}
