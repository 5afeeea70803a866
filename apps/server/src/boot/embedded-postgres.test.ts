import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  appendFile,
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { closedParent, isRoot, openDataFolder } from './data-folder.ts'
import { isServerOf } from './embedded-postgres/postmaster.ts'
import { runningEmbeddedPostgres } from './embedded-postgres.ts'

const script = fileURLToPath(new URL('../../test/embedded-postgres-process.ts', import.meta.url))
const nobody = 65534

/** Each test is a start in processes of its own, with the whole of `initdb`. */
vi.setConfig({ testTimeout: 60_000 })

let parent: string
let path: string
const launched: Launched[] = []

let mould: string

beforeAll(async () => {
  mould = join(await mkdtemp(join(tmpdir(), 'countersign-mould-')), 'data')
  await chmod(join(mould, '..'), 0o755)
  path = mould
  const one = await launch()
  await one.stop()
}, 60_000)

afterAll(async () => {
  await rm(join(mould, '..'), { recursive: true, force: true })
})

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'countersign-launcher-'))
  await chmod(parent, 0o755)
  path = join(parent, 'data')
})

afterEach(async () => {
  for (const one of launched.splice(0)) await one.stop()
  // A test that failed half-way must not leave a server behind.
  for (const name of await readdir('/proc')) {
    if (/^\d+$/.test(name) && (await isServerOf(await cluster(), Number(name)))) process.kill(Number(name), 'SIGQUIT')
  }
  const id = await readFile(join(path, 'embedded-database-id'), 'utf8').catch(() => undefined)
  if (id) await rm(join('/var/lib/countersign', id.trim()), { recursive: true, force: true })
  await rm(parent, { recursive: true, force: true })
})

test('the first start makes a database the server may use and not own, and stopping ends it', async () => {
  const one = await launch()
  expect(one.ready).toMatchObject({ adopted: false })
  expect(await query(one.ready.url, 'select current_user as "user", current_database() as database')).toEqual([
    { user: 'countersign_app', database: 'countersign' },
  ])
  await expect(query(one.ready.url, 'create table mine (id int)')).rejects.toThrow(/permission denied/)
  await expect(query(one.ready.url, 'create temporary table mine (id int)')).rejects.toThrow(/permission denied/)
  await expect(query(one.ready.url.replace(/:[^:@]+@/, ':guess@'), 'select 1')).rejects.toThrow(/password/)
  const safety = await query(
    one.ready.superuserUrl,
    `select name, setting from pg_settings
      where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'unix_socket_directories', 'data_checksums')
      order by name`,
  )
  expect(safety).toEqual([
    { name: 'data_checksums', setting: 'on' },
    { name: 'fsync', setting: 'on' },
    { name: 'full_page_writes', setting: 'on' },
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'synchronous_commit', setting: 'on' },
    { name: 'unix_socket_directories', setting: '' },
  ])
  await one.stop()
  expect(await postmasterPid()).toBeUndefined()
})

test('a second start finds the same data on the same port', async () => {
  useExistingFolder()
  const one = await launch()
  await query(one.ready.superuserUrl, 'create table kept (id int)')
  await one.stop()
  const two = await launch()
  expect(two.ready).toEqual({ ...one.ready, adopted: false })
  expect(await query(two.ready.superuserUrl, 'select * from kept')).toEqual([])
})

test('after kill -9 the next start adopts the server that lived on, and stopping ends it', async () => {
  useExistingFolder()
  const one = await launch()
  const pid = await postmasterPid()
  await one.kill()
  expect(await postmasterPid()).toBe(pid)
  const two = await launch()
  expect(two.ready).toEqual({ ...one.ready, adopted: true })
  await two.stop()
  expect(await postmasterPid()).toBeUndefined()
})

test('three processes that start at once on a new folder share one server; the last one to go stops it', async () => {
  const all = await Promise.all([launch(), launch(), launch()])
  expect(all.filter((one) => !one.ready.adopted)).toHaveLength(1)
  expect(new Set(all.map((one) => one.ready.url)).size).toBe(1)
  expect((await readdir(join(await cluster(), '..'))).toSorted()).toEqual(['data'])
  await all[0]?.stop()
  await all[1]?.stop()
  expect(await query(all[2]?.ready.url ?? '', 'select 1 as one')).toEqual([{ one: 1 }])
  await all[2]?.stop()
  expect(await postmasterPid()).toBeUndefined()
})

test('two that stop at once do not leave the server to each other', async () => {
  useExistingFolder()
  const all = [await launch(), await launch()]
  await Promise.all(all.map((one) => one.stop()))
  expect(await postmasterPid()).toBeUndefined()
})

