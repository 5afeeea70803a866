import { afterEach, expect, test } from 'vitest'
import { eventually, openStream } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type TestServer, testServer } from '../../../test/server.ts'

let database: TestDatabase | undefined
const servers: TestServer[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop()
  await database?.drop()
  database = undefined
})

async function start(options: Partial<Parameters<typeof testServer>[0]> = {}): Promise<TestServer> {
  database ??= await testDatabase()
  const server = await testServer({ databaseUrl: database.url, ...options })
  servers.push(server)
  return server
}

const well = (server: TestServer) =>
  eventually(
    async () => (await server.call('GET', '/api/v1/health')).body as Record<string, unknown>,
    ({ status }) => status === 'ok',
  )

test('health is public and says exactly this, in the same words under both prefixes', async () => {
  const server = await start()
  const latency = expect.any(Number) as number
  const shape = {
    status: 'ok',
    service: 'rack-gateway',
    bootstrap_complete: false,
    version: 'test',
    database: { connected: true, latency_ms: latency },
    redis: { configured: false, connected: false, latency_ms: null },
    connected_agents: 0,
    workers: expect.objectContaining({
      approval_timeout: 'running',
      partition: 'running',
      trail_sequencer: 'running',
    }) as object,
  }
  expect(await well(server)).toEqual(shape)
  const older = await server.call('GET', '/v1/health', { headers: { host: 'any.name.at.all' } })
  expect(older).toMatchObject({ status: 200, body: shape })
  const tenant = await server.newTenant()
  const stream = await openStream(server.url, '/v1/stream', { key: (await server.newKey(tenant)).key, agent: 'a1' })
  await eventually(
    () => well(server),
    (body) => body['bootstrap_complete'] === true && body['connected_agents'] === 1,
  )
  stream.close()
})

test('in production the version is told only to whoever monitors', async () => {
  const environment = { COUNTERSIGN_PROFILE: 'production', COUNTERSIGN_MONITORING_TOKEN: 'a token for monitors' }
  const server = await start({ environment })
  const versionFor = async (authorization?: string): Promise<unknown> => {
    const headers = authorization === undefined ? {} : { authorization }
    const { status, body } = await server.call('GET', '/api/v1/health', { headers })
    expect(status).toBe(200)
    return (body as { version?: string }).version
  }
  expect(await versionFor()).toBeUndefined()
  expect(await versionFor('Bearer a token for nobody')).toBeUndefined()
  expect(await versionFor('a token for monitors')).toBeUndefined()
  expect(await versionFor('Bearer a token for monitors')).toBe('test')
})

test('without the migrations of this release health is degraded and readiness 503, until they have run', async () => {
  let pending = 2
  const server = await start({ pendingMigrations: () => Promise.resolve(pending) })
  const ready = () => server.call('GET', '/api/v1/health/ready')
  expect((await server.call('GET', '/api/v1/health')).body).toMatchObject({ status: 'degraded' })
  expect(await ready()).toMatchObject({ status: 503, body: { status: 'not_ready', reason: 'migrations pending' } })
  expect(await server.call('GET', '/api/v1/health/live')).toMatchObject({ status: 200, body: { status: 'alive' } })
  pending = 0
  await well(server)
  expect(await ready()).toMatchObject({ status: 200, body: { status: 'ready' } })
})

test('an entry that waits 5 s for its number makes health degraded and not unready', async () => {
  // Nobody gives numbers here.
  const server = await start({ environment: { COUNTERSIGN_ROLES: 'api' } })
  await server.newTenant()
  await server.db.query(
    `insert into trail_entries (id, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes)
     values (gen_random_uuid(), null, now() - interval '6 seconds', 'test', 'done', 'system', 's', 'test', 't', '')`,
  )
  await eventually(
    async () => (await server.call('GET', '/api/v1/health')).body,
    (body) => (body as { status: string }).status === 'degraded',
  )
  expect((await server.call('GET', '/api/v1/health/ready')).status).toBe(200)
})

test('a process without periodic work is well beside one that does it, and says which of its own it tends', async () => {
  const api = await start({ environment: { COUNTERSIGN_ROLES: 'api' } })
  await start()
  await api.newTenant()
  expect(await well(api)).toMatchObject({
    workers: { approval_timeout: 'stopped', partition: 'stopped', key_uses: 'running', trail_refusals: 'running' },
  })
  expect((await api.call('GET', '/api/v1/health/ready')).status).toBe(200)
})
