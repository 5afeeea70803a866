import type { Rollout, RolloutDetail, RolloutPreview } from '@countersign/wire'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openStream } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { fetchRuleset, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../../../test/server.ts'

let database: TestDatabase
let server: TestServer
let tenant: TestTenant

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})
beforeEach(async () => {
  tenant = await server.newTenant()
  for (const text of ['one', 'two', 'three']) await upload(rulesetYaml('base', text))
})

const upload = (yaml: string): Promise<Answer> =>
  server.call('POST', '/api/v2/rulesets', { cookie: tenant.cookie, body: { yaml } })
const rollOut = (version: number, environment = 'production', more: object = {}, by = tenant): Promise<Answer> =>
  server.call('POST', '/api/v2/rulesets/base/rollouts', {
    cookie: by.cookie,
    body: { version, environment, ...more },
  })
const made = async (version: number, environment = 'production', more: object = {}): Promise<Rollout> => {
  const answer = await rollOut(version, environment, more)
  expect(answer.status, answer.text).toBe(201)
  return answer.body as Rollout
}
const get = (path: string, by = tenant): Promise<Answer> => server.call('GET', `/api/v2${path}`, { cookie: by.cookie })
const detail = async (id: string): Promise<RolloutDetail> => (await get(`/rollouts/${id}`)).body as RolloutDetail

test('a rollout says what it is, what it followed, who made it and why', async () => {
  const first = await made(1, 'production', { note: 'the first' })
  expect(first).toMatchObject({ version: 1, kind: 'rollout', note: 'the first', previous_version: null })
  expect(first).toMatchObject({ is_current: true, by: { label: tenant.email } })
  expect(await made(2)).toMatchObject({ kind: 'rollout', previous_version: 1 })
  expect(await made(1)).toMatchObject({ kind: 'rollback', previous_version: 2, note: null })
  expect(await made(1, 'staging')).toMatchObject({ kind: 'promotion', previous_version: null })
  expect(await detail(first.id)).toMatchObject({ is_current: false })
})

test('a promotion brings the same version, hash and bytes to the other environment', async () => {
  const here = await made(2, 'staging')
  const there = await made(2, 'production', { kind: 'promotion' })
  expect([there.hash, there.revision_id, there.version]).toEqual([here.hash, here.revision_id, here.version])
})

test('a revision, ruleset or environment that is not there cannot be rolled out, and nothing is written', async () => {
  expect((await rollOut(9)).status).toBe(404)
  const elsewhere = await rollOut(1, 'nowhere')
  expect(elsewhere.status).toBe(422)
  expect(elsewhere.body).toMatchObject({ errors: [{ path: 'body.environment' }] })
  const old = await server.call('POST', '/api/v1/bundles/base/9/deploy', {
    cookie: tenant.cookie,
    body: { env: 'production' },
  })
  expect(old.status).toBe(422)
  expect(old.body).toEqual({ detail: "Bundle 'base' version 9 not found" })
  const nowhere = await server.call('POST', '/api/v1/bundles/base/1/deploy', {
    cookie: tenant.cookie,
    body: { env: 'nowhere' },
  })
  expect(nowhere.body).toEqual({ detail: [{ loc: ['body', 'env'], msg: 'There is no environment nowhere.' }] })
  for (const body of [
    {},
    { version: 1 },
    { version: 0, environment: 'production' },
    { version: 1, environment: 'production', x: 1 },
  ]) {
    const answer = await server.call('POST', '/api/v2/rulesets/base/rollouts', { cookie: tenant.cookie, body })
    expect(answer.status).toBe(422)
  }
  expect((await get('/rollouts')).body).toEqual({ items: [], next_cursor: null })
})

test('an environment in which something is live cannot be removed', async () => {
  await made(1, 'staging')
  const refused = await server.call('DELETE', '/api/v2/environments/staging', { cookie: tenant.cookie })
  expect(refused.status).toBe(409)
  expect((await server.call('DELETE', '/api/v2/environments/development', { cookie: tenant.cookie })).status).toBe(200)
})

