import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { openNote, type RecordedHead, readCheckpoint, readVerifier } from '@countersign/trail'
import { openDb } from '../../apps/server/src/kernel/db.ts'
import { type OwnPostgres, ownPostgres } from '../../apps/server/test/failures/own-postgres.ts'
import { type ServerProcess, serverProcess } from '../../apps/server/test/failures/server-process.ts'
import { checkPromises, type Findings } from './check.ts'
import { startLoad, type Target } from './load.ts'
import { randomOf } from './random.ts'

export type Victim = 'server' | 'caller' | 'postgres'

export type KillRun = {
  readonly kills: Readonly<Record<Victim, number>>
  readonly acknowledged: { readonly keys: number; readonly events: number; readonly calls: number }
  readonly unknown: number
  readonly entries: number
  readonly checkpoints: number
  readonly faults: readonly string[]
}

type Options = {
  readonly kills: number
  readonly seed: number
  /** What is promised is checked after so many kills, and at the end; then the load begins anew. */
  readonly checkEvery?: number
  readonly say?: (line: string) => void
}

const email = 'admin@example.com'
const password = 'correct horse battery staple'
const clients = 6
const waitMsMax = 1_200

/**
 * Two servers and a caller on one PostgreSQL, under load from beginning to end. One of them, at times PostgreSQL itself,
 * is killed at a moment nobody chose, also while it starts; it comes back, and the next is killed.
 */
