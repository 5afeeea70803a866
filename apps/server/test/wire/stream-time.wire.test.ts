import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { testClock } from '../../src/kernel/clock.ts'
import { type AgentStream, eventually, openStream } from '../agent-stream.ts'
import { type TestDatabase, testDatabase } from '../database.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type TestServer, type TestTenant, testServer } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let database: TestDatabase
let server: TestServer
let clock: ReturnType<typeof testClock>
let tenant: TestTenant
let key: string
const open: AgentStream[] = []

beforeAll(async () => {
  database = await testDatabase()
  clock = testClock(new Date().toISOString())
  server = await testServer({
    databaseUrl: database.url,
    clock,
    // Without the periodic work, of which an hour is much; streams keep their own time.
    environment: {
      COUNTERSIGN_ROLES: 'api',
      COUNTERSIGN_SESSION_HOURS: '700',
      COUNTERSIGN_SESSION_IDLE_MINUTES: '1440',
    },
  })
})
afterAll(async () => {
  await server.stop()
  await expectWholeTrail(database.url)
  await database.drop()
})
beforeEach(async () => {
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
})
afterEach(() => {
  for (const stream of open.splice(0)) stream.close()
})

async function listen(path: string, agent = 'a1'): Promise<AgentStream> {
  const stream = await openStream(server.url, path, { key, agent })
  open.push(stream)
  await stream.next(1, 'contract_update')
  return stream
}

/** In steps, as time passes: what falls due at one moment is done before the next. */
async function pass(milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += 5_000) await clock.moveBy(5_000)
}

describe.each(['/v1', '/api/v1'])('under %s', (prefix) => {
  test('wire 19: an idle stream gets a comment at least every 15 s and lives through 10 minutes', async () => {
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    for (let minute = 0; minute < 10; minute += 1) {
      const before = stream.comments()
      await pass(60_000)
      await eventually(stream.comments, (count) => count - before >= 4)
    }
    expect(stream.isClosed()).toBe(false)
  })

  test('wire 32: a stream of the greatest age is closed by the server, and what came between is delivered', async () => {
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    await pass(25 * 60_000)
    expect(stream.isClosed()).toBe(false)
    await pass(36 * 60_000)
    await stream.closed
    // An hour later whoever rolls out into production proves anew who it is.
    const anew = { ...tenant, cookie: await server.signIn(tenant.email) }
    await rollOutYaml(server, anew, rulesetYaml('base', 'two'))
    const [update] = await (await listen(`${prefix}/stream?bundle_name=base`)).next(1, 'contract_update')
    expect(update?.data).toMatchObject({ version: 2 })
  }, 60_000)
})

test('wire 31: a reader that stops reading is cut off, and it is current when it returns', async () => {
  const stream = await listen('/v1/stream?bundle_name=base')
  stream.pause()
  const large = (n: number) => rulesetYaml('base', `${n}`).replace('rules:', `# ${'x'.repeat(500_000)}\nrules:`)
  // Until what the kernel takes for it is full, and then some.
  for (let n = 0; n < 14; n += 1) await rollOutYaml(server, tenant, large(n))
  await pass(60_000)
  stream.resume()
  await stream.closed
  const [update] = await (await listen('/v1/stream?bundle_name=base')).next(1, 'contract_update')
  expect(update?.data).toMatchObject({ version: 15 })
})

test('a reader that catches up gets the newest and not the history', async () => {
  const stream = await listen('/v1/stream?bundle_name=base')
  stream.pause()
  const large = (n: number) => rulesetYaml('base', `${n}`).replace('rules:', `# ${'x'.repeat(500_000)}\nrules:`)
  for (let n = 0; n < 14; n += 1) await rollOutYaml(server, tenant, large(n))
  stream.resume()
  const updates = await eventually(
    () => stream.events().filter(({ name }) => name === 'contract_update'),
    (events) => events.at(-1)?.data['version'] === 15,
  )
  expect(updates.length).toBeLessThan(15)
})

test('a tenant’s and a key’s streams are limited: 503 with words and Retry-After, and never a 200 that ends at once', async () => {
  const change = { cookie: tenant.cookie, body: { value: 1 } }
  expect((await server.call('PUT', '/api/v2/settings/streams.per_key', change)).status).toBe(200)
  await listen('/v1/stream?bundle_name=base')
  const refused = await openStream(server.url, '/v1/stream', { key, agent: 'a2' })
  expect(refused.status).toBe(503)
  expect(refused.headers['retry-after']).toMatch(/^[1-9]\d*$/)
  expect(JSON.parse(refused.body())).toEqual({ detail: expect.stringContaining('limit') })
  refused.close()
})
