import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { fetchRuleset, rollOutYaml, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type TestServer, type TestTenant, testServer } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

const clock = testClock('2026-03-01T08:00:00.000Z')
let database: TestDatabase
let servers: readonly TestServer[]

beforeAll(async () => {
  database = await testDatabase()
  // Two that look at the same fleet: what is told must be told once.
  servers = await Promise.all([0, 1].map(() => testServer({ databaseUrl: database.url, clock })))
})
afterAll(async () => {
  for (const server of servers) await server.stop()
  await database.drop()
})

/** Workers are called now and then, not twenty times a second. */
const pass = async (minutes: number): Promise<void> => {
  for (let n = 0; n < 2 * minutes; n += 1) await clock.jumpBy(30_000)
}

const told = async ({ tenant }: TestTenant): Promise<readonly unknown[]> =>
  (
    await servers[0]?.db.query<{ body: { agent_ids: string[] } }>(
      `select o.body from outbox as o where o.tenant_id = $1 and o.topic = 'agent.drifting' order by o.id`,
      [tenant],
    )
  )?.map(({ body }) => body) ?? []

test('an agent left behind by a rollout is announced once when its time to update is over, and again when it drifts anew', async () => {
  const [server] = servers
  if (!server) throw new Error('two were started')
  const tenant = await server.newTenant()
  const { key } = await server.newKey(tenant)
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const report = async (agent: string, hash: string): Promise<void> => {
    const event = {
      call_id: `c-${agent}-${clock.now().getTime()}`,
      tool_name: 't',
      verdict: 'call_allowed',
      policy_version: hash,
    }
    const sent = await server.call('POST', '/v1/events', { key, agent, body: { events: [event] } })
    expect(sent.status).toBe(200)
  }
  const first = await fetchRuleset(server, key, '/v1/rulesets/base/current', 'stays')
  await fetchRuleset(server, key, '/v1/rulesets/base/current', 'follows')
  const assign = { agent_ids: ['stays', 'follows'], environment: 'production', ruleset: 'base' }
  expect((await server.call('PUT', '/api/v2/assignments', { cookie: tenant.cookie, body: assign })).status).toBe(200)
  for (const agent of ['stays', 'follows']) await report(agent, first.revision_hash)
  await pass(1)
  expect(await told(tenant)).toEqual([])
  const cookie = await server.signIn(tenant.email)
  await rollOutYaml(server, { ...tenant, cookie }, rulesetYaml('base', 'two'))
  const second = await fetchRuleset(server, key, '/v1/rulesets/base/current', 'follows')
  await report('follows', second.revision_hash)
  await pass(3)
  expect(await told(tenant)).toEqual([])
  await report('stays', first.revision_hash)
  await pass(3)
  await eventually(
    () => told(tenant),
    (bodies) => bodies.length > 0,
  )
  await pass(5)
  expect(await told(tenant)).toEqual([{ count: 1, agent_ids: ['stays'], environments: ['production'] }])

  await report('stays', second.revision_hash)
  await pass(2)
  await report('stays', first.revision_hash)
  await pass(2)
  expect(await told(tenant)).toHaveLength(2)
})
