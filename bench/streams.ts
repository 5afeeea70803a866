import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { cpuSeconds, percentile, report, startBenchServer } from './bench-server.ts'

/**
 * Streams held, what each costs, how long a rollout takes to the last of a thousand and of all, beside a bare loop over
 * as many responses, and how long all of them take to come back at once. Fails when one of them missed something.
 * `node bench/streams.ts [streams]`, `BENCH_REST_SECONDS=0` without what each costs in memory; server, database and clients share this machine.
 */
const streams = Number(process.argv[2] ?? 10_000)
const followers = Math.min(1_000, streams)
const narrowRounds = Number(process.env['BENCH_ROUNDS'] ?? 300)
const wideRounds = 7
const yamlPadding = 7_000
/** Longer than the server waits for a quiet moment to give memory back; 0 for who asks for times alone. */
const restSeconds = Number(process.env['BENCH_REST_SECONDS'] ?? 25)

type Client = { socket: Socket; frames: number; wanted: number; at: number; isDone: boolean }
type Place = { readonly port: number; readonly request: (n: number) => string }

const update = Buffer.from('event: contract_update')
/** One for all: what is read is looked at before anything else is read, and what the load uses is not there for the server. */
const shared = Buffer.alloc(65_536)

let resets = 0
const server = await startBenchServer()
const ours: Place = {
  port: Number(new URL(server.url).port),
  request: (n) =>
    `GET /api/v1/stream?bundle_name=${n < followers ? 'narrow' : 'wide'} HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
    `Authorization: Bearer ${server.key}\r\nX-Edictum-Agent-Id: agent-${n}\r\n\r\n`,
}
try {
  await run()
} finally {
  await server.stop()
}

async function run(): Promise<void> {
  await rollOut('wide', 0)
  await rollOut('narrow', 0)
  // What the first streams make the engine compile and load is not what a stream costs.
  const warm = await open(ours, 200)
  hangUp(warm.clients)
  await rest()
  const before = await residentKilobytes()

  const first = await open(ours, streams)
  const heldAtOnce = await residentKilobytes()
  await rest()
  const held = await residentKilobytes()
  const narrow = await rollOutTo('narrow', first.clients.slice(0, followers), narrowRounds)
  const wideClients = first.clients.slice(followers)
  const wide = wideClients.length > 0 ? await rollOutTo('wide', wideClients, wideRounds) : []

  hangUp(first.clients)
  const cpuBefore = await cpuSeconds(server)
  const again = await open(ours, streams)
  const cpu = await cpuSeconds(server)
  await until(async () => (await countConnected()) === streams)
  const allKnownMs = performance.now() - again.begun
  // What was rolled out while they were gone is the first thing each of them heard.
  const missed = again.clients.filter(({ frames }) => frames === 0).length
  hangUp(again.clients)

  const bare = wideClients.length > 0 ? await bareLoop(wideClients.length) : []
  const [ourMedian, bareMedian] = [percentile(wide, 0.5), percentile(bare, 0.5)]
  report('streams', {
    streams,
    ...(restSeconds > 0 && {
      idle_resident_mb: Math.round(before / 1_024),
      resident_mb_when_open: Math.round(heldAtOnce / 1_024),
      resident_mb_at_rest: Math.round(held / 1_024),
      resident_kb_per_stream: Number(((held - before) / streams).toFixed(1)),
    }),
    open_all_ms: Math.round(first.ms),
    reconnect_all_ms: Math.round(again.ms),
    reconnect_all_shown_as_connected_ms: Math.round(allKnownMs),
    reconnect_cpu_ms_per_stream: {
      server: Number((((cpu.server - cpuBefore.server) * 1_000) / streams).toFixed(2)),
      database: Number((((cpu.database - cpuBefore.database) * 1_000) / streams).toFixed(2)),
    },
    missed,
    connections_reset: resets,
    [`rollout_to_last_of_${followers}_p50_ms`]: Math.round(percentile(narrow, 0.5)),
    [`rollout_to_last_of_${followers}_p99_ms`]: Math.round(percentile(narrow, 0.99)),
    [`rollout_to_last_of_${followers}_max_ms`]: Math.round(narrow.at(-1) ?? 0),
    [`rollout_to_last_of_${wideClients.length}_p50_ms`]: Math.round(ourMedian),
    [`bare_loop_to_last_of_${wideClients.length}_p50_ms`]: Math.round(bareMedian),
    times_bare_loop: Number((ourMedian / Math.max(1, bareMedian)).toFixed(2)),
  })
  if (missed > 0) process.exitCode = 1
}

async function open(
  place: Place,
  count: number,
): Promise<{ readonly clients: readonly Client[]; readonly begun: number; readonly ms: number }> {
  const begun = performance.now()
  const clients = Array.from({ length: count }, (_, n) => attend(place, n))
  await until(() => clients.every(({ frames }) => frames >= 1))
  return { clients, begun, ms: performance.now() - begun }
}

function dial({ port, request }: Place, n: number, hear: (chunk: Buffer) => void): Socket {
  const callback = (length: number): boolean => {
    hear(shared.subarray(0, length))
    return true
  }
  const socket = connect({ host: '127.0.0.1', port, onread: { buffer: shared, callback } })
  socket.write(request(n))
  return socket
}

function attend(place: Place, n: number): Client {
  const client: Client = { socket: dial(place, n, hear), frames: 0, wanted: 0, at: 0, isDone: false }
  function hear(chunk: Buffer): void {
    // Each update is one chunk of its own; comments are shorter than any.
    for (let at = chunk.indexOf(update); at >= 0; at = chunk.indexOf(update, at + 1)) {
      client.frames += 1
      client.at = performance.now()
    }
  }
  follow()
  return client

  function follow(): void {
    const { socket } = client
    socket.on('error', () => {
      resets += 1
    })
    // As agents do: who loses his stream comes back a little later.
    socket.on('close', () => {
      if (client.isDone) return
      setTimeout(() => {
        client.socket = dial(place, n, hear)
        follow()
      }, 200)
    })
  }
}

function hangUp(clients: readonly Client[]): void {
  for (const client of clients) {
    client.isDone = true
    client.socket.destroy()
  }
}

/** From when the rollout is asked for, its commit included, to when the last of them has it; sorted. */
async function rollOutTo(name: string, those: readonly Client[], rounds: number): Promise<number[]> {
  const times: number[] = []
  for (let round = 1; round <= rounds; round += 1) {
    for (const client of those) client.wanted = client.frames + 1
    const asked = await rollOut(name, round)
    await until(() => those.every(({ frames, wanted }) => frames >= wanted))
    times.push(Math.max(...those.map(({ at }) => at)) - asked)
  }
  return times.sort((a, b) => a - b)
}

/** The same frames to as many clients, by a server that does nothing else. */
async function bareLoop(count: number): Promise<number[]> {
  const child = fork(join(import.meta.dirname, 'bare-streams.ts'), {
    execArgv: ['--disable-warning=ExperimentalWarning'],
  })
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }]
  try {
    const { clients } = await open({ port, request: () => 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' }, count)
    const times: number[] = []
    // As many bytes as an update of the ruleset above has.
    for (let round = 0; round < wideRounds; round += 1) times.push(await tell(child, clients, 18_500))
    hangUp(clients)
    return times.sort((a, b) => a - b)
  } finally {
    child.kill()
  }
}

async function tell(child: ChildProcess, clients: readonly Client[], bytes: number): Promise<number> {
  for (const client of clients) client.wanted = client.frames + 1
  const begun = performance.now()
  child.send(bytes)
  await until(() => clients.every(({ frames, wanted }) => frames >= wanted))
  return Math.max(...clients.map(({ at }) => at)) - begun
}

/** Uploads a revision and rolls it out; answers when the rollout was asked for. */
async function rollOut(name: string, round: number): Promise<number> {
  const yaml = `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: ${name}
  description: round ${round}
defaults:
  mode: enforce
rules:
  - id: no-env
    type: pre
    tool: read_file
    when:
      args.path: { contains: .env }
    then:
      action: block
      message: No.
# ${'x'.repeat(yamlPadding)}
`
  const { version } = (await call('POST', '/api/v1/bundles', { yaml_content: yaml })) as { readonly version: number }
  const asked = performance.now()
  await call('POST', `/api/v1/bundles/${name}/${version}/deploy`, { env: 'production' })
  return asked
}

async function countConnected(): Promise<number> {
  const page = (await call('GET', '/api/v2/agents?limit=1')) as { readonly summary: { readonly connected: number } }
  return page.summary.connected
}

async function call(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await server.send(method, path, {
    headers: { cookie: server.cookie, 'x-requested-with': 'countersign' },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
  return JSON.parse(answer.text)
}

async function residentKilobytes(): Promise<number> {
  const status = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0)
}

function rest(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, restSeconds * 1_000)
  })
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 90_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('waited a minute and a half in vain')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
