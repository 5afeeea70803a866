import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { openDataFolder } from '../apps/server/src/boot/data-folder.ts'
import { isServerOf, readPostmaster } from '../apps/server/src/boot/embedded-postgres/postmaster.ts'
import { runningEmbeddedPostgres } from '../apps/server/src/boot/embedded-postgres.ts'

const email = 'admin@example.com'
const password = 'correct horse battery staple'

/** For a look inside: `BENCH_NODE_ARGUMENTS='--cpu-prof --cpu-prof-dir=/tmp/profile'`. */
const nodeArguments = (process.env['BENCH_NODE_ARGUMENTS'] ?? '').split(' ').filter((one) => one !== '')

export type Answer = { readonly status: number; readonly text: string; readonly cookie: string }

export type BenchServer = {
  readonly url: string
  /** As the owner of the tables. */
  readonly db: pg.Pool
  readonly pid: number
  readonly cookie: string
  readonly key: string
  readonly tenant: string
  readonly send: (method: string, path: string, options?: SendOptions) => Promise<Answer>
  readonly stop: () => Promise<void>
}

type SendOptions = { readonly body?: string; readonly headers?: Readonly<Record<string, string>> }

/** The server as `npm start` runs it, in a process and a data folder of its own, with an administrator and a key. */
export async function startBenchServer(environment: Readonly<Record<string, string>> = {}): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
  // Passable for the database's user, or its cluster would be put elsewhere and stay there.
  await chmod(folder, 0o711)
  // Below what the system itself hands out to outgoing connections.
  const port = 20_000 + randomInt(12_000)
  const main = join(import.meta.dirname, '../apps/server/src/main.ts')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...nodeArguments, main], {
    cwd: folder,
    env: {
      ...process.env,
      // As `npm start` has it.
      MALLOC_ARENA_MAX: '1',
      MALLOC_TRIM_THRESHOLD_: '131072',
      COUNTERSIGN_DATA_DIR: folder,
      COUNTERSIGN_HOST: '127.0.0.1',
      COUNTERSIGN_PORT: String(port),
      COUNTERSIGN_ADMIN_EMAIL: email,
      COUNTERSIGN_ADMIN_PASSWORD: password,
      COUNTERSIGN_LOG_LEVEL: 'warn',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  let whenStopped: Promise<void> | undefined
  let closeClients: () => Promise<unknown> = () => Promise.resolve()
  const whenReady = ready(child.stdout, ended)
  const stop = (): Promise<void> => {
    whenStopped ??= (async () => {
      // Told to end any earlier it would leave its database behind.
      await whenReady.catch(() => undefined)
      await closeClients().catch(() => undefined)
      child.kill('SIGTERM')
      await ended
      await stopDatabase(folder)
      // Its log may still be written to for a moment.
      await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    })()
    return whenStopped
  }
  stopHoweverItEnds(stop)
  await whenReady

  const agent = new Agent({ keepAlive: true, maxSockets: 512 })
  const url = `http://127.0.0.1:${port}`
  const send = (method: string, path: string, { body, headers = {} }: SendOptions = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        `${url}${path}`,
        {
          method,
          agent,
          headers: {
            ...(body !== undefined && {
              'content-type': 'application/json',
              'content-length': Buffer.byteLength(body),
            }),
            ...headers,
          },
        },
        (incoming) => {
          const parts: Buffer[] = []
          incoming.on('data', (part: Buffer) => parts.push(part))
          incoming.on('end', () => {
            const [cookie = ''] = (incoming.headers['set-cookie']?.[0] ?? '').split(';')
            resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(parts).toString(), cookie })
          })
          incoming.on('error', reject)
        },
      )
      outgoing.on('error', reject)
      outgoing.end(body)
    })

  const signedIn = await send('POST', '/api/v2/session', {
    body: JSON.stringify({ email, password }),
    headers: { 'x-requested-with': 'countersign' },
  })
  const headers = { cookie: signedIn.cookie, 'x-requested-with': 'countersign' }
  const made = await send('POST', '/api/v2/keys', {
    headers,
    body: JSON.stringify({ environment: 'production', label: 'bench' }),
  })
  if (made.status !== 201) throw new Error(`No key: ${made.status} ${made.text}`)
  const { key } = JSON.parse(made.text) as { key: string }

  const running = await runningEmbeddedPostgres(await openDataFolder(folder))
  if (!running) throw new Error('The database of the bench is not running')
  const db = new pg.Pool({ connectionString: running.ownerUrl, max: 8 })
  // What ends with the database is not waited for.
  db.on('error', () => undefined)
  closeClients = async () => {
    agent.destroy()
    await db.end()
  }
  const { rows } = await db.query<{ id: string }>('select t.id from tenants as t')

  return {
    url,
    db,
    pid: child.pid ?? 0,
    cookie: signedIn.cookie,
    key,
    tenant: rows[0]?.id ?? '',
    send,
    stop,
  }
}

