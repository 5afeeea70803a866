import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Streams held, what each costs, how long a rollout takes to the last of them, and how long all of them take to come
 * back at once. `node bench/streams.ts [streams] [port]`; server, database and clients share this machine.
 */
const streams = Number(process.argv[2] ?? 10_000)
const port = Number(process.argv[3] ?? 28_431)
const followers = Math.min(1_000, streams)
const rounds = 5
const url = `http://localhost:${port}`
let rolledOutAt = 0
let resets = 0
const credentials = { email: 'bench@example.com', password: 'a password for benches only' }

const folder = await mkdtemp(join(tmpdir(), 'countersign-bench-'))
const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'apps/server/src/main.ts'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    COUNTERSIGN_DATA_DIR: join(folder, 'data'),
    COUNTERSIGN_PORT: String(port),
    COUNTERSIGN_ADMIN_EMAIL: credentials.email,
    COUNTERSIGN_ADMIN_PASSWORD: credentials.password,
    COUNTERSIGN_LOG_LEVEL: 'warn',
  },
})
// Whoever stops the bench stops its server too.
process.once('SIGTERM', () => {
  server.kill('SIGTERM')
  process.exit(1)
})
try {
  for await (const chunk of server.stdout) if (String(chunk).includes('countersign ready')) break
  server.stdout.resume()
  await run()
} finally {
  const exited = once(server, 'exit')
  server.kill('SIGTERM')
  await exited
  await rm(folder, { recursive: true, force: true })
}

type Client = { socket: Socket; frames: number; wanted: number; at: number; isDone: boolean }

async function run(): Promise<void> {
  const cookie = await signIn()
  const key = ((await call('POST', '/api/v2/keys', cookie, { environment: 'production', label: 'bench' })) as Key).key
  await rollOut(cookie, 'wide', 0)
  await rollOut(cookie, 'narrow', 0)

  const bare = await residentKilobytes()
  let clients: Client[] = []
  const open = async (): Promise<number> => {
    const begun = performance.now()
    clients = Array.from({ length: streams }, (_, n) => listen(key, n))
    await until(() => clients.every(({ frames }) => frames >= 1))
    return performance.now() - begun
  }
  const firstMs = await open()
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  const held = await residentKilobytes()

  console.error(
    `${streams} streams open after ${Math.round(firstMs)} ms, ${Math.round((held - bare) / streams)} KB each`,
  )
  const narrow = clients.slice(0, followers)
  const wide = clients.slice(followers)
  const lastMs = async (name: string, those: readonly Client[]): Promise<number[]> => {
    const times: number[] = []
    for (let round = 1; round <= rounds; round += 1) {
      for (const client of those) client.wanted = client.frames + 1
      const begun = performance.now()
      await rollOut(cookie, name, round)
      await until(() => those.every(({ frames, wanted }) => frames >= wanted))
      times.push(Math.max(...those.map(({ at }) => at)) - Math.max(begun, rolledOutAt))
    }
    return times.sort((a, b) => a - b)
  }
  const narrowMs = await lastMs('narrow', narrow)
  const wideMs = wide.length > 0 ? await lastMs('wide', wide) : []

  console.error(`narrow ${narrowMs.map(Math.round).join(' ')}, wide ${wideMs.map(Math.round).join(' ')} ms`)
  hangUp(clients)
  const againMs = await open()
  await until(async () => {
    const page = (await call('GET', '/api/v2/agents?limit=1', cookie)) as { summary: { connected: number } }
    return page.summary.connected === streams
  })
  hangUp(clients)

  const result = {
    bench: 'streams',
    streams,
    resident_kb_per_stream: Math.round(((held - bare) / streams) * 10) / 10,
    idle_mb: Math.round(bare / 1024),
    held_mb: Math.round(held / 1024),
    first_connect_ms: Math.round(firstMs),
    reconnect_all_ms: Math.round(againMs),
    connections_reset: resets,
    [`last_of_${followers}_p50_ms`]: Math.round(narrowMs[Math.floor(narrowMs.length / 2)] ?? 0),
    [`last_of_${followers}_max_ms`]: Math.round(narrowMs.at(-1) ?? 0),
    [`last_of_${wide.length}_p50_ms`]: Math.round(wideMs[Math.floor(wideMs.length / 2)] ?? 0),
    [`last_of_${wide.length}_max_ms`]: Math.round(wideMs.at(-1) ?? 0),
  }
  console.table(result)
  console.log(JSON.stringify(result))
}

type Key = { readonly key: string }

function listen(key: string, n: number): Client {
  const client: Client = { socket: dial(key, n), frames: 0, wanted: 0, at: 0, isDone: false }
  attend(client, key, n)
  return client
}

function dial(key: string, n: number): Socket {
  const socket = connect({ host: '127.0.0.1', port })
  const name = n < followers ? 'narrow' : 'wide'
  socket.write(
    `GET /api/v1/stream?bundle_name=${name} HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${key}\r\nX-Edictum-Agent-Id: agent-${n}\r\n\r\n`,
  )
  return socket
}

function attend(client: Client, key: string, n: number): void {
  const { socket } = client
  socket.on('data', (chunk: Buffer) => {
    // Each update is one chunk of its own; comments are shorter than any.
    let at = chunk.indexOf('event: contract_update')
    while (at >= 0) {
      client.frames += 1
      client.at = performance.now()
      at = chunk.indexOf('event: contract_update', at + 1)
    }
  })
  socket.on('error', () => {
    resets += 1
  })
  // As agents do: who loses his stream comes back a little later.
  socket.on('close', () => {
    if (client.isDone) return
    setTimeout(() => {
      client.socket = dial(key, n)
      attend(client, key, n)
    }, 200)
  })
}

function hangUp(clients: readonly Client[]): void {
  for (const client of clients) {
    client.isDone = true
    client.socket.destroy()
  }
}

async function rollOut(cookie: string, name: string, round: number): Promise<void> {
  const yaml = `apiVersion: edictum/v1\nkind: Ruleset\nmetadata:\n  name: ${name}\n  description: round ${round}\ndefaults:\n  mode: enforce\nrules:\n  - id: no-env\n    type: pre\n    tool: read_file\n    when:\n      args.path: { contains: .env }\n    then:\n      action: block\n      message: No.\n# ${'x'.repeat(7_000)}\n`
  const made = (await call('POST', '/api/v1/bundles', cookie, { yaml_content: yaml })) as { version: number }
  // From when it is asked for: the commit is inside what agents wait for.
  rolledOutAt = performance.now()
  await call('POST', `/api/v1/bundles/${name}/${made.version}/deploy`, cookie, { env: 'production' })
}

async function signIn(): Promise<string> {
  const response = await fetch(`${url}/api/v2/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-with': 'countersign' },
    body: JSON.stringify(credentials),
  })
  if (!response.ok) throw new Error(await response.text())
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
}

async function call(method: string, path: string, cookie: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { cookie, 'x-requested-with': 'countersign', ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

async function residentKilobytes(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('waited a minute in vain')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