export async function killRun({ kills, seed, checkEvery = 100, say = () => undefined }: Options): Promise<KillRun> {
  const random = randomOf(seed)
  const folder = await mkdtemp(join(tmpdir(), 'countersign-faults-'))
  const effects = join(folder, 'effects')
  await writeFile(effects, '')
  const postgres = await ownPostgres()
  const servers: (ServerProcess | undefined)[] = [undefined, undefined]
  const targets: (Target | undefined)[] = [undefined, undefined]
  const counts = { server: 0, caller: 0, postgres: 0 }
  const ended = new Set<string>()
  const heads: RecordedHead[] = []
  let caller: ChildProcess | undefined
  let callers = 0
  let key: { readonly id: string; readonly text: string; readonly tenant: string } | undefined
  let verifier: string | undefined

  const start = (place: number): Promise<ServerProcess> =>
    serverProcess(folder, environmentOf(postgres)).then((server) => (servers[place] = server))
  const admit = async (place: number): Promise<void> => {
    const server = servers[place]
    if (!server || !(await server.ready)) throw new Error(`A server did not start: ${server?.complaints() ?? ''}`)
    const cookie = await signIn(server.url)
    key ??= await makeKey(server.url, cookie)
    targets[place] = { url: server.url, cookie, key: key.text }
  }
  const startCaller = (): void => {
    const script = join(import.meta.dirname, 'caller.ts')
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', script, postgres.url, effects, `c${(callers += 1)}`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let rest = ''
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) ended.add(line)
    })
    caller = child
  }
  const killCaller = async (): Promise<void> => {
    if (!caller) return
    const closed = once(caller, 'close')
    caller.kill('SIGKILL')
    await closed
    caller = undefined
  }
  const killServer = async (place: number): Promise<void> => {
    targets[place] = undefined
    servers[place]?.kill('SIGKILL')
    await servers[place]?.ended
  }
  /** A checkpoint that was served is a promise too: whatever is killed, no later log may contradict it. */
  const noteCheckpoint = async (): Promise<void> => {
    const url = targets.find((target) => target !== undefined)?.url
    if (url === undefined) return
    try {
      verifier ??= await textOf(`${url}/trail/key`)
      const { size, root } = readCheckpoint(
        openNote(await textOf(`${url}/trail/checkpoint`), readVerifier(verifier.trim())),
      )
      heads.push({ size, root, by: 'A checkpoint that was served' })
    } catch (cause) {
      // Between kills nobody may be able to answer; a wrong signature is another matter.
      if (cause instanceof Error && cause.name === 'NotANote') throw cause
    }
  }

  try {
    for (const place of [0, 1]) await start(place)
    for (const place of [0, 1]) await admit(place)
    startCaller()
    const living = (): Target[] => targets.filter((target) => target !== undefined)
    let load = startLoad('fault-0', living, clients)
    let faults: readonly string[] = []
    let entries = 0
    const totals = { keys: new Set<string>(), events: new Set<string>() }
    let unknown = 0

    const check = async (): Promise<Findings> => {
      await load.stop()
      await killCaller()
      unknown += load.counts().unknown
      for (const id of load.acknowledged.keys) totals.keys.add(id)
      for (const id of load.acknowledged.events) totals.events.add(id)
      const db = openDb({
        url: postgres.ownerUrl,
        applicationName: 'faults check',
        connectionsMax: 2,
        onBrokenConnection: () => undefined,
      })
      try {
        if (!key) throw new Error('no key')
        return await checkPromises(db, { acknowledged: totals, ended, effects, heads, tenant: key.tenant })
      } finally {
        await db.end()
      }
    }

    let checkAt = checkEvery
    for (let n = 1; n <= kills && faults.length === 0; n += 1) {
      await pause(random() * waitMsMax)
      await noteCheckpoint()
      const dice = random()
      const victim: Victim = dice < 0.12 ? 'postgres' : dice < 0.32 ? 'caller' : 'server'
      counts[victim] += 1
      say(`kill ${n}: ${victim}`)
      if (victim === 'postgres') await postgres.crash()
      if (victim === 'caller') {
        await killCaller()
        startCaller()
      }
      if (victim === 'server') {
        const place = random() < 0.5 ? 0 : 1
        await killServer(place)
        await start(place)
        // One in four does not live to be ready.
        if (random() < 0.25 && n < kills) {
          await pause(random() * waitMsMax)
          n += 1
          counts.server += 1
          say(`kill ${n}: server, while it starts`)
          await killServer(place)
          await start(place)
        }
        await admit(place)
      }
      if (n >= checkAt || n >= kills) {
        checkAt += checkEvery
        const found = await check()
        ;({ faults, entries } = found)
        say(
          `after ${n} kills: ${entries} entries, ${totals.keys.size} keys, ${totals.events.size} events, ${ended.size} calls acknowledged, ${faults.length} faults`,
        )
        if (n < kills) {
          load = startLoad(`fault-${n}`, living, clients)
          startCaller()
        }
      }
    }
    await load.stop()
    return {
      kills: counts,
      acknowledged: { keys: totals.keys.size, events: totals.events.size, calls: ended.size },
      unknown,
      entries,
      checkpoints: heads.length,
      faults,
    }
  } finally {
    await killCaller()
    for (const place of [0, 1]) await killServer(place)
    await postgres.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

function environmentOf(postgres: OwnPostgres): Readonly<Record<string, string>> {
  return {
    COUNTERSIGN_DATABASE_URL: postgres.url,
    COUNTERSIGN_MIGRATE_DATABASE_URL: postgres.ownerUrl,
    COUNTERSIGN_SECRET_KEY: 'the secret that both servers were given',
    COUNTERSIGN_SEAL_KEY: '7'.repeat(64),
    COUNTERSIGN_BASE_URL: 'http://localhost:8000',
    COUNTERSIGN_ADMIN_EMAIL: email,
    COUNTERSIGN_ADMIN_PASSWORD: password,
    COUNTERSIGN_SIGN_IN_ATTEMPTS: '10000',
    COUNTERSIGN_DATABASE_CONNECTIONS: '8',
    COUNTERSIGN_LOG_LEVEL: 'error',
  }
}

async function textOf(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  if (!response.ok) throw new Error(`${url} answers ${response.status}`)
  return response.text()
}

/** The database may be coming back at this moment. */
async function retried<Result>(work: () => Promise<Result>): Promise<Result> {
  for (const end = performance.now() + 60_000; ; await pause(100)) {
    try {
      return await work()
    } catch (cause) {
      if (performance.now() > end) throw cause
    }
  }
}

function signIn(url: string): Promise<string> {
  return retried(async () => {
    const response = await post(`${url}/api/v2/session`, {}, { email, password })
    return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  })
}

function makeKey(url: string, cookie: string) {
  return retried(async () => {
    const made = await post(`${url}/api/v2/keys`, { cookie }, { environment: 'staging', label: 'load' })
    const who = await fetch(`${url}/api/v2/session`, { headers: { cookie } })
    const [{ id, key: text }, { tenant }] = [(await made.json()) as Made, (await who.json()) as Session]
    return { id, text, tenant: tenant.id }
  })
}

type Made = { readonly id: string; readonly key: string }
type Session = { readonly tenant: { readonly id: string } }

async function post(url: string, headers: Readonly<Record<string, string>>, body: object): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'faults', ...headers },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  })
  if (!response.ok) throw new Error(`${url} answers ${response.status} ${await response.text()}`)
  return response
}