test('whoever decided on what is no longer live is told so instead of undoing another’s rollout', async () => {
  await made(1)
  expect((await rollOut(3, 'production', { expected_current_version: null })).status).toBe(409)
  await made(2, 'production', { expected_current_version: 1 })
  const late = await rollOut(3, 'production', { expected_current_version: 1 })
  expect(late.status).toBe(409)
  expect(late.body).toMatchObject({ current_version: 2 })
})

test('rollouts that race follow one another, and the last one is what is served', async () => {
  const { key } = await server.newKey(tenant)
  const versions = [1, 2, 3, 2, 1, 3, 2, 1]
  await Promise.all(versions.map((version) => made(version)))
  const { items } = (await get('/rollouts')).body as { items: Rollout[] }
  expect(items).toHaveLength(versions.length)
  expect(items.filter(({ is_current }) => is_current)).toHaveLength(1)
  expect(items[0]?.is_current).toBe(true)
  for (const [n, one] of items.entries()) expect(one.previous_version).toBe(items[n + 1]?.version ?? null)
  const fetched = await fetchRuleset(server, key, '/v1/rulesets/base/current')
  expect(fetched.version).toBe(items[0]?.version)
})

test('a rollout that fails at its last step left nothing: no row, no signature, no word to anybody', async () => {
  const before = await server.db.query(`select from outbox as o where o.topic = 'rollout.created'`)
  const superuser = new pg.Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  const waiting = `select l.pid from pg_locks as l
    where not l.granted and l.relation = 'trail_entries'::regclass
      and l.database = (select d.oid from pg_database as d where d.datname = current_database())`
  // Another transaction holds the trail, so the rollout waits at its last step; there its connection is cut.
  await superuser.query('begin')
  await superuser.query('lock table trail_entries in share mode')
  const order = rollOut(1)
  await vi.waitFor(async () => expect((await superuser.query(waiting)).rowCount).toBeGreaterThan(0), 5_000)
  await superuser.query(`select pg_terminate_backend(w.pid) from (${waiting}) as w`)
  await superuser.query('rollback')
  await superuser.end()
  expect((await order).status).toBe(503)
  expect((await get('/rollouts')).body).toEqual({ items: [], next_cursor: null })
  expect(await server.db.query(`select from rollout_signatures as s where s.tenant_id = $1`, [tenant.tenant])).toEqual(
    [],
  )
  expect(await server.db.query(`select from outbox as o where o.topic = 'rollout.created'`)).toHaveLength(before.length)
})

test('the list goes newest first, page by page, by ruleset, environment, person and time', async () => {
  for (const version of [1, 2, 3]) await made(version)
  await made(1, 'staging')
  const page = async (query: string) =>
    (await get(`/rollouts?${query}`)).body as { items: Rollout[]; next_cursor: string | null }
  const first = await page('limit=3')
  expect(first.items.map(({ environment, version }) => `${environment} ${version}`)).toEqual([
    'staging 1',
    'production 3',
    'production 2',
  ])
  const second = await page(`limit=3&cursor=${first.next_cursor}`)
  expect(second.items.map(({ version }) => version)).toEqual([1])
  expect(second.next_cursor).toBeNull()
  expect((await page('environment=staging')).items).toHaveLength(1)
  expect((await page('ruleset=other')).items).toEqual([])
  expect((await page(`by=${tenant.person}`)).items).toHaveLength(4)
  const times = [...first.items, ...second.items].map(({ at }) => at)
  expect((await page(`until=${encodeURIComponent(times.at(-1) ?? '')}`)).items).toEqual([])
  expect((await get('/rollouts?cursor=x')).status).toBe(422)
})

test('a preview shows the difference and whom it will reach, and writes nothing', async () => {
  await made(1)
  const { key } = await server.newKey(tenant)
  const stream = await openStream(server.url, '/v1/stream?bundle_name=base', { key, agent: 'seen' })
  await vi.waitFor(async () => {
    const preview = (
      await server.call('POST', '/api/v2/rulesets/base/rollouts/preview', {
        cookie: tenant.cookie,
        body: { version: 2, environment: 'production' },
      })
    ).body as RolloutPreview
    expect(preview).toMatchObject({
      kind: 'rollout',
      is_protected: true,
      current: { version: 1 },
      connected_count: 1,
      agents: [{ agent_id: 'seen', is_connected: true }],
      semantic: { is_same: false, document: [{ field: 'description', before: 'one', after: 'two' }] },
      signing_key_count: 1,
    })
    expect(preview.before_yaml).toContain('one')
    expect(preview.after_yaml).toContain('two')
  }, 5_000)
  stream.close()
  expect(((await get('/rollouts')).body as { items: object[] }).items).toHaveLength(1)
})

