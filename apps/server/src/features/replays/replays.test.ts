import { setTimeout } from 'node:timers/promises'
import type { ReplayDetail, RolloutPreview } from '@countersign/wire'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let acme: TestTenant
let key: string

const yaml = (word: string, name = 'guard') => `apiVersion: edictum/v1
kind: Ruleset
metadata: {name: ${name}}
defaults: {mode: enforce}
rules:
  - id: no-${word.replace('.', '')}
    type: pre
    tool: read_file
    when: {args.path: {contains: "${word}"}}
    then: {action: block, message: "no {args.path}"}
`

const since = '2026-03-01T00:00:00.000Z'
const until = '2026-03-02T00:00:00.000Z'
const at = (n: number): string => new Date(Date.parse(since) + n * 60_000).toISOString()

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  key = (await server.newKey(acme)).key
  const events = Array.from({ length: 600 }, (_, n) => ({
    call_id: `call-${n}`,
    agent_id: n % 3 === 0 ? 'reader' : 'writer',
    tool_name: 'read_file',
    action: n % 10 === 1 ? 'call_blocked' : 'call_allowed',
    ...(n % 10 === 1 ? { decision_name: 'old-rule', decision_source: 'yaml_precondition' } : {}),
    mode: 'enforce',
    timestamp: at(n),
    tool_args: n % 10 === 2 ? { path: 'x', token: 'hidden' } : { path: n % 10 === 0 ? '/srv/.env' : '/srv/readme' },
  }))
  for (const batch of [events.slice(0, 300), events.slice(300)]) {
    const answer = await server.call('POST', '/v1/events', { key, agent: 'reader', body: { events: batch } })
    expect(answer.status, answer.text).toBeLessThan(300)
  }
})

afterAll(() => server.stop())

async function request(body: object): Promise<string> {
  const answer = await server.call('POST', '/api/v2/replays', { cookie: acme.cookie, body: { since, until, ...body } })
  expect(answer.status, answer.text).toBe(201)
  return (answer.body as { id: string }).id
}

async function ended(id: string): Promise<ReplayDetail> {
  for (;;) {
    const { body } = await server.call('GET', `/api/v2/replays/${id}`, { cookie: acme.cookie })
    if ((body as ReplayDetail).ended_at !== null) return body as ReplayDetail
    // Asking without a pause would take the processor from what is waited for.
    await setTimeout(50)
  }
}

test('a draft is replayed against what was recorded, and says what would change', async () => {
  const replayed = await ended(await request({ yaml: yaml('.env') }))
  expect(replayed).toMatchObject({ status: 'done', ruleset: 'guard', version: null, failure: null })
  expect(replayed.counts).toMatchObject({
    calls: 600,
    newly_blocked: 60,
    newly_allowed: 60,
    newly_held: 0,
    undecided: 0,
    same: 480,
  })
  expect(replayed.progress).toMatchObject({ rows_read: 600, rows_total: 600 })
  expect(replayed.result?.rules.map(({ rule }) => rule).sort()).toEqual(['no-env', 'old-rule'])
  expect(replayed.result?.samples[0]).toMatchObject({
    change: 'newly_blocked',
    rule: 'no-env',
    args: { path: '/srv/.env' },
    now: { verdict: 'block', message: 'no /srv/.env' },
    count: 60,
  })
  const bars = replayed.result?.histogram.buckets ?? []
  expect(bars.reduce((sum, bar) => sum + bar.newly_blocked, 0)).toBe(60)
})

test('a replay keeps to its environment, agents, tools and times', async () => {
  const narrow = await ended(await request({ yaml: yaml('.env'), until: at(100) }))
  expect(narrow.counts?.calls).toBe(100)
  // The agent of the request's header is the agent of all its events.
  expect((await ended(await request({ yaml: yaml('.env'), agents: ['read*'] }))).counts?.calls).toBe(600)
  expect((await ended(await request({ yaml: yaml('.env'), agents: ['nobody'] }))).counts?.calls).toBe(0)
  expect((await ended(await request({ yaml: yaml('.env'), environment: 'staging' }))).counts?.calls).toBe(0)
  expect((await ended(await request({ yaml: yaml('.env'), tools: ['read_*'] }))).counts?.calls).toBe(600)
})

