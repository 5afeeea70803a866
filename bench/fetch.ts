import { connect } from 'node:net'
import { type BenchServer, cpuSeconds, percentile, report, startBenchServer } from './bench-server.ts'

/**
 * Fetches of the current ruleset a second, over kept connections that each wait for their answer, as agents do.
 * Fails when an answer is not the whole body with the hash that was rolled out.
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

/** The smallest client there is, so that the figure is the server's: it looks for the length and counts bytes. */
function fetcher(name: number, until: number): Promise<void> {
  const { hostname, port } = new URL(server.url)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  const request = [
    'GET /v1/rulesets/bench/current HTTP/1.1',
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${server.key}`,
    `X-Edictum-Agent-Id: agent-${name}`,
    '\r\n',
  ].join('\r\n')
  return new Promise((resolve, reject) => {
    let sent = 0
    let left = 0
    let parts: Buffer[] = []
    const ask = (): void => {
      sent = performance.now()
      socket.write(request)
    }
    socket.on('connect', ask)
    socket.on('error', reject)
    socket.on('data', (part) => {
      parts.push(part)
      left -= part.length
      if (left > 0) return
      const answer = Buffer.concat(parts)
      const headEnd = answer.indexOf('\r\n\r\n')
      if (headEnd < 0) return
      const length = Number(/content-length: (\d+)/i.exec(answer.toString('latin1', 0, headEnd))?.[1] ?? 0)
      left = headEnd + 4 + length - answer.length
      if (left > 0) return
      times.push(performance.now() - sent)
      bodyBytes = length
      // Every hundredth is read whole: reading all would measure the reader.
      if (times.length % 100 === 0 && answer.indexOf(hash, headEnd) < 0) wrong += 1
      if (!answer.toString('latin1', 0, 15).includes(' 200')) wrong += 1
      parts = []
      left = 0
      if (performance.now() < until) return ask()
      socket.end()
      resolve()
    })
  })
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
