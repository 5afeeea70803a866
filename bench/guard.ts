import { openSync, writeSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { guard } from '../packages/agent/src/index.ts'
import { percentile, report, startBenchServer } from './bench-server.ts'

/**
 * What a guarded call costs an agent: judged by a ruleset of a hundred rules, both its events written to the spool, its
 * session counted, and the events delivered to a real server meanwhile. Fails when the server has not stored exactly what
 * was reported, or when the median is over the goal.
 */
const seconds = Number(process.env['BENCH_SECONDS'] ?? 15)
const goalMicros = 20
/** A busy agent, not a loop: calls come in bursts, and the deliveries of the ones before fall into them. */
const burst = 100
const pauseMs = 100
const callsPerSession = 100

const server = await startBenchServer()
const headers = { cookie: server.cookie, 'x-requested-with': 'countersign' }
await must('POST', '/api/v2/rulesets', { yaml: ruleset(100), note: 'bench' })
await must('POST', '/api/v2/rulesets/bench/rollouts', {
  version: 1,
  environment: 'production',
  note: 'bench',
  kind: 'rollout',
})
const stateDir = await mkdtemp(join(tmpdir(), 'countersign-bench-agent-'))
const g = await guard({
  url: server.url,
  key: server.key,
  agentId: 'bench',
  ruleset: 'bench',
  stateDir,
  principal: { role: 'agent' },
})

const floorFile = openSync(join(stateDir, 'floor'), 'a')
const floorLine = Buffer.alloc(850, 97)
const floor: number[] = []
let made = 0
const warmCalls = 30_000
/** Until the engine has compiled what runs: an agent is at work for hours. */
const warmBursts = 200
const call = (): Promise<number> => {
  made += 1
  const args = { invoice: `INV-${made % 1_000}`, amount_cents: made % 5_000, reason: 'duplicate charge' }
  const sessionId = `s${Math.floor(made / callsPerSession)}`
  return g.run({ tool: 'issue_refund', args, sessionId }, ({ amount_cents }) => Number(amount_cents))
}

await warmUp()
for (let warm = 0; warm < warmBursts; warm += 1) await bursts([], 20)
const before = { made, cpu: process.cpuUsage(), at: performance.now() }
const times: number[] = []
while (performance.now() - before.at < seconds * 1_000) await bursts(times)
const cpu = process.cpuUsage(before.cpu)
const calls = made - before.made
// An agent that ends now would leave the rest to the next one; the bench counts what arrived.
const patienceEnds = performance.now() + 60_000
while (g.status().unsentBytes > 0 && performance.now() < patienceEnds) await pause(50)
await g.close()
const { rows } = await server.db.query<{ count: string }>('select count(*) from events as e')
const stored = Number(rows[0]?.count)

const sorted = times.toSorted((a, b) => a - b)
const micros = (share: number): number => Number((percentile(sorted, share) * 1_000).toFixed(1))
const p50 = micros(0.5)
report('guard', {
  node: process.versions.node,
  rules: 100,
  calls,
  p50_micros: p50,
  p90_micros: micros(0.9),
  p99_micros: micros(0.99),
  goal_p50_micros: goalMicros,
  two_bare_writes_p50_micros: Number(
    (
      percentile(
        floor.toSorted((a, b) => a - b),
        0.5,
      ) * 1_000
    ).toFixed(1),
  ),
  cpu_micros_per_call_with_delivery: Number(((cpu.user + cpu.system) / calls).toFixed(1)),
  events_reported: made * 2,
  events_stored: stored,
  lost: g.status().lostEvents,
  unsent_bytes: g.status().unsentBytes,
})
await server.stop()
await rm(stateDir, { recursive: true })
if (stored !== made * 2) fail('The server has not stored exactly what was reported.')
if (p50 > goalMicros) fail('The median is over the goal.')

/** What two lines of an event's length cost to write, in the same bursts: below this no recorded call can come. */
function writeTwo(): void {
  const started = performance.now()
  writeSync(floorFile, floorLine)
  writeSync(floorFile, floorLine)
  floor.push(performance.now() - started)
}

async function bursts(into: number[], thenMs = pauseMs): Promise<void> {
  for (let at = 0; at < 10; at += 1) writeTwo()
  for (let at = 0; at < burst; at += 1) {
    const started = performance.now()
    await call()
    into.push(performance.now() - started)
  }
  await pause(thenMs)
}

/** The compiler's first minutes are not what is measured; a guard from a file warms the same code and reports nothing. */
async function warmUp(): Promise<void> {
  const file = join(stateDir, 'bench.yaml')
  await writeFile(file, ruleset(100))
  const warm = await guard({ file, principal: { role: 'agent' } })
  for (let at = 0; at < warmCalls; at += 1) {
    const args = { invoice: `INV-${at % 1_000}`, amount_cents: at % 5_000, reason: 'duplicate charge' }
    const sessionId = `w${Math.floor(at / callsPerSession)}`
    await warm.run({ tool: 'issue_refund', args, sessionId }, ({ amount_cents }) => Number(amount_cents))
  }
}

async function must(method: string, path: string, body: object): Promise<void> {
  const { status, text } = await server.send(method, path, { headers, body: JSON.stringify(body) })
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
}

function fail(why: string): void {
  process.stderr.write(`${why}\n`)
  process.exitCode = 1
}

/** A quarter of the rules is about the tool that is called; every third has a pattern. */
function ruleset(count: number): string {
  const rules = Array.from({ length: count }, (_, at) => {
    const tool = at % 4 === 0 ? 'issue_refund' : `tool_${at % 19}`
    const when = at % 3 === 0 ? `args.reason: { matches: 'fraud-${at}\\d+' }` : `args.invoice: { equals: "VOID-${at}" }`
    return `  - id: rule-${at}\n    type: pre\n    tool: ${tool}\n    when:\n      ${when}\n    then: { action: block, message: "Rule ${at} says no." }\n`
  })
  const head = 'apiVersion: edictum/v1\nkind: Ruleset\nmetadata:\n  name: bench\ndefaults:\n  mode: enforce\n'
  return `${head}tools:\n  issue_refund: { side_effect: write, idempotent: false }\nrules:\n${rules.join('')}`
}