test('a server that is used by others is left running, and a later start takes it over', async () => {
  useExistingFolder()
  const one = await launch()
  const other = new pg.Client(one.ready.url)
  other.on('error', () => {})
  await other.connect()
  await one.stop()
  expect(one.told()).toContain('The embedded PostgreSQL is left running for others who use it')
  expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await other.end()
  const two = await launch()
  expect(two.ready.adopted).toBe(true)
})

test('a database that is killed under a living process comes back on the same port with all that was committed', async () => {
  useExistingFolder()
  const one = await launch()
  await query(one.ready.superuserUrl, 'create table kept (id int); insert into kept values (7)')
  process.kill((await postmasterPid()) ?? 0, 'SIGKILL')
  await vi.waitFor(() => expect(one.told()).toContain('The embedded PostgreSQL runs again'), { timeout: 20_000 })
  expect(await query(one.ready.superuserUrl, 'select id from kept')).toEqual([{ id: 7 }])
})

test('a process number in postmaster.pid that now belongs to somebody else does not stop the start', async () => {
  useExistingFolder()
  const one = await launch()
  await one.stop()
  const bystander = spawn('sleep', ['600'], isRoot() ? { uid: nobody, gid: nobody } : {})
  try {
    const old = ['postmaster.pid', await cluster(), '1', '5432', '', '127.0.0.1', '0 0', 'ready'].with(
      0,
      `${bystander.pid}`,
    )
    await writeFile(join(await cluster(), 'postmaster.pid'), `${old.join('\n')}\n`)
    if (isRoot()) await chmod(join(await cluster(), 'postmaster.pid'), 0o644)
    const two = await launch()
    expect(two.ready).toEqual({ ...one.ready, adopted: false })
  } finally {
    bystander.kill()
  }
})

