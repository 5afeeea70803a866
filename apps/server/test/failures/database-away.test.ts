import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { isDatabaseGone, openDb } from '../../src/kernel/db.ts'
import { toProblem } from '../../src/kernel/http.ts'
import { eventually, openStream } from '../agent-stream.ts'
import { type TestDatabase, testDatabase } from '../database.ts'
import { fetchRuleset, rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../server.ts'
import { type DatabaseProxy, databaseProxy } from './database-proxy.ts'

let database: TestDatabase
let proxy: DatabaseProxy
let server: TestServer
let tenant: TestTenant
let key: string
/** Whatever was answered 500. */
const bugs: string[] = []

beforeAll(async () => {
  database = await testDatabase()
  proxy = await databaseProxy(database.url)
  server = await testServer({
    databaseUrl: proxy.url,
    onLog: (line) => {
      if (line.includes('bug of ours')) bugs.push(line)
    },
  })
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  await rollOutYaml(server, tenant, rulesetYaml('base'))
})
afterEach(async () => {
  proxy.restore()
  await recovered()
})
afterAll(async () => {
  await server.stop()
  await proxy.stop()
  await database.drop()
})

const notDone = 'The database cannot be reached. Nothing was changed; try again in a moment.'
const inDoubt = 'The database was lost before it could say whether this was done. Look before you try again.'

const get = (path: string): Promise<Answer> => server.call('GET', path)
const recovered = () =>
  eventually(
    () => get('/api/v1/health/ready'),
    ({ status }) => status === 200,
  )

/** Sent again and again until it is acknowledged, as SDKs do; answers all statuses on the way. */
async function deliver(callId: string, sent: Answer[]): Promise<void> {
  const body = { events: [{ call_id: callId, agent_id: 'a1', tool_name: 'read_file', verdict: 'call_allowed' }] }
  for (;;) {
    const answer = await server.call('POST', '/v1/events', { key, agent: 'a1', body })
    sent.push(answer)
    if (answer.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test('the database goes away under load and comes back: no acknowledged event is lost, none is stored twice, nothing is 500', async () => {
  const sent: Answer[] = []
  const delivered = new Set<string>()
  let isOver = false
  const sender = async (who: number): Promise<void> => {
    for (let n = 0; !isOver; n += 1) {
      await deliver(`call-${who}-${n}`, sent)
      delivered.add(`call-${who}-${n}`)
    }
  }
  const senders = [0, 1, 2, 3].map(sender)
  await eventually(
    () => delivered.size,
    (count) => count > 20,
  )
  for (let round = 0; round < 2; round += 1) {
    const before = sent.filter(({ status }) => status === 503).length
    proxy.cut()
    await eventually(
      () => sent.filter(({ status }) => status === 503).length - before,
      (count) => count >= 8,
    )
    proxy.restore()
    const known = delivered.size
    await eventually(
      () => delivered.size - known,
      (count) => count > 20,
    )
  }
  isOver = true
  await Promise.all(senders)
  expect(bugs).toEqual([])
  expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([200, 503]))
  for (const { body, headers } of sent.filter(({ status }) => status === 503)) {
    expect([notDone, inDoubt]).toContainEqual((body as { detail: string }).detail)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
  }
  const rows = await server.db.query<{ call: string }>(
    `select e.call_id as call from events as e where e.tenant_id = $1`,
    [tenant.tenant],
  )
  expect(rows.map(({ call }) => call).toSorted()).toEqual([...delivered].toSorted())
})

const gone: readonly (readonly [string, () => void])[] = [
  ['refuses connections', () => proxy.cut()],
  ['no longer answers', () => proxy.stall()],
]

test.each(gone)(
  'a database that %s: health still answers 200 within two seconds and says so, readiness is 503 with the reason',
  async (_, lose) => {
    lose()
    const begun = performance.now()
    const [health, ready, alive] = await Promise.all(['', '/ready', '/live'].map((end) => get(`/api/v1/health${end}`)))
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(health).toMatchObject({
      status: 200,
      body: { status: 'degraded', bootstrap_complete: true, database: { connected: false, latency_ms: null } },
    })
    expect(ready).toMatchObject({ status: 503, body: { status: 'not_ready', reason: 'database away' } })
    expect(alive?.status).toBe(200)
    proxy.restore()
    await recovered()
    expect((await get('/api/v1/health')).body).toMatchObject({ database: { connected: true } })
  },
)

test('without its database every door answers 503 with Retry-After in its own words, and nothing happened', async () => {
  proxy.cut()
  const agent = { key, agent: 'a1' }
  const person = { cookie: tenant.cookie }
  const doors: readonly (readonly [string, string, object])[] = [
    ['GET', '/v1/rulesets/base/current', agent],
    ['GET', '/api/v1/bundles/base/current', agent],
    ['GET', '/v1/stream', agent],
    ['POST', '/v1/approvals', { ...agent, body: { tool_name: 'deploy', message: 'May I?' } }],
    ['GET', '/v1/sessions/counter', agent],
    ['PUT', '/v1/sessions/counter', { ...agent, body: { value: '1' } }],
    ['POST', '/v1/sessions/counter/increment', { ...agent, body: { amount: 1 } }],
    ['GET', '/api/v1/keys', person],
    [
      'POST',
      '/api/v1/auth/login',
      { body: { email: tenant.email, password: server.password }, headers: { 'x-requested-with': 'x' } },
    ],
    ['GET', '/api/v2/keys', person],
    ['POST', '/api/v2/keys', { ...person, body: { environment: 'production', label: 'lost' } }],
    ['GET', '/api/v2/events', person],
    [
      'POST',
      '/api/v2/session',
      { body: { email: tenant.email, password: server.password }, headers: { 'x-requested-with': 'x' } },
    ],
  ]
  for (const [method, path, options] of doors) {
    const answer = await server.call(method, path, options)
    const what = `${method} ${path}: ${answer.status} ${answer.text}`
    expect(answer.status, what).toBe(503)
    expect(Number(answer.headers.get('retry-after')), what).toBeGreaterThan(0)
    expect(answer.body, what).toMatchObject(
      path.startsWith('/api/v2') ? { status: 503, code: 'unavailable', detail: notDone } : { detail: notDone },
    )
  }
  proxy.restore()
  await recovered()
  const keys = (await server.call('GET', '/api/v2/keys', person)).body as { items: { label: string }[] }
  expect(keys.items.map(({ label }) => label)).toEqual(['test'])
})

test('an agent keeps its stream while the database is away, and gets what is rolled out afterwards', async () => {
  const stream = await openStream(server.url, '/v1/stream?bundle_name=base', { key, agent: 'a2' })
  await stream.next(1, 'contract_update')
  proxy.cut()
  await eventually(
    () => get('/api/v1/health/ready'),
    ({ status }) => status === 503,
  )
  proxy.restore()
  await recovered()
  await rollOutYaml(server, tenant, rulesetYaml('base', 'after'))
  const updates = await stream.next(2, 'contract_update')
  expect(updates.at(-1)?.data).toMatchObject({ version: 2 })
  expect((await fetchRuleset(server, key, '/v1/rulesets/base/current', 'a2')).version).toBe(2)
  stream.close()
})

test('a statement nobody answers ends in an error instead of waiting for ever, and its connection is not used again', async () => {
  const onBrokenConnection = (): void => undefined
  const db = openDb({ url: proxy.url, applicationName: 'test', connectionsMax: 2, onBrokenConnection, answerMs: 500 })
  // Both are open before nobody answers: waiting for a new one ends in another way, and later.
  const open = await Promise.all(['1', '1'].map((one) => db.query(`select ${one} as one`)))
  expect(open).toEqual([[{ one: 1 }], [{ one: 1 }]])
  proxy.stall()
  const lost = await Promise.allSettled([db.query('select 2'), db.inTx((tx) => tx.query('select 3'))])
  for (const one of lost) expect(one.status === 'rejected' && isDatabaseGone(one.reason)).toBe(true)
  proxy.restore()
  expect(await db.query('select 4 as four')).toEqual([{ four: 4 }])
  expect(await db.inTx((tx) => tx.query('select 5 as five'))).toEqual([{ five: 5 }])
  await db.end()
})

test('where the answer to a commit, or to a statement alone, is lost, nobody is told that nothing was changed', async () => {
  const onBrokenConnection = (): void => undefined
  // The server's own periodic commits must not take the fault upon themselves.
  const apart = await databaseProxy(database.url)
  const db = openDb({ url: apart.url, applicationName: 'test', connectionsMax: 1, onBrokenConnection })
  const add = `insert into limits (scope, subject, window_start, count) values ('doubt', $1, now(), 1)`
  const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['commit', () => db.inTx((tx) => tx.query(add, ['first']))],
    ['insert', () => db.query(add, ['second'])],
  ]
  for (const [words, ask] of ways) {
    apart.loseAnswerTo(words)
    const cause = await ask().catch((error: unknown) => error)
    expect(isDatabaseGone(cause), words).toBe(true)
    expect(toProblem(cause)).toMatchObject({ detail: inDoubt, retryAfterSeconds: 2 })
  }
  apart.loseAnswerTo('select')
  expect(toProblem(await db.query('select 1').catch((error: unknown) => error))).toMatchObject({ detail: notDone })
  const rows = await db.query(`select l.subject from limits as l where l.scope = 'doubt' order by l.subject`)
  expect(rows).toEqual([{ subject: 'first' }, { subject: 'second' }])
  await db.end()
  await apart.stop()
})
