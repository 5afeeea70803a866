import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type TestServer, testServer } from '../../../test/server.ts'

let database: TestDatabase
let server: TestServer
const logged: string[] = []

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({
    databaseUrl: database.url,
    environment: { COUNTERSIGN_LOG_LEVEL: 'info' },
    onLog: (line) => logged.push(line),
  })
})

afterAll(async () => {
  await server.stop()
  await database.drop()
})

test('metrics count requests by route and hold what operators watch', async () => {
  await server.call('GET', '/v1/rulesets/some-name/current')
  const { status, text } = await server.call('GET', '/metrics')
  expect(status).toBe(200)
  expect(text).toMatch(/countersign_http_requests_total\{route="GET \/v1\/rulesets\/:name\/current",status="401"\} 1/)
  for (const name of [
    'connected_agents',
    'trail_unsequenced_seconds',
    'workers_crashed',
    'database_connections',
    'database_connections_idle',
    'database_requests_waiting',
    'resident_memory_bytes',
    'http_request_seconds_bucket',
  ]) {
    expect(text).toContain(`countersign_${name}`)
  }
  expect(text).not.toContain('some-name')
  const open = Number(/^countersign_database_connections (\d+)$/m.exec(text)?.[1])
  expect(open).toBeGreaterThan(0)
  expect(open).toBeLessThanOrEqual(8)
})

test('what agents report and what waits for a human is counted', async () => {
  const acme = await server.newTenant('counted')
  const { key } = await server.newKey(acme)
  const metric = async (name: string): Promise<number> =>
    Number(new RegExp(`^countersign_${name} (\\S+)$`, 'm').exec((await server.call('GET', '/metrics')).text)?.[1])
  const names = ['events_stored_total', 'events_repeated_total', 'events_rejected_total', 'approvals_pending']
  const read = (): Promise<number[]> => Promise.all(names.map(metric))
  const before = await read()
  const event = {
    call_id: 'c-1',
    agent_id: 'a',
    tool_name: 'shell',
    action: 'call_allowed',
    timestamp: '2026-05-01T00:00:00Z',
  }
  for (const events of [[event, { ...event, call_id: 'c-2' }, 7], [event]]) {
    expect((await server.call('POST', '/v1/events', { key, body: { events } })).status).toBe(200)
  }
  const held = { agent_id: 'a', tool_name: 'deploy', tool_args: {}, message: 'May I?', timeout: 300 }
  expect((await server.call('POST', '/v1/approvals', { key, body: held })).status).toBe(201)
  const after = await read()
  expect(after.map((count, at) => count - (before[at] ?? Number.NaN))).toEqual([2, 1, 1, 1])
  expect(await metric('events_waiting')).toBe(0)
  expect(await metric('agent_streams')).toBe(0)
  expect(await metric('approvals_waiting_seconds')).toBeGreaterThanOrEqual(0)
  expect(await metric('event_loop_busy_ratio')).toBeLessThanOrEqual(1)
})

test('metrics are told to this machine only, unless a token is configured, and then to its holder only', async () => {
  expect((await server.call('GET', '/metrics', { headers: { 'x-forwarded-for': '198.51.100.1' } })).status).toBe(401)
  const other = await testServer({
    databaseUrl: database.url,
    environment: { COUNTERSIGN_MONITORING_TOKEN: 'watch me' },
  })
  expect((await other.call('GET', '/metrics')).status).toBe(401)
  expect((await other.call('GET', '/metrics', { key: 'guess' })).status).toBe(401)
  expect((await other.call('GET', '/metrics', { key: 'watch me' })).status).toBe(200)
  await other.stop()
})

test('a request of a person is one log line with its id and nothing secret', async () => {
  const acme = await server.newTenant('acme')
  logged.length = 0
  const { key } = await server.newKey(acme)
  const lines = logged
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter(({ text }) => text === 'Request')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatchObject({ route: 'POST /api/v2/keys', status: 201, tenant: acme.tenant, person: acme.person })
  expect(String(lines[0]?.['request'])).toMatch(/^[0-9a-f]{12}$/)
  const everything = logged.join('\n')
  for (const secret of [key, acme.cookie.split('=')[1] ?? '', server.password]) expect(everything).not.toContain(secret)
})
