import { setTimeout } from 'node:timers/promises'
import type { ReplayDetail } from '@countersign/wire'
import { callDigest } from '../apps/server/src/features/events/index.ts'
import { cpuSeconds, durability, report, startBenchServer } from './bench-server.ts'

/**
 * A draft replayed against a recorded history of which every tenth call is different, as the console orders it. Prints rows
 * and different calls a second, and how long the server's other answers took meanwhile.
 */
const rows = Number(process.env['BENCH_ROWS'] ?? 500_000)
const distinct = Math.max(1, Math.round(rows / 10))
const ruleCount = Number(process.env['BENCH_RULES'] ?? 200)
/** Events from before digests were stored, whose payloads must all be read. */
const isOld = process.env['BENCH_OLD'] === '1'
const goal = 100_000
const tools = Array.from({ length: 20 }, (_, n) => `tool_${n}`)

const server = await startBenchServer()
const headers = { cookie: server.cookie, 'x-requested-with': 'countersign' }
await record()

const body = JSON.stringify({
  yaml: draft(),
  since: new Date(Date.now() - 86_400_000).toISOString(),
  until: new Date(Date.now() + 60_000).toISOString(),
})
const best = {
  rows_per_second: 0,
  distinct_per_second: 0,
  changed: 0,
  server_cpu_us_per_row: 0,
  database_cpu_us_per_row: 0,
}
let slowest = 0
for (let run = 0; run < 3; run += 1) {
  const before = await cpuSeconds(server)
  const { id } = JSON.parse((await server.send('POST', '/api/v2/replays', { headers, body })).text) as { id: string }
  const done = await ended(id)
  const { result } = done
  const after = await cpuSeconds(server)
  const perRow = (seconds: number): number => Number(((seconds * 1e6) / rows).toFixed(1))
  if (!result || result.counts.calls !== rows || result.counts.distinct_calls !== distinct) {
    throw new Error(`The replay is wrong: ${JSON.stringify({ ...done, result: result?.counts })}`)
  }
  if (result.rows_per_second > best.rows_per_second) {
    Object.assign(best, {
      rows_per_second: result.rows_per_second,
      distinct_per_second: result.distinct_per_second,
      changed: result.counts.newly_blocked + result.counts.newly_held,
      server_cpu_us_per_row: perRow(after.server - before.server),
      database_cpu_us_per_row: perRow(after.database - before.database),
    })
  }
}
report('replay', {
  durability: await durability(server.db),
  rows,
  distinct_calls: distinct,
  rules: ruleCount,
  ...best,
  slowest_other_answer_ms: Math.round(slowest),
})
await server.stop()
if (best.rows_per_second < goal) process.stderr.write(`Below the goal of ${goal} rows a second.\n`)

/** Waits for the end, and meanwhile asks the server something else now and then. */
async function ended(id: string): Promise<ReplayDetail> {
  for (;;) {
    await setTimeout(50)
    const asked = performance.now()
    const { text } = await server.send('GET', `/api/v2/replays/${id}`, { headers })
    slowest = Math.max(slowest, performance.now() - asked)
    const found = JSON.parse(text) as ReplayDetail
    if (found.ended_at !== null) return found
  }
}

function draft(): string {
  const rules = Array.from({ length: ruleCount }, (_, n) => {
    const when = n % 3 === 0 ? `{args.path: {matches: '/secret-${n}/.*\\.pem$'}}` : `{args.path: {contains: "/x${n}/"}}`
    return `  - {id: rule-${n}, type: pre, tool: tool_${n % 20}, when: ${when}, then: {action: ${n % 5 === 0 ? 'ask' : 'block'}, message: "no {args.path}"}}`
  })
  return `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: bench}\ndefaults: {mode: enforce}\nrules:\n${rules.join('\n')}\n`
}

/** A day of events as an SDK of the current generation sends them, some 700 bytes each, in the order of their times. */
async function record(): Promise<void> {
  const { db, tenant } = server
  const words = ['production', 'bench-agent', 'call_allowed', 'enforce', 'edk_bench', ...tools]
  await db.query(`insert into event_words (tenant_id, word) select $1, unnest($2::text[]) on conflict do nothing`, [
    tenant,
    words,
  ])
  const payloads = Array.from({ length: distinct }, (_, n) => payload(n))
  await db.query(
    `with word as (select w.word, w.id from event_words as w where w.tenant_id = $1)
     insert into events (tenant_id, at, arrival, received_at, id, environment, agent, tool, verdict, mode, rule, key_prefix,
       flags, call_id, session_id, payload, call_digest)
     select $1, now() - (($2 - n) * interval '80 milliseconds') / greatest(1, $2 / 1000000), nextval('event_arrivals'), now(),
            gen_random_uuid(), e.id, a.id, t.id, v.id, m.id, 0, k.id, 0, 'call-' || n, 'session-' || n / 50,
            replace(replace(p.payload, '$call', n::text), '$session', (n / 50)::text), p.digest
       from generate_series(0, $2 - 1) as n
       join unnest($4::text[], $5::uuid[]) with ordinality as p (payload, digest, one) on p.one = n % $3 + 1
       join word as t on t.word = 'tool_' || n % $3 % 20
       join word as e on e.word = 'production' join word as a on a.word = 'bench-agent'
       join word as v on v.word = 'call_allowed' join word as m on m.word = 'enforce' join word as k on k.word = 'edk_bench'
      order by n`,
    [tenant, rows, distinct, payloads, isOld ? payloads.map(() => null) : payloads.map((one, n) => digestOf(n, one))],
  )
  await db.query('vacuum analyze events')
}

function payload(n: number): string {
  const text = JSON.stringify
  return `{"action":"call_allowed","agent_id":"bench-agent","call_id":"call-$call","call_index":7,"decision_name":null,"decision_source":null,"environment":"production","error":null,"hooks_evaluated":[],"mode":"enforce","parent_session_id":null,"policy_error":false,"policy_version":"6f0f3e0a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7e8f901234567890abc","principal":{"claims":{},"org_id":null,"role":"developer","service_id":null,"ticket_ref":null,"user_id":"ada"},"reason":null,"rules_evaluated":[{"passed":true,"rule_id":"no-env","rule_type":"pre"}],"run_id":"run-$session","schema_version":"0.3.0","session_id":"session-$session","side_effect":"read","timestamp":"2026-03-01T00:00:00.000Z","tool_args":{"encoding":"utf-8","path":${text(`/srv/x${n % 40}/${n}/report.txt`)}},"tool_name":"tool_${n % 20}"}`
}

/** As the server stores it when an event arrives. */
function digestOf(n: number, one: string): string | undefined {
  const words = { tool: `tool_${n % 20}`, verdict: 'call_allowed', mode: 'enforce', rule: '' }
  return callDigest('production', words, one)
}