test('a kept port that somebody else took is exchanged for another', async () => {
  useExistingFolder()
  const one = await launch()
  await one.stop()
  const thief = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${port(one)}, '127.0.0.1', () => console.log('listening'))`,
  ])
  await new Promise((settle) => thief.stdout.once('data', settle))
  try {
    const two = await launch()
    expect(port(two)).not.toBe(port(one))
    await two.stop()
  } finally {
    thief.kill()
  }
})

test('a cluster of another major version is refused with what to do, and stays as it is', async () => {
  useExistingFolder()
  const one = await launch()
  await one.stop()
  const home = join(await cluster(), '..', '..')
  await rename(join(home, 'postgres-18'), join(home, 'postgres-17'))
  expect(await refusal()).toMatch(
    /holds a database of PostgreSQL 17, .* PostgreSQL 18\. Dump it .*COUNTERSIGN_DATABASE_URL/,
  )
  expect(await readdir(home)).not.toContain('postgres-18')
})

test('a cluster without the secrets it was made with is refused with the reason', async () => {
  useExistingFolder()
  const one = await launch()
  await one.stop()
  await rm(join(path, 'secrets', 'postgres-superuser'))
  expect(await refusal()).toMatch(/does not take the password .* restore both from the same backup/)
  expect(await postmasterPid()).toBeDefined()
})

test('a cluster that cannot start is refused with the words of PostgreSQL', async () => {
  useExistingFolder()
  await appendFile(join(await cluster(), 'postgresql.conf'), "\nmax_connections = 'many'\nno_such_setting = 1\n")
  expect(await refusal()).toMatch(/does not start: [^]*no_such_setting/)
})

test('a folder that holds other things is refused and not touched', async () => {
  await mkdir(path, { mode: 0o755 })
  await writeFile(join(path, 'thesis.txt'), 'years of work')
  expect(await refusal()).toMatch(/holds other things \(thesis\.txt\)\. Set COUNTERSIGN_DATA_DIR/)
  expect((await stat(path)).mode & 0o777).toBe(0o755)
})

test('the command line finds the addresses of a running server, and none of a stopped one', async () => {
  useExistingFolder()
  const one = await launch()
  expect(await runningEmbeddedPostgres(await openDataFolder(path))).toMatchObject({ url: one.ready.url })
  await one.stop()
  expect(await runningEmbeddedPostgres(await openDataFolder(path))).toBeUndefined()
})

test('whatever the umask, others cannot read the secrets, the cluster or the passwords', async () => {
  for (const umask of ['000', '077']) {
    path = join(parent, `data-${umask}`)
    const one = await launch({ umask })
    const modes = Object.fromEntries(
      await Promise.all(
        ['.', 'secrets', 'secrets/postgres-app', 'postgres-18', 'runtime-18.4.0-beta.17/bin/postgres'].map(
          async (name) => {
            const { mode, uid } = await stat(join(path, name))
            return [name, `${(mode & 0o777).toString(8)} ${uid === process.getuid?.() ? 'ours' : uid}`]
          },
        ),
      ),
    )
    expect(modes).toEqual({
      '.': isRoot() ? '711 ours' : '700 ours',
      secrets: '700 ours',
      'secrets/postgres-app': '600 ours',
      'postgres-18': isRoot() ? `700 ${nobody}` : '700 ours',
      'runtime-18.4.0-beta.17/bin/postgres': '755 ours',
    })
    await one.stop()
  }
})

if (isRoot()) {
  test('as root, below a folder closed to others, the cluster goes elsewhere, says where, and is found again', async () => {
    await chmod(parent, 0o700)
    const one = await launch()
    const id = (await readFile(join(path, 'embedded-database-id'), 'utf8')).trim()
    expect(one.told().join()).toContain(`/var/lib/countersign/${id}`)
    expect(await readdir(join('/var/lib/countersign', id))).toContain('postgres-18')
    await query(one.ready.superuserUrl, 'create table kept (id int)')
    await one.stop()
    // Opening the folder later must not begin an empty database beside the one that is elsewhere.
    await chmod(parent, 0o755)
    const two = await launch()
    expect(await query(two.ready.superuserUrl, 'select * from kept')).toEqual([])
    await two.stop()
    await rm(join('/var/lib/countersign', id), { recursive: true })
    expect(await refusal()).toMatch(/which is gone\. Restore it from a backup; to begin with an empty database/)
  })

  test('as root, a folder that was closed after the database was made is named instead of starting empty', async () => {
    useExistingFolder()
    const one = await launch()
    await one.stop()
    await chmod(parent, 0o700)
    expect(await refusal()).toContain(`Open it (chmod o+x ${parent})`)
  })
}

// An ordinary user cannot read a checkout in root's home, so there it cannot start one either.
if (isRoot() && (await closedParent(script)) === undefined) {
  test('an ordinary user starts it too, and root starts what that user made as that user', async () => {
    await mkdir(path, { mode: 0o700 })
    await chown(path, nobody, nobody)
    const one = await launch({ user: nobody })
    expect((await stat(join(path, 'postgres-18', 'data'))).uid).toBe(nobody)
    await one.stop()
    const two = await launch()
    expect(two.ready).toEqual({ ...one.ready, adopted: false })
  })
}

/** A data folder that an earlier start has made, without the seconds that takes. */
function useExistingFolder(): void {
  execFileSync('cp', ['-a', mould, path])
}

type Ready = { readonly adopted: boolean; readonly url: string; readonly superuserUrl: string }
type Launched = {
  readonly ready: Ready
  readonly told: () => readonly string[]
  readonly stop: () => Promise<void>
  readonly kill: () => Promise<void>
}
type Line = Partial<Ready> & { readonly ready?: boolean; readonly told?: string; readonly refused?: string }

async function launch(how: { readonly user?: number; readonly umask?: string } = {}): Promise<Launched> {
  const { child, lines, ended } = begin(how)
  const ready = await new Promise<Ready>((settle, fail) => {
    lines.on('line', (text) => {
      const line = read(text)
      if (line.ready)
        settle({ adopted: line.adopted ?? false, url: line.url ?? '', superuserUrl: line.superuserUrl ?? '' })
      if (line.refused) fail(new Error(line.refused))
    })
  })
  const told: string[] = said.get(child) ?? []
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  const one: Launched = { ready, told: () => told, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
  launched.push(one)
  return one
}

async function refusal(): Promise<string> {
  return launch().then(
    () => 'it started',
    (cause: Error) => cause.message,
  )
}

const said = new Map<ChildProcess, string[]>()

function begin({ user, umask = '022' }: { readonly user?: number; readonly umask?: string }) {
  const command = `umask ${umask}; exec "$0" "$@"`
  const args = ['-c', command, process.execPath, script, path, ...(user === undefined ? [] : [String(user)])]
  const child = spawn('/bin/sh', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const told: string[] = []
  said.set(child, told)
  const lines = createInterface({ input: child.stdout })
  lines.on('line', (text) => {
    const line = read(text)
    if (line.told) told.push(line.told)
  })
  return { child, lines, ended: new Promise((settle) => child.once('exit', settle)) }
}

function read(text: string): Line {
  return JSON.parse(text)
}

function port(one: Launched): string {
  return new URL(one.ready.url).port
}

/** The cluster's folder, wherever it went. */
async function cluster(): Promise<string> {
  const id = await readFile(join(path, 'embedded-database-id'), 'utf8').catch(() => undefined)
  const home = id ? join('/var/lib/countersign', id.trim()) : path
  return join(home, 'postgres-18', 'data')
}

async function postmasterPid(): Promise<number | undefined> {
  const text = await readFile(join(await cluster(), 'postmaster.pid'), 'utf8').catch(() => undefined)
  return text ? Number(text.split('\n')[0]) : undefined
}

async function query(url: string, text: string): Promise<object[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}
