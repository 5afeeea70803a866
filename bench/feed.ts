import { setTimeout as pause } from 'node:timers/promises'
import { durability, percentile, report, startBenchServer } from './bench-server.ts'

/**
 * First page, facets and histogram of the feed, unfiltered and under every filter of one and two dimensions, over ten
 * million events of a month; through the API, one request after another.
 */
const events = Number(process.env['BENCH_EVENTS'] ?? 10_000_000)
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3)
const perStep = 100_000
const days = 30

const server = await startBenchServer()
const { db, tenant } = server
const dimensions = {
  agent: Array.from({ length: 200 }, (_, at) => `agent-${at}`),
  tool: Array.from({ length: 40 }, (_, at) => `tool-${at}`),
  environment: ['production', 'staging', 'development'],
  verdict: ['call_allowed', 'call_executed', 'call_blocked', 'call_asked', 'call_failed', 'call_would_block'],
  mode: ['enforce', 'observe'],
  rule: Array.from({ length: 60 }, (_, at) => `rule-${at}`),
}

await db.query(
  `insert into event_words (tenant_id, word) select $1, w.word from unnest($2::text[]) as w (word) on conflict do nothing`,
  [tenant, Object.values(dimensions).flat()],
)
const { rows: words } = await db.query<{ id: number; word: string }>(
  'select w.id, w.word from event_words as w where w.tenant_id = $1',
  [tenant],
)
const numbers = new Map(words.map(({ id, word }) => [word, id]))
const idsOf = (list: readonly string[]): number[] => list.map((word) => numbers.get(word) ?? 0)

/** Loading takes longer than a session that nobody uses lives. */
const staySignedIn = (): Promise<unknown> =>
  server.send('GET', '/api/v2/session', { headers: { cookie: server.cookie } })

const begun = performance.now()
await db.query('select make_event_partition(now())')
for (let from = 0; from < events; from += perStep) {
  await staySignedIn()
  const count = Math.min(perStep, events - from)
  // An agent uses ten tools and a rule belongs to a tool, as in life.
  await db.query(
    `with made as (
       select n, now() - ($9::int * interval '1 day') * (n::float8 / $10) as at,
              (hashint8(n) & 2147483647) as one, (hashint8(n * 7919) & 2147483647) as other
         from generate_series($2::int8, $2::int8 + $3::int8 - 1) as n
     ), events_made as (
       insert into events (tenant_id, at, arrival, received_at, id, environment, agent, tool, verdict, mode, rule,
                           key_prefix, flags, call_id, session_id, payload)
       select $1, m.at, nextval('event_arrivals'), now(), gen_random_uuid(),
              ($6::int[])[1 + (m.one % 200) % 3], ($4::int[])[1 + m.one % 200],
              ($5::int[])[1 + (m.one % 200 + m.other % 10) % 40], ($7::int[])[1 + (m.other / 16) % 6],
              ($8::int[])[1 + ((m.other / 128) % 8 = 0)::int],
              case when (m.other / 16) % 6 in (2, 3, 5) then ($11::int[])[1 + (m.one % 200 + m.other % 10) % 40] else 0 end,
              0, 0, 'call-' || (m.n / 3), 'session-' || (m.n / 300),
              '{"action":"call_allowed","mode":"enforce","reason":null,"tool_args":{"command":"ls -la /srv/app/releases/' || m.n
                || '","path":"/srv/app"},"timestamp":"2026-01-01T00:00:00Z","text":"' || repeat('x', 300) || '"}'
         from made as m
       returning tenant_id, at, environment, agent, tool, verdict, mode, rule
     )
     insert into event_count_changes (tenant_id, minute, environment, agent, tool, verdict, mode, rule, count)
     select e.tenant_id, date_trunc('minute', e.at, 'UTC'), e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule, count(*)
       from events_made as e group by 1, 2, 3, 4, 5, 6, 7, 8 order by 2`,
    [
      tenant,
      from,
      count,
      idsOf(dimensions.agent),
      idsOf(dimensions.tool),
      idsOf(dimensions.environment),
      idsOf(dimensions.verdict),
      idsOf(dimensions.mode),
      days,
      events,
      idsOf(dimensions.rule),
    ],
  )
}
for (;;) {
  // Only so far: counting millions each second would keep the folding from ever ending.
  const { rows } = await db.query<{ count: string }>(
    'select count(*) as count from (select from event_count_changes limit 40000) as w',
  )
  if (Number(rows[0]?.count) < 40_000) break
  await staySignedIn()
  await pause(1_000)
}
await db.query('analyze events')
await db.query('analyze event_counts')
const loadedSeconds = Math.round((performance.now() - begun) / 1_000)

