import type { AgentsPage } from '@countersign/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentStream, eventually, openStream } from '../agent-stream.ts'
import { type TestDatabase, testDatabase } from '../database.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type TestServer, type TestTenant, testServer } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let database: TestDatabase
let one: TestServer
let other: TestServer
let tenant: TestTenant
let key: { readonly id: string; readonly key: string }

beforeAll(async () => {
  database = await testDatabase()
  one = await testServer({ databaseUrl: database.url })
  other = await testServer({ databaseUrl: database.url })
  tenant = await one.newTenant()
  key = await one.newKey(tenant)
  await rollOutYaml(one, tenant, rulesetYaml('base', 'one'))
})
afterAll(async () => {
  await one.stop().catch(() => undefined)
  await other.stop()
  await expectWholeTrail(database.url)
  await database.drop()
})

const listen = (server: TestServer, agent: string): Promise<AgentStream> =>
  openStream(server.url, '/v1/stream?bundle_name=base', { key: key.key, agent })
const connected = async (server: TestServer) =>
  ((await server.call('GET', '/api/v2/agents?connected=true', { cookie: tenant.cookie })).body as AgentsPage).items

test('wire 33: a rollout through one server reaches an agent on the other within two seconds', async () => {
  const stream = await listen(other, 'a1')
  await stream.next(1, 'contract_update')
  await rollOutYaml(one, tenant, rulesetYaml('base', 'two'))
  const begun = performance.now()
  const updates = await stream.next(2, 'contract_update')
  expect(performance.now() - begun).toBeLessThan(2_000)
  expect(updates[1]?.data).toMatchObject({ version: 2 })
  stream.close()
})

test('who is connected to one server is shown by the other', async () => {
  const streams = [await listen(one, 'on-one'), await listen(other, 'on-other')]
  for (const server of [one, other]) {
    // An agent of the test before may still be on its way out.
    await eventually(
      async () => (await connected(server)).map(({ agent_id }) => agent_id).toSorted(),
      (ids) => ids.join() === 'on-one,on-other',
    )
  }
  const told = await other.call('GET', `/api/v2/keys/${key.id}/consequence`, { cookie: tenant.cookie })
  expect(told.body).toMatchObject({ open_streams: 2 })
  for (const stream of streams) stream.close()
  await eventually(
    () => connected(one),
    (items) => items.length === 0,
  )
})

test('an agent that connected this moment to one server is named, tagged and assigned through the other', async () => {
  await rollOutYaml(one, tenant, rulesetYaml('other'))
  const { cookie } = tenant
  const streams = await Promise.all(['named', 'bulk', 'given', 'tagged'].map((agent) => listen(other, agent)))
  const given = { agent_ids: ['given'], environment: 'production', ruleset: 'other' }
  const answers = await Promise.all([
    one.call('PATCH', '/api/v1/agent-registrations/named', {
      cookie,
      body: { display_name: 'N', bundle_name: 'other' },
    }),
    one.call('POST', '/api/v1/agent-registrations/bulk-assign', {
      cookie,
      body: { agent_ids: ['bulk', 'nobody'], bundle_name: 'other' },
    }),
    one.call('PUT', '/api/v2/assignments', { cookie, body: given }),
    one.call('PATCH', '/api/v2/agents/tagged?environment=production', { cookie, body: { tags: { team: 'x' } } }),
  ])
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(answers[0]?.body).toMatchObject({ agent_id: 'named', display_name: 'N', bundle_name: 'other' })
  expect(answers[1]?.body).toEqual({ updated: 1 })
  expect(answers[3]?.body).toMatchObject({ agent_id: 'tagged', tags: { team: 'x' } })
  // What is meant for each is in its row at once, and not only when all rows are gone through the next time.
  const rows = await eventually(
    async () => (await connected(one)).map(({ agent_id, ruleset }) => `${agent_id} ${ruleset}`).toSorted(),
    (all) => all.filter((row) => row.endsWith(' other')).length === 3,
  )
  expect(rows).toEqual(['bulk other', 'given other', 'named other', 'tagged base'])
  for (const stream of streams.slice(0, 3)) {
    const pointer = await eventually(
      () => Promise.resolve(stream.events().find(({ data }) => data['_assignment_changed'] === true)),
      (event) => event !== undefined,
    )
    expect(pointer?.data).toMatchObject({ bundle_name: 'other' })
  }
  for (const stream of streams) stream.close()
})

test('wire 2: a key revoked through one server ends its streams on the other within a second', async () => {
  const revoked = await one.newKey(tenant)
  const stream = await openStream(other.url, '/v1/stream', { key: revoked.key, agent: 'a1' })
  expect(stream.status).toBe(200)
  const begun = performance.now()
  const answer = await one.call('POST', `/api/v2/keys/${revoked.id}/revoke`, { cookie: tenant.cookie })
  expect(answer.status).toBe(200)
  await stream.closed
  expect(performance.now() - begun).toBeLessThan(1_500)
  const again = await openStream(other.url, '/v1/stream', { key: revoked.key, agent: 'a1' })
  expect(again.status).toBe(401)
})

test('streams of a server that died are forgotten by the others', async () => {
  const dead = crypto.randomUUID()
  const long = new Date(Date.now() - 60_000)
  const stream = await listen(other, 'left-behind')
  await eventually(
    () => connected(other),
    (items) => items.length === 1,
  )
  // At once, or a sweep would find the replica before its stream.
  await other.db.inTx(async (tx) => {
    await tx.query(`insert into replicas (id, started_at, seen_at) values ($1, $2, $2)`, [dead, long])
    await tx.query(
      `insert into agent_streams (tenant_id, id, replica_id, environment, agent_id, key_id, client, address, connected_at)
       values ($1, gen_random_uuid(), $2, 'production', 'left-behind', $3, 'go', '::1', $4)`,
      [tenant.tenant, dead, key.id, long],
    )
  })
  stream.close()
  await eventually(
    () => connected(one),
    (items) => items.length === 0,
  )
  expect(await other.db.query(`select r.id from replicas as r where r.id = $1`, [dead])).toEqual([])
})

test('a server that goes away turns unready, ends its streams cleanly, and the agent is current on the other', async () => {
  const stream = await listen(one, 'moves')
  const console_ = await openStream(one.url, '/api/v2/stream', { cookie: tenant.cookie })
  await stream.next(1, 'contract_update')
  const stopping = one.stop()
  await Promise.all([stream.closed, console_.closed])
  await rollOutYaml(other, tenant, rulesetYaml('base', 'meanwhile'))
  const again = await listen(other, 'moves')
  const [update] = await again.next(1, 'contract_update')
  expect(update?.data).toMatchObject({ version: 3 })
  await stopping
  const replicas = await other.db.query<{ id: string }>(`select r.id from replicas as r`)
  expect(replicas).toHaveLength(1)
  again.close()
})
