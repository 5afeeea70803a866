import { cpuSeconds, durability, percentile, report, startBenchServer } from './bench-server.ts'
import { rawClient } from './raw-client.ts'

/** Increments a second over HTTP on many counters. Fails when the counters do not add up to what was acknowledged. */
const seconds = Number(process.env['BENCH_SECONDS'] ?? 15)
const callers = Number(process.env['BENCH_CALLERS'] ?? 128)
const counters = 500

const server = await startBenchServer()
const requests = Array.from({ length: counters }, (_, at) => {
  const body = '{"amount":1}'
  return [
    `POST /v1/sessions/${encodeURIComponent(`s:bench-${at}:attempts`)}/increment HTTP/1.1`,
    `Host: ${new URL(server.url).host}`,
    `Authorization: Bearer ${server.key}`,
    'X-Edictum-Agent-Id: bench',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
})
const before = await countRows()
const times: number[] = []
let acknowledged = 0
let failures = 0
/** The first requests compile, plan and learn what any running server knows. */
const warmSeconds = 3

async function callAll(time: number): Promise<void> {
  const end = performance.now() + time * 1_000
  await Promise.all(Array.from({ length: callers }, (_, at) => caller(at, end)))
}

async function caller(name: number, end: number): Promise<void> {
  const client = rawClient(server.url)
  for (let turn = 0; performance.now() < end; turn += 1) {
    const sent = performance.now()
    const answer = await client.ask(requests[(name * 7 + turn) % counters] ?? '', false)
    times.push(performance.now() - sent)
    if (answer.status === 200) acknowledged += 1
    else failures += 1
  }
  client.close()
}

await callAll(warmSeconds)
const warmed = acknowledged
times.length = 0
const cpuBefore = await cpuSeconds(server)
const loadBefore = process.cpuUsage()
const begun = performance.now()
await callAll(seconds)
const elapsed = (performance.now() - begun) / 1_000
const load = process.cpuUsage(loadBefore)
const cpu = await cpuSeconds(server)
const measured = acknowledged - warmed
const perIncrement = (used: number): number => Math.round((used * 1e6) / Math.max(1, measured))
const after = await countRows()
const sorted = times.toSorted((a, b) => a - b)
report('sessions', {
  durability: await durability(server.db),
  rows_before: before,
  rows_after: after,
  acknowledged,
  failed_requests: failures,
  goal_per_second: 4_000,
  increments_per_second: Math.round(measured / elapsed),
  p50_ms: Math.round(percentile(sorted, 0.5)),
  p99_ms: Math.round(percentile(sorted, 0.99)),
  cpu_us_per_increment: {
    load: perIncrement((load.user + load.system) / 1e6),
    server: perIncrement(cpu.server - cpuBefore.server),
    database: perIncrement(cpu.database - cpuBefore.database),
  },
  warm_seconds: warmSeconds,
  seconds: Number(elapsed.toFixed(1)),
})
await server.stop()
if (after.sum !== acknowledged || failures > 0) {
  process.stderr.write('The counters do not hold what was acknowledged.\n')
  process.exitCode = 1
}

async function countRows(): Promise<{ rows: number; sum: number }> {
  const { rows } = await server.db.query<{ rows: string; sum: string }>(
    'select count(*) as rows, coalesce(sum(v.number), 0) as sum from agent_session_values as v',
  )
  return { rows: Number(rows[0]?.rows), sum: Number(rows[0]?.sum) }
}
