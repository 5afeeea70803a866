import { durability, percentile, report, startBenchServer } from './bench-server.ts'

/**
 * How long after a decision the waiting agent knows of it: many agents wait with `?wait=` while their requests are
 * decided one after the other. The goal counts from the moment the person is told that it is decided; from the moment
 * they send it, which includes checking, recording and committing, is told beside it.
 * Fails when an agent was told something else than was decided, or not at all.
 */
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 10)
const waiting = Number(process.env['BENCH_WAITING'] ?? 50)
const goalMs = 50

const server = await startBenchServer()
const person = { cookie: server.cookie, 'x-requested-with': 'countersign' }
await server.send('PUT', '/api/v2/settings/approvals.per_minute', {
  headers: person,
  body: JSON.stringify({ value: 10_000 }),
})

const told: number[] = []
const afterAnswer: number[] = []
const decisions: number[] = []
let wrong = 0

const agentOf = (n: number) => ({ authorization: `Bearer ${server.key}`, 'x-edictum-agent-id': `agent-${n}` })

async function ask(n: number): Promise<string> {
  const body = JSON.stringify({
    tool_name: 'deploy',
    tool_args: { service: `service-${n}`, version: 'v2', token: 'hidden' },
    message: `Deploy service-${n}?`,
    timeout: 300,
  })
  const answer = await server.send('POST', '/v1/approvals', { headers: agentOf(n), body })
  if (answer.status !== 201) throw new Error(`No approval: ${answer.status} ${answer.text}`)
  return (JSON.parse(answer.text) as { id: string }).id
}

async function wait(n: number, id: string): Promise<{ status: string; at: number }> {
  for (;;) {
    const answer = await server.send('GET', `/v1/approvals/${id}?wait=20`, { headers: agentOf(n) })
    const { status } = JSON.parse(answer.text) as { status: string }
    if (status !== 'pending') return { status, at: performance.now() }
  }
}

/** All of them wait when each has been noted as polled. */
async function untilPolled(ids: readonly string[]): Promise<void> {
  for (;;) {
    const { rows } = await server.db.query<{ count: string }>(
      `select count(*) as count from approvals as a where a.id = any($1::uuid[]) and a.last_polled_at is not null`,
      [ids],
    )
    if (Number(rows[0]?.count) === ids.length) return
  }
}

const rowsBefore = await countRows()
for (let round = 0; round < rounds; round += 1) {
  const ids = await Promise.all(Array.from({ length: waiting }, (_, n) => ask(n)))
  const waits = ids.map((id, n) => wait(n, id))
  await untilPolled(ids)
  for (const [n, id] of ids.entries()) {
    const approve = n % 2 === 0
    const sent = performance.now()
    const decided = await server.send('POST', `/api/v2/approvals/${id}/decision`, {
      headers: person,
      body: JSON.stringify({ approve, reason: 'bench' }),
    })
    const answered = performance.now()
    const heard = await waits[n]
    if (decided.status !== 200 || heard?.status !== (approve ? 'approved' : 'denied')) wrong += 1
    if (heard === undefined) continue
    decisions.push(answered - sent)
    told.push(heard.at - sent)
    afterAnswer.push(heard.at - answered)
  }
}

const sorted = (times: readonly number[]): number[] => times.toSorted((a, b) => a - b)
const tenths = (milliseconds: number): number => Math.round(milliseconds * 10) / 10
const p99 = tenths(percentile(sorted(afterAnswer), 0.99))
report('approvals', {
  durability: await durability(server.db),
  rows_before: rowsBefore,
  rows_after: await countRows(),
  waiting_at_once: waiting,
  decided: told.length,
  told_wrong: wrong,
  sent_to_told_p50_ms: tenths(percentile(sorted(told), 0.5)),
  sent_to_told_p99_ms: tenths(percentile(sorted(told), 0.99)),
  decision_itself_p50_ms: tenths(percentile(sorted(decisions), 0.5)),
  answered_to_told_p50_ms: tenths(percentile(sorted(afterAnswer), 0.5)),
  answered_to_told_p99_ms: p99,
  goal_p99_ms: goalMs,
  is_goal_met: p99 <= goalMs,
})
await server.stop()
if (wrong > 0 || told.length !== rounds * waiting) {
  process.stderr.write('An agent was told something else than was decided, or nothing.\n')
  process.exitCode = 1
}

async function countRows(): Promise<{ approvals: number; trail: number }> {
  const { rows } = await server.db.query<{ approvals: string; trail: string }>(
    `select (select count(*) from approvals) as approvals, (select count(*) from trail_entries) as trail`,
  )
  return { approvals: Number(rows[0]?.approvals), trail: Number(rows[0]?.trail) }
}