test('an agent is sent, then fetched, then running, and running only by its own word', async () => {
  await made(1)
  const { key } = await server.newKey(tenant)
  const stream = await openStream(server.url, '/v1/stream?bundle_name=base', { key, agent: 'a1' })
  await stream.next(1, 'contract_update')
  const { id } = await made(2)
  const update = (await stream.next(2, 'contract_update')).at(-1)
  const stateOfA1 = async () => (await detail(id)).agents.find(({ agent_id }) => agent_id === 'a1')?.state
  await vi.waitFor(async () => expect(await stateOfA1()).toBe('sent'), 5_000)
  await fetchRuleset(server, key, '/v1/rulesets/base/current')
  await vi.waitFor(async () => expect(await stateOfA1()).toBe('fetched'), 5_000)
  const said = await server.call('POST', '/v1/events', {
    key,
    agent: 'a1',
    body: {
      events: [
        {
          call_id: 'c1',
          agent_id: 'a1',
          tool_name: 't',
          action: 'call_allowed',
          mode: 'enforce',
          policy_version: update?.data['revision_hash'],
          timestamp: server.clock.now().toISOString(),
        },
      ],
    },
  })
  expect(said.status).toBe(200)
  await vi.waitFor(async () => expect(await stateOfA1()).toBe('running'), 5_000)
  expect((await detail(id)).counts).toMatchObject({ total: 1, running: 1 })
  stream.close()
})

test('an agent whose clock is slow counts as running what is new, but not what was live before and is again', async () => {
  const { key } = await server.newKey(tenant)
  const long = new Date(server.clock.now().getTime() - 3_600_000).toISOString()
  const say = async (hash: string, timestamp: string): Promise<void> => {
    const event = { agent_id: 'slow', tool_name: 't', action: 'call_allowed', mode: 'enforce', policy_version: hash }
    const events = [{ ...event, call_id: `${hash} ${timestamp}`, timestamp }]
    expect((await server.call('POST', '/v1/events', { key, agent: 'slow', body: { events } })).status).toBe(200)
  }
  const running = async (id: string) => (await detail(id)).counts.running
  const first = await made(1)
  await say(first.hash, long)
  await vi.waitFor(async () => expect(await running(first.id)).toBe(1), 5_000)
  await made(2)
  const back = await made(1)
  await say(first.hash, new Date(Date.parse(back.at) - 1_000).toISOString())
  await say(first.hash, server.clock.now().toISOString())
  await vi.waitFor(async () => expect(await running(back.id)).toBe(1), 5_000)
  const { agents } = await detail(back.id)
  expect(Date.parse(agents[0]?.since ?? '')).toBeGreaterThanOrEqual(Date.parse(back.at))
})

test('what belongs to another tenant does not exist, and needs a credential', async () => {
  const { id } = await made(1)
  const other = await server.newTenant()
  expect((await get(`/rollouts/${id}`, other)).status).toBe(404)
  expect((await get('/rollouts', other)).body).toEqual({ items: [], next_cursor: null })
  expect((await rollOut(1, 'production', {}, other)).status).toBe(404)
  for (const [method, path] of [
    ['GET', '/rollouts'],
    ['GET', `/rollouts/${id}`],
    ['POST', '/rulesets/base/rollouts'],
    ['POST', '/rulesets/base/rollouts/preview'],
  ] as const) {
    expect((await server.call(method, `/api/v2${path}`, { body: method === 'POST' ? {} : undefined })).status).toBe(401)
  }
  const { key } = await server.newKey(other)
  expect((await server.call('GET', '/v1/rulesets/base/current', { key })).status).toBe(404)
})