const sizeOf = async (table: string): Promise<string> => {
  const { rows } = await db.query<{ size: string }>(`select pg_size_pretty(pg_total_relation_size($1)) as size`, [
    table,
  ])
  return rows[0]?.size ?? ''
}
const waitingSizes = [await sizeOf('event_count_changes')]

const since = new Date(Date.now() - days * 86_400_000).toISOString()
const names = Object.keys(dimensions) as (keyof typeof dimensions)[]
const singles = names.map((name) => ({ [name]: dimensions[name][1] ?? '' }))
const pairs = names.flatMap((one, at) =>
  names.slice(at + 1).map((other) => ({ [one]: dimensions[one][1] ?? '', [other]: dimensions[other][1] ?? '' })),
)
const filters: readonly Readonly<Record<string, string>>[] = [{}, ...singles, ...pairs]
const paths = { page: '/api/v2/events', facets: '/api/v2/events/facets', histogram: '/api/v2/events/histogram' }
const figures: Record<string, unknown> = {}

for (const [name, path] of Object.entries(paths)) {
  const times: { readonly ms: number; readonly filter: string }[] = []
  for (let round = 0; round <= rounds; round += 1) {
    for (const filter of filters) {
      const query = new URLSearchParams({ ...filter, since }).toString()
      const sent = performance.now()
      const answer = await server.send('GET', `${path}?${query}`, { headers: { cookie: server.cookie } })
      if (answer.status !== 200) throw new Error(`${path}?${query}: ${answer.status} ${answer.text}`)
      // The first round warms what any running server has warm.
      if (round > 0) times.push({ ms: performance.now() - sent, filter: query.replace(/&?since=.*/, '') })
    }
  }
  const sorted = times.toSorted((a, b) => a.ms - b.ms)
  figures[`${name}_p50_ms`] = Math.round(
    percentile(
      sorted.map(({ ms }) => ms),
      0.5,
    ),
  )
  figures[`${name}_p95_ms`] = Math.round(
    percentile(
      sorted.map(({ ms }) => ms),
      0.95,
    ),
  )
  figures[`${name}_slowest`] = sorted.slice(-3).map(({ ms, filter }) => `${Math.round(ms)} ms ${filter}`)
}

waitingSizes.push(await sizeOf('event_count_changes'))

const { rows: wrong } = await db.query<{ differences: string }>(
  `with plain as (
     select e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule, count(*) as count
       from events as e where e.tenant_id = $1 group by 1, 2, 3, 4, 5, 6
   ), kept as (
     select n.environment, n.agent, n.tool, n.verdict, n.mode, n.rule, sum(n.count) as count
       from (select c.environment, c.agent, c.tool, c.verdict, c.mode, c.rule, c.count
               from event_counts as c where c.tenant_id = $1 and c.cube = 4 and c.level = 2
             union all
             select c.environment, c.agent, c.tool, c.verdict, c.mode, c.rule, c.count
               from event_count_changes as c where c.tenant_id = $1) as n
      group by 1, 2, 3, 4, 5, 6
   )
   select count(*) as differences
     from plain as p full join kept as k using (environment, agent, tool, verdict, mode, rule)
    where p.count is distinct from k.count`,
  [tenant],
)
const differences = Number(wrong[0]?.differences)

const { rows: sizes } = await db.query<{ events: string; counts: string; bytes: string }>(
  `select (select count(*) from events) as events, (select count(*) from event_counts) as counts,
          pg_size_pretty(pg_total_relation_size('event_counts')) as bytes`,
)
report('feed', {
  durability: await durability(db),
  events: Number(sizes[0]?.events),
  count_rows: Number(sizes[0]?.counts),
  count_size: sizes[0]?.bytes,
  waiting_size_before_and_after: waitingSizes,
  loaded_in_seconds: loadedSeconds,
  counts_that_differ_from_the_events: differences,
  ...figures,
})
await server.stop()
if (differences > 0) process.exitCode = 1
