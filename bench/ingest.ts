import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { cpuSeconds, durability, percentile, report, startBenchServer } from './bench-server.ts'
import { rawClient } from './raw-client.ts'

/**
 * Events a second over HTTP in batches of 50, with every index, count and redaction in place, against one-row inserts
 * into the same table. Fails when more was acknowledged than is stored, or less.
 */
const seconds = Number(process.env['BENCH_SECONDS'] ?? 20)
const senders = Number(process.env['BENCH_SENDERS'] ?? 16)
const perBatch = 50
/** The first requests compile, plan and learn what any running server knows. */
const warmSeconds = 3

const server = await startBenchServer()
const tools = ['shell', 'read_file', 'write_file', 'http_get', 'sql_query', 'send_mail', 'deploy', 'search']
const actions = ['call_allowed', 'call_executed', 'call_allowed', 'call_executed', 'call_blocked', 'call_asked']
const revision = 'a'.repeat(64)
let made = 0

/** Joined from pieces, since what the load costs is not there for the server. */
function batch(agent: string, session: string): string {
  const now = new Date().toISOString()
  const events: string[] = []
  for (let n = 0; n < perBatch; n += 1) {
    made += 1
    const tool = tools[made % tools.length] ?? ''
    const action = actions[made % actions.length] ?? ''
    const isBlocked = action === 'call_blocked'
    events.push(
      `{"schema_version":"0.3.0","call_id":"${randomUUID()}","agent_id":"${agent}","tool_name":"${tool}",` +
        `"tool_args":{"command":"ls -la /srv/app/releases/${made}","path":"/srv/app","limit":50,"api_key":"[REDACTED]"},` +
        `"side_effect":"read","environment":"production",` +
        `"principal":{"user_id":"u-1","role":"engineer","claims":null},"action":"${action}",` +
        `"decision_source":${isBlocked ? '"yaml_precondition"' : null},"decision_name":${isBlocked ? `"no-${tool}"` : null},` +
        `"reason":null,"hooks_evaluated":[],` +
        `"rules_evaluated":[{"name":"no-${tool}","type":"precondition","passed":true,"message":null}],` +
        `"mode":"enforce","policy_version":"${revision}","timestamp":"${now}","run_id":"${session}","call_index":${made},` +
        `"parent_call_id":null,"session_id":"${session}","parent_session_id":null,"tool_success":true,` +
        `"postconditions_passed":null,"duration_ms":12,"error":null,"result_summary":null,"session_attempt_count":3,` +
        `"session_execution_count":2,"policy_error":false}`,
    )
  }
  return `{"events":[${events.join(',')}]}`
}

const before = await countRows()
const times: number[] = []
let acknowledged = 0
let failures = 0

async function sender(name: number, end: number): Promise<void> {
  const agent = `agent-${name}`
  const session = randomUUID()
  const client = rawClient(server.url)
  const head = [
    'POST /v1/events HTTP/1.1',
    `Host: ${new URL(server.url).host}`,
    `Authorization: Bearer ${server.key}`,
    `X-Edictum-Agent-Id: ${agent}`,
    'Content-Type: application/json',
    'Content-Length: ',
  ].join('\r\n')
  while (performance.now() < end) {
    const body = batch(agent, session)
    const sent = performance.now()
    const answer = await client.ask(`${head}${body.length}\r\n\r\n${body}`, true)
    times.push(performance.now() - sent)
    if (answer.status === 200) acknowledged += (JSON.parse(answer.text) as { accepted: number }).accepted
    else failures += 1
  }
  client.close()
}

await sendFor(warmSeconds)
const warmed = acknowledged
times.length = 0
const cpuBefore = await cpuSeconds(server)
const loadBefore = process.cpuUsage()
const begun = performance.now()
await sendFor(seconds)
const elapsed = (performance.now() - begun) / 1_000
const load = process.cpuUsage(loadBefore)
const cpu = await cpuSeconds(server)
const measured = acknowledged - warmed
const perEvent = (used: number): number => Math.round((used * 1e6) / Math.max(1, measured))
const after = await countRows()
const single = await oneRowInserts()
const sorted = times.toSorted((a, b) => a - b)
const perSecond = Math.round(measured / elapsed)
const stored = after.events - before.events
const isWhole = stored === acknowledged && after.keys - before.keys === acknowledged && after.counted === after.events

report('ingest', {
  durability: await durability(server.db),
  rows_before: before,
  rows_after: after,
  acknowledged,
  stored,
  failed_requests: failures,
  events_per_second: perSecond,
  one_row_inserts_per_second: single,
  times_one_row: Number((perSecond / single).toFixed(1)),
  ack_p50_ms: Math.round(percentile(sorted, 0.5)),
  ack_p99_ms: Math.round(percentile(sorted, 0.99)),
  cpu_us_per_event: {
    load: perEvent((load.user + load.system) / 1e6),
    server: perEvent(cpu.server - cpuBefore.server),
    database: perEvent(cpu.database - cpuBefore.database),
  },
  warm_seconds: warmSeconds,
  seconds: Number(elapsed.toFixed(1)),
})
await server.stop()
if (!isWhole || failures > 0) {
  process.stderr.write('What was acknowledged is not what is stored and counted.\n')
  process.exitCode = 1
}

async function sendFor(time: number): Promise<void> {
  const end = performance.now() + time * 1_000
  await Promise.all(Array.from({ length: senders }, (_, at) => sender(at, end)))
}

async function countRows(): Promise<{ events: number; keys: number; counted: number }> {
  const { rows } = await server.db.query<{ events: string; keys: string; counted: string }>(
    `select (select count(*) from events) as events, (select count(*) from event_keys) as keys,
            (select coalesce(sum(c.count), 0) from event_counts as c where c.cube = 0 and c.level = 2)
            + (select coalesce(sum(c.count), 0) from event_count_changes as c) as counted`,
  )
  const [row] = rows
  return { events: Number(row?.events), keys: Number(row?.keys), counted: Number(row?.counted) }
}

/** The same row, one statement and one commit each, on four connections, into a table with the same indexes. */
async function oneRowInserts(): Promise<number> {
  await server.db.query('create table bench_rows (like events including all)')
  const until = performance.now() + 5_000
  let count = 0
  const one = async (client: pg.PoolClient): Promise<void> => {
    while (performance.now() < until) {
      count += 1
      await client.query(
        `insert into bench_rows select e.tenant_id, e.at, $1, e.received_at, e.id, e.environment, e.agent, e.tool, e.verdict,
           e.mode, e.rule, e.key_prefix, e.flags, e.call_id, e.session_id, e.payload from events as e limit 1`,
        [count],
      )
    }
  }
  const clients = await Promise.all([1, 2, 3, 4].map(() => server.db.connect()))
  await Promise.all(clients.map(one))
  for (const client of clients) client.release()
  return Math.round(count / 5)
}