/** A bench that is interrupted or fails leaves neither its server nor its database nor their folder. */
function stopHoweverItEnds(stop: () => Promise<void>): void {
  const end = (code: number) => () => {
    stop().then(
      () => process.exit(code),
      (cause: unknown) => {
        process.stderr.write(`Something of this bench is left: ${String(cause)}\n`)
        process.exit(code)
      },
    )
  }
  process.on('SIGINT', end(130)).on('SIGTERM', end(143))
  process.on('uncaughtException', (cause) => {
    process.stderr.write(`${cause.stack ?? cause.message}\n`)
    end(1)()
  })
}

/** A server that was killed, or that saw clients of ours, left it running. */
async function stopDatabase(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const cluster = join(folder, name, 'data')
    const running = /^postgres-\d+$/.test(name) ? await readPostmaster(cluster) : undefined
    if (!running) continue
    while (await isServerOf(cluster, running.pid)) {
      // At once: nobody needs its files any more.
      process.kill(running.pid, 'SIGQUIT')
      await pause(100)
    }
  }
}

async function ready(stdout: NodeJS.ReadableStream, ended: Promise<unknown>): Promise<void> {
  const said = (async () => {
    for await (const line of createInterface({ input: stdout })) {
      if (line.startsWith('countersign ready')) {
        stdout.resume()
        return true
      }
    }
    return false
  })()
  const isReady = await Promise.race([said, ended.then(() => false)])
  if (!isReady) throw new Error('The server of the bench did not start; its errors are above')
}

/** The settings that decide whether what was acknowledged survives a power cut. */
export async function durability(db: pg.Pool): Promise<Readonly<Record<string, string>>> {
  const { rows } = await db.query<{ name: string; setting: string }>(
    `select s.name, s.setting from pg_settings as s
      where s.name = any('{fsync,synchronous_commit,full_page_writes,wal_sync_method,shared_buffers,server_version}')
      order by s.name`,
  )
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}

export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
}

/** Two columns for people, one JSON line for programs. */
export function report(name: string, figures: Readonly<Record<string, unknown>>): void {
  const width = Math.max(...Object.keys(figures).map((key) => key.length))
  for (const [key, value] of Object.entries(figures)) {
    const text = typeof value === 'object' ? JSON.stringify(value) : String(value)
    process.stdout.write(`${key.padEnd(width + 2)}${text}\n`)
  }
  process.stdout.write(`${JSON.stringify({ bench: name, ...figures })}\n`)
}

/**
 * Seconds of processor time that the server and its database have used, from /proc: on a machine that others use too
 * this says more than the clock on the wall.
 */
export async function cpuSeconds(server: BenchServer): Promise<{ readonly server: number; readonly database: number }> {
  const { rows } = await server.db.query<{ pid: number }>('select pg_backend_pid() as pid')
  const backend = await stat(rows[0]?.pid ?? 0)
  if (!backend) return { server: 0, database: 0 }
  const postmaster = backend.parent
  let database = (await stat(postmaster))?.withChildren ?? 0
  for (const name of await readdir('/proc')) {
    const one = /^\d+$/.test(name) ? await stat(Number(name)) : undefined
    if (one?.parent === postmaster) database += one.own
  }
  return { server: (await stat(server.pid))?.own ?? 0, database }
}

const ticksPerSecond = 100

async function stat(
  pid: number,
): Promise<{ readonly parent: number; readonly own: number; readonly withChildren: number } | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = (from: number, to: number): number =>
    fields.slice(from, to).reduce((sum, field) => sum + Number(field), 0) / ticksPerSecond
  return { parent: Number(fields[1]), own: ticks(11, 13), withChildren: ticks(11, 15) }
}