test('a rollout is in the trail with its hashes and the keys it was signed with', async () => {
  const { id, hash } = await made(2, 'staging', { note: 'why' })
  const [row] = await server.db.query<{ bytes: Buffer }>(
    `select e.bytes from trail_entries as e where e.tenant_id = $1 and e.act = 'ruleset.rolled_out'`,
    [tenant.tenant],
  )
  expect(JSON.parse(row?.bytes.toString() ?? '{}')).toMatchObject({
    actor: { kind: 'person', id: tenant.person },
    subject: { kind: 'ruleset', id: 'base' },
    details: { rollout_id: id, environment: 'staging', version: 2, note: 'why', hashes: { ruleset: hash } },
  })
})

test('from the moment a rollout is answered every fetch brings it, however many are under way', async () => {
  await made(1)
  const { key } = await server.newKey(tenant)
  let isOver = false
  const hammer = Array.from({ length: 8 }, async () => {
    while (!isOver) await fetchRuleset(server, key, '/v1/rulesets/base/current')
  })
  for (let n = 0; n < 12; n += 1) {
    const version = (n % 3) + 1
    await made(version)
    expect((await fetchRuleset(server, key, '/v1/rulesets/base/current')).version).toBe(version)
  }
  isOver = true
  await Promise.all(hammer)
})

test('a replica that cannot hear the others asks the database before it serves what it kept', async () => {
  const deaf = await testServer({ databaseUrl: database.url })
  try {
    await made(1)
    const { key } = await server.newKey(tenant)
    expect((await fetchRuleset(deaf, key, '/v1/rulesets/base/current')).version).toBe(1)
    // Every connection that listens ends; each server learns of it and takes a moment to listen again.
    const ended = await server.db.query<{ pid: number }>(
      `select a.pid, pg_terminate_backend(a.pid) from pg_stat_activity as a
        where a.datname = current_database() and a.query ~ '^(listen|select pg_notify)'`,
    )
    expect(ended.length).toBeGreaterThan(0)
    const pids = ended.map(({ pid }) => pid)
    await vi.waitFor(async () => {
      const left = await server.db.query(`select from pg_stat_activity as a where a.pid = any($1::integer[])`, [pids])
      expect(left).toEqual([])
    }, 5_000)
    await made(2)
    expect((await fetchRuleset(deaf, key, '/v1/rulesets/base/current')).version).toBe(2)
  } finally {
    await deaf.stop()
  }
})

test('the older wire lists deployments newest first and serves a person what he names with its environment', async () => {
  await made(1)
  await made(2, 'staging')
  const old = (path: string): Promise<Answer> => server.call('GET', `/api/v1${path}`, { cookie: tenant.cookie })
  expect((await old('/deployments')).body).toMatchObject([
    { env: 'staging', bundle_name: 'base', bundle_version: 2, deployed_by: tenant.email },
    { env: 'production', bundle_version: 1 },
  ])
  expect((await old('/deployments?env=production&bundle_name=base&limit=1')).body).toMatchObject([
    { bundle_version: 1 },
  ])
  expect((await old('/deployments?limit=201')).status).toBe(422)
  expect((await old('/bundles/base/current?env=staging')).body).toMatchObject({ version: 2, env: 'staging' })
  const unnamed = await old('/bundles/base/current')
  expect(unnamed.status).toBe(422)
  expect(unnamed.body).toEqual({ detail: [{ loc: ['query', 'env'], msg: 'Field required' }] })
  expect((await server.call('GET', '/api/v1/deployments')).status).toBe(401)
})

test('another replica serves a rollout within two seconds, without having been asked before or after having kept the old one', async () => {
  const second = await testServer({ databaseUrl: database.url })
  try {
    await made(1)
    const { key } = await server.newKey(tenant)
    expect((await fetchRuleset(second, key, '/v1/rulesets/base/current')).version).toBe(1)
    await made(2)
    await vi.waitFor(
      async () => expect((await fetchRuleset(second, key, '/v1/rulesets/base/current')).version).toBe(2),
      { timeout: 2_000, interval: 20 },
    )
  } finally {
    await second.stop()
  }
})
