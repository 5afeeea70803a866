import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { type BenchServer, cpuSeconds, percentile, report, startBenchServer } from './bench-server.ts'

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
const shared = Buffer.alloc(65_536)

const head = Buffer.from('HTTP/1.1 200 OK\r\n')
const lengthHeader = Buffer.from('content-length: ')
const headEnd = Buffer.from('\r\n\r\n')
/** So many answers are kept whole and read; reading all would measure the reader. */
const readEvery = 100

/**
 * The smallest client there is, so that the figure is the server's: every answer's status and length are looked at as
 * they arrive in one buffer for all, and one in a hundred is read whole.
 */
function fetcher(name: number, until: number): Promise<void> {
  const { hostname, port } = new URL(server.url)
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
    let whole: Buffer[] | undefined
    const begin = (part: Buffer): void => {
      const end = part.indexOf(headEnd)
      const at = part.indexOf(lengthHeader)
      if (end < 0 || at < 0 || at > end) throw new Error('An answer whose head is not one piece')
      if (!part.subarray(0, head.length).equals(head)) wrong += 1
      bodyBytes = Number.parseInt(part.toString('latin1', at + lengthHeader.length, end), 10)
      left = end + headEnd.length + bodyBytes
      whole = times.length % readEvery === 0 ? [] : undefined
    }
    const ask = (): void => {
      sent = performance.now()
      socket.write(request, 'latin1')
    }
    const read = (length: number, buffer: Uint8Array): boolean => {
      const part = Buffer.from(buffer.buffer, buffer.byteOffset, length)
      if (left === 0) begin(part)
      whole?.push(Buffer.from(part))
      left -= length
      if (left > 0) return true
      if (left < 0 || (whole && !isRight(Buffer.concat(whole)))) wrong += 1
      left = 0
      times.push(performance.now() - sent)
      if (performance.now() < until) ask()
      else {
        socket.destroy()
        resolve()
      }
      return true
    }
    const socket = connect({
      host: hostname,
      port: Number(port),
      noDelay: true,
      onread: { buffer: shared, callback: read },
    })
    socket.on('connect', ask)
    socket.on('error', reject)
  })
}

function isRight(answer: Buffer): boolean {
  const { yaml_bytes: bytes, revision_hash: said } = JSON.parse(answer.toString('utf8', answer.indexOf(headEnd))) as {
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
