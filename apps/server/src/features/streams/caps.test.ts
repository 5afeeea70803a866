import { afterAll, beforeAll, expect, test } from 'vitest'
import { type AgentStream, eventually, openStream } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type TestServer, type TestTenant, testServer } from '../../../test/server.ts'

let database: TestDatabase
let servers: readonly TestServer[]
const open: AgentStream[] = []

beforeAll(async () => {
  database = await testDatabase()
  const environment = { COUNTERSIGN_STREAMS_PER_TENANT: '5' }
  servers = await Promise.all([0, 1].map(() => testServer({ databaseUrl: database.url, environment })))
})
afterAll(async () => {
  for (const stream of open) stream.close()
  for (const server of servers) await server.stop()
  await database.drop()
})

const one = (): TestServer => servers[0] as TestServer
const other = (): TestServer => servers[1] as TestServer

async function listen(server: TestServer, key: string, agent: string): Promise<AgentStream> {
  const stream = await openStream(server.url, '/v1/stream', { key, agent })
  if (stream.status === 200) open.push(stream)
  return stream
}
const written = (tenant: TestTenant, count: number) =>
  eventually(
    async () =>
      (await one().db.query(`select s.id from agent_streams as s where s.tenant_id = $1`, [tenant.tenant])).length,
    (found) => found === count,
  )
/** Replicas hear of each other's streams within seconds; until then this may still be answered as before. */
const settles = async (server: TestServer, key: string, status: number): Promise<AgentStream> =>
  eventually(
    async () => {
      const stream = await listen(server, key, `late-${open.length}`)
      if (stream.status !== status) {
        stream.close()
        open.splice(open.indexOf(stream), stream.status === 200 ? 1 : 0)
      }
      return stream
    },
    (stream) => stream.status === status,
  )

test('a key’s streams on all replicas count together, and room made on one is room on the other', async () => {
  const tenant = await one().newTenant()
  const { key } = await one().newKey(tenant)
  const change = { cookie: tenant.cookie, body: { value: 3 } }
  expect((await one().call('PUT', '/api/v2/settings/streams.per_key', change)).status).toBe(200)
  const [first] = [await listen(one(), key, 'a1'), await listen(one(), key, 'a2')]
  await written(tenant, 2)
  expect((await settles(other(), key, 200)).status).toBe(200)
  await written(tenant, 3)
  for (const server of servers) {
    const refused = await settles(server, key, 503)
    expect(refused.headers['retry-after']).toMatch(/^\d+$/)
    expect(refused.body()).toBe(
      '{"detail":"This key has 3 streams open, which is its limit. Close some, or try again later."}',
    )
  }
  first?.close()
  await written(tenant, 2)
  expect((await settles(other(), key, 200)).status).toBe(200)
})

test('a tenant’s streams on all replicas count together, and no other tenant’s with them', async () => {
  const tenant = await one().newTenant()
  const keys = await Promise.all([0, 1].map(() => one().newKey(tenant)))
  const [{ key: mine } = { key: '' }, { key: theirs } = { key: '' }] = keys
  for (const agent of ['a1', 'a2', 'a3']) expect((await listen(one(), mine, agent)).status).toBe(200)
  for (const agent of ['b1', 'b2']) expect((await listen(other(), theirs, agent)).status).toBe(200)
  await written(tenant, 5)
  for (const server of servers) {
    const refused = await settles(server, mine, 503)
    expect(refused.body()).toBe(
      '{"detail":"There are 5 streams open, which is the limit. Close some, or try again later."}',
    )
  }
  const neighbor = await one().newTenant()
  expect((await listen(other(), (await one().newKey(neighbor)).key, 'n1')).status).toBe(200)
})

test('streams of a replica that died do not keep its agents out', async () => {
  const tenant = await one().newTenant()
  const { id, key } = await one().newKey(tenant)
  const change = { cookie: tenant.cookie, body: { value: 1 } }
  expect((await one().call('PUT', '/api/v2/settings/streams.per_key', change)).status).toBe(200)
  const dead = crypto.randomUUID()
  const db = one().db
  await db.query(`insert into replicas (id, started_at, seen_at) values ($1, now(), now() - interval '8 seconds')`, [
    dead,
  ])
  await db.query(
    `insert into agent_streams (tenant_id, id, replica_id, environment, agent_id, key_id, client, address, connected_at)
     values ($1, gen_random_uuid(), $2, 'production', 'a1', $3, 'go', '::1', now())`,
    [tenant.tenant, dead, id],
  )
  expect((await listen(other(), key, 'a1')).status).toBe(200)
})
