import { durability, percentile, report, startBenchServer } from './bench-server.ts'

/** Increments a second over HTTP on many counters. Fails when the counters do not add up to what was acknowledged. */
const seconds = Number(process.env['BENCH_SECONDS'] ?? 15)
const callers = Number(process.env['BENCH_CALLERS'] ?? 128)
const counters = 500

const server = await startBenchServer()
const headers = { authorization: `Bearer ${server.key}`, 'x-edictum-agent-id': 'bench' }
const body = '{"amount":1}'
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
  for (let turn = 0; performance.now() < end; turn += 1) {
    const key = encodeURIComponent(`s:bench-${(name * 7 + turn) % counters}:attempts`)
    const sent = performance.now()
    const answer = await server.send('POST', `/v1/sessions/${key}/increment`, { body, headers })
    times.push(performance.now() - sent)
    if (answer.status === 200) acknowledged += 1
    else failures += 1
  }
}

await callAll(warmSeconds)
const warmed = acknowledged
times.length = 0
const begun = performance.now()
await callAll(seconds)
const elapsed = (performance.now() - begun) / 1_000
const after = await countRows()
const sorted = times.toSorted((a, b) => a - b)
report('sessions', {
  durability: await durability(server.db),
  rows_before: before,
  rows_after: after,
  acknowledged,
  failed_requests: failures,
  increments_per_second: Math.round((acknowledged - warmed) / elapsed),
  p50_ms: Math.round(percentile(sorted, 0.5)),
  p99_ms: Math.round(percentile(sorted, 0.99)),
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
