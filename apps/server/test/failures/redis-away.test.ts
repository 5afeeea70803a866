import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../database.ts'
import { freePort } from '../free-port.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type TestServer, testServer } from '../server.ts'

let database: TestDatabase
let server: TestServer
let lenient: TestServer

beforeAll(async () => {
  database = await testDatabase()
  const environment = {
    COUNTERSIGN_REDIS_URL: `redis://127.0.0.1:${await freePort()}`,
    COUNTERSIGN_SIGN_IN_ATTEMPTS: '5',
  }
  server = await testServer({ databaseUrl: database.url, environment })
  lenient = await testServer({
    databaseUrl: database.url,
    environment: { ...environment, COUNTERSIGN_READY_WITHOUT_REDIS: 'true' },
  })
})
afterAll(async () => {
  await server.stop()
  await lenient.stop()
  await database.drop()
})

test('without its Redis health answers 200 within two seconds and says so, and readiness is 503 unless told otherwise', async () => {
  const begun = performance.now()
  const health = await server.call('GET', '/api/v1/health')
  expect(performance.now() - begun).toBeLessThan(2_000)
  expect(health).toMatchObject({
    status: 200,
    body: {
      status: 'degraded',
      database: { connected: true },
      redis: { configured: true, connected: false, latency_ms: null },
    },
  })
  expect(await server.call('GET', '/api/v1/health/ready')).toMatchObject({
    status: 503,
    body: { status: 'not_ready', reason: 'redis away' },
  })
  expect((await server.call('GET', '/api/v1/health/live')).status).toBe(200)
  expect((await lenient.call('GET', '/api/v1/health/ready')).status).toBe(200)
})

test('without its Redis people sign in, agents report and fetch, replicas hear of each other, and sign-in is limited', async () => {
  const tenant = await server.newTenant()
  const { key } = await server.newKey(tenant)
  const events = { events: [{ call_id: 'c1', agent_id: 'a1', tool_name: 't', verdict: 'call_allowed' }] }
  expect((await server.call('POST', '/v1/events', { key, agent: 'a1', body: events })).status).toBe(200)
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  expect((await lenient.call('GET', '/v1/rulesets/base/current', { key, agent: 'a1' })).status).toBe(200)
  expect((await lenient.call('GET', '/api/v2/keys', { cookie: tenant.cookie })).status).toBe(200)
  const guess = {
    body: { email: tenant.email, password: 'a wrong one' },
    headers: { 'x-requested-with': 'countersign' },
  }
  const statuses: number[] = []
  // Through both replicas: the limit counts in PostgreSQL.
  for (let n = 0; n < 3; n += 1) {
    for (const one of [server, lenient]) statuses.push((await one.call('POST', '/api/v2/session', guess)).status)
  }
  expect(statuses.at(0)).toBe(401)
  expect(statuses.at(-1)).toBe(429)
  expect(statuses.filter((status) => status !== 401 && status !== 429)).toEqual([])
})
