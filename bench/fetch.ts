import { createHash } from 'node:crypto'
import { type BenchServer, cpuSeconds, percentile, report, startBenchServer } from './bench-server.ts'
import { rawClient } from './raw-client.ts'

/**
 * Fetches of the current ruleset a second, over kept connections that each wait for their answer, as agents do.
 * Fails when an answer is not 200 with the announced length, or one that is read is not the text that was rolled out.
 */
const seconds = Number(process.env['BENCH_SECONDS'] ?? 10)
const connections = Number(process.env['BENCH_CONNECTIONS'] ?? 64)
const rules = Number(process.env['BENCH_RULES'] ?? 20)
const goalPerSecond = 8_000

const server = await startBenchServer()
const hash = await rollOut(server)
const times: number[] = []
let wrong = 0
let bodyBytes = 0
/** So many answers are kept whole and read; reading all would measure the reader. */
const readEvery = 100

async function fetcher(name: number, until: number): Promise<void> {
  const request = [
    'GET /v1/rulesets/bench/current HTTP/1.1',
    `Host: ${new URL(server.url).host}`,
    `Authorization: Bearer ${server.key}`,
    `X-Edictum-Agent-Id: agent-${name}`,
    '\r\n',
  ].join('\r\n')
  const client = rawClient(server.url)
  while (performance.now() < until) {
    const isRead = times.length % readEvery === 0
    const sent = performance.now()
    const answer = await client.ask(request, isRead)
    times.push(performance.now() - sent)
    bodyBytes = answer.bodyBytes
    if (answer.status !== 200 || (isRead && !isRight(answer.text))) wrong += 1
  }
  client.close()
}

function isRight(text: string): boolean {
  const { yaml_bytes: bytes, revision_hash: said } = JSON.parse(text) as {
    readonly yaml_bytes: string
    readonly revision_hash: string
  }
  return said === hash && createHash('sha256').update(Buffer.from(bytes, 'base64')).digest('hex') === hash
}

async function run(forSeconds: number): Promise<number> {
  const begun = performance.now()
  const until = begun + forSeconds * 1_000
  await Promise.all(Array.from({ length: connections }, (_, name) => fetcher(name, until)))
  return (performance.now() - begun) / 1_000
}

// What is compiled on the way is not what is measured.
await run(2)
times.length = 0
const cpuBefore = await cpuSeconds(server)
const loadBefore = process.cpuUsage()
const elapsed = await run(seconds)
const load = process.cpuUsage(loadBefore)
const cpu = await cpuSeconds(server)
const perFetch = (used: number): number => Number(((used * 1e6) / Math.max(1, times.length)).toFixed(1))
const sorted = times.toSorted((a, b) => a - b)
report('fetch', {
  goal_per_second: goalPerSecond,
  fetches_per_second: Math.round(times.length / elapsed),
  p50_ms: Number(percentile(sorted, 0.5).toFixed(1)),
  p99_ms: Number(percentile(sorted, 0.99).toFixed(1)),
  body_bytes: bodyBytes,
  connections,
  wrong_answers: wrong,
  cpu_us_per_fetch: {
    load: perFetch((load.user + load.system) / 1e6),
    server: perFetch(cpu.server - cpuBefore.server),
    database: perFetch(cpu.database - cpuBefore.database),
  },
  seconds: Number(elapsed.toFixed(1)),
})
await server.stop()
if (wrong > 0 || times.length === 0) process.exitCode = 1

async function rollOut({ cookie, send }: BenchServer): Promise<string> {
  const rule = (n: number): string => `  - id: rule-${n}
    type: pre
    tool: tool_${n}
    when:
      args.path: { contains: secret-${n} }
    then:
      action: block
      message: Not this one.
`
  const yaml = `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: bench
defaults:
  mode: enforce
rules:
${Array.from({ length: rules }, (_, n) => rule(n)).join('')}`
  const headers = { cookie, 'x-requested-with': 'countersign' }
  const made = await send('POST', '/api/v2/rulesets', { headers, body: JSON.stringify({ yaml }) })
  const live = await send('POST', '/api/v2/rulesets/bench/rollouts', {
    headers,
    body: JSON.stringify({ version: 1, environment: 'production' }),
  })
  if (made.status !== 201 || live.status !== 201) throw new Error(`No ruleset: ${made.text} ${live.text}`)
  return (JSON.parse(made.text) as { hash: string }).hash
}