test('a revision keeps its replays, also those of its draft, and a rollout offers the newest', async () => {
  const draft = await request({ yaml: yaml('readme', 'kept') })
  await ended(draft)
  await server.call('POST', '/api/v2/rulesets', { cookie: acme.cookie, body: { yaml: yaml('readme', 'kept') } })
  const again = await request({ ruleset: 'kept', version: 1 })
  await ended(again)
  const { body } = await server.call('GET', '/api/v2/replays?ruleset=kept&version=1', { cookie: acme.cookie })
  expect((body as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([again, draft])
  const preview = await server.call('POST', '/api/v2/rulesets/kept/rollouts/preview', {
    cookie: acme.cookie,
    body: { version: 1, environment: 'production' },
  })
  expect((preview.body as RolloutPreview).newest_replay).toMatchObject({ id: again, status: 'done' })
})

test('two revisions are compared with each other when a baseline is given', async () => {
  await server.call('POST', '/api/v2/rulesets', { cookie: acme.cookie, body: { yaml: yaml('readme', 'base') } })
  const replayed = await ended(await request({ yaml: yaml('.env'), baseline: { ruleset: 'base', version: 1 } }))
  expect(replayed.counts).toMatchObject({ newly_blocked: 60, same: 60 })
  expect(replayed.counts?.newly_allowed).toBe(480)
})

test('a document that is refused, a range that is none and a revision that is not there start nothing', async () => {
  const bad = [
    { yaml: 'kind: [', since },
    { yaml: yaml('x'), since: until, until: since },
    { yaml: yaml('x'), ruleset: 'guard', version: 1, since },
    { since },
  ]
  for (const body of bad) {
    const answer = await server.call('POST', '/api/v2/replays', { cookie: acme.cookie, body })
    expect(answer.status, answer.text).toBe(422)
  }
  const missing = await server.call('POST', '/api/v2/replays', {
    cookie: acme.cookie,
    body: { yaml: yaml('x'), since, baseline: { ruleset: 'nobody', version: 1 } },
  })
  expect(missing.status).toBe(404)
})

/** Nobody reads an event meanwhile, so that a replay under way stays under way. */
async function whileEventsCannotBeRead(work: () => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: server.database.superuserUrl })
  await client.connect()
  try {
    await client.query('begin')
    await client.query('lock table events in access exclusive mode')
    await work()
  } finally {
    await client.end()
  }
}

async function detail(id: string): Promise<ReplayDetail> {
  return (await server.call('GET', `/api/v2/replays/${id}`, { cookie: acme.cookie })).body as ReplayDetail
}

const cancel = (id: string) => server.call('POST', `/api/v2/replays/${id}/cancellation`, { cookie: acme.cookie })

test('a replay under way is cancelled without an end to wait for, one that waits at once, and both acts are in the trail', async () => {
  await whileEventsCannotBeRead(async () => {
    const [running, waiting] = [await request({ yaml: yaml('.env') }), await request({ yaml: yaml('.env') })]
    await vi.waitFor(async () => expect((await detail(running)).status).toBe('running'), { timeout: 20_000 })
    expect((await detail(waiting)).status).toBe('queued')
    expect((await cancel(waiting)).status).toBe(200)
    expect(await detail(waiting)).toMatchObject({ status: 'cancelled', result: null })
    expect((await cancel(running)).status).toBe(200)
    expect(await ended(running)).toMatchObject({ status: 'cancelled', result: null, failure: null })
    for (const id of [running, waiting]) {
      expect((await cancel(id)).status).toBe(409)
      const rows = await server.db.query<{ act: string }>(
        `select e.act from trail_entries as e where e.subject_kind = 'replay' and e.subject_id = $1 order by e.at`,
        [id],
      )
      expect(rows.map(({ act }) => act)).toEqual(['replay.requested', 'replay.cancelled'])
    }
  })
  // What was cancelled keeps nothing from being replayed.
  expect(await ended(await request({ yaml: yaml('.env') }))).toMatchObject({ status: 'done' })
})

test('a replay whose runner died is taken up by another and done from the start', async () => {
  const id = await request({ yaml: yaml('.env', 'orphan') })
  await ended(id)
  await server.db.query(
    `update replays as r set status = 'running', result = null, ended_at = null, runner_id = gen_random_uuid(),
            lease_until = '2020-01-01', rows_read = 17 where r.tenant_id = $1 and r.id = $2`,
    [acme.tenant, id],
  )
  expect(await ended(id)).toMatchObject({ status: 'done', counts: { calls: 600 } })
})

test('one that ends its process again and again fails, and one that was to be cancelled is cancelled', async () => {
  const [first, second] = [await request({ yaml: yaml('a', 'x1') }), await request({ yaml: yaml('b', 'x2') })]
  await ended(first)
  await ended(second)
  const lost = `update replays as r set status = 'running', result = null, ended_at = null,
    runner_id = gen_random_uuid(), lease_until = '2020-01-01'`
  await server.db.query(`${lost}, attempts = 3 where r.tenant_id = $1 and r.id = $2`, [acme.tenant, first])
  await server.db.query(`${lost}, is_cancelling = true where r.tenant_id = $1 and r.id = $2`, [acme.tenant, second])
  expect(await ended(first)).toMatchObject({ status: 'failed', failure: expect.stringContaining('process') as string })
  expect(await ended(second)).toMatchObject({ status: 'cancelled', result: null })
})

test('events from before digests were kept are replayed to the same end, alone and among newer ones', async () => {
  const outcome = async () => {
    const { result } = await ended(await request({ yaml: yaml('.env') }))
    const { rows_per_second: _rows, distinct_per_second: _distinct, ...rest } = result ?? {}
    return rest
  }
  const newer = await outcome()
  const client = new pg.Client({ connectionString: server.database.superuserUrl })
  await client.connect()
  try {
    const digests = await client.query<{ count: string }>('select count(distinct call_digest) from events')
    expect(Number(digests.rows[0]?.count)).toBe(4)
    await client.query('update events set call_digest = null where hashtext(call_id) % 2 = 0')
    expect(await outcome()).toEqual(newer)
    await client.query('update events set call_digest = null')
    expect(await outcome()).toEqual(newer)
  } finally {
    await client.end()
  }
})
