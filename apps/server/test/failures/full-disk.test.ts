import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../database.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../server.ts'

let database: TestDatabase
let superuser: pg.Client
let server: TestServer
let tenant: TestTenant
let key: { readonly id: string; readonly key: string }

beforeAll(async () => {
  database = await testDatabase()
  superuser = new pg.Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  server = await testServer({ databaseUrl: database.url })
  tenant = await server.newTenant()
  key = await server.newKey(tenant)
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  await superuser.query(
    `create function no_room() returns trigger language plpgsql as $$
     begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$`,
  )
})
afterEach(free)
afterAll(async () => {
  await server.stop()
  await superuser.end()
  await database.drop()
})

const tables = async (): Promise<readonly string[]> => {
  const { rows } = await superuser.query<{ name: string }>(
    `select c.oid::regclass::text as name from pg_class as c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
  )
  return rows.map(({ name }) => name)
}

/** Every write of a row fails as PostgreSQL fails it when the disk is full; reading goes on. */
async function fill(): Promise<void> {
  for (const name of await tables()) {
    await superuser.query(
      `create trigger no_room before insert or update on ${name} for each statement execute function no_room()`,
    )
  }
}

async function free(): Promise<void> {
  for (const name of await tables()) await superuser.query(`drop trigger if exists no_room on ${name}`)
}

/**
 * What workers write on their own, or from memory once there is room again: the trail's numbers and checkpoints
 * follow its entries when the machine has time, and say nothing about what a refused request left behind.
 */
const unasked =
  /^(?:rollout_agents|trail_(?:sequence|heads?|checkpoints|tile_roots|log_keys)|replicas|limits|limit_\w+|outbox|agents|agent_history|agent_fetches)$/

/** How many rows each table holds. */
async function counts(): Promise<Record<string, number>> {
  const found: Record<string, number> = {}
  for (const name of await tables()) {
    if (unasked.test(name)) continue
    const { rows } = await superuser.query<{ count: string }>(`select count(*) from ${name}`)
    found[name] = Number(rows[0]?.count)
  }
  return found
}

const words = 'The database has no room left. Nothing was changed.'

test('with a full disk every write is refused with 503 in the words of its door, and nothing is half done', async () => {
  const agent = { key: key.key, agent: 'a1' }
  const person = { cookie: tenant.cookie }
  const before = await counts()
  await fill()
  const writes: readonly (readonly [string, string, object])[] = [
    [
      'POST',
      '/v1/events',
      { ...agent, body: { events: [{ call_id: 'c1', agent_id: 'a1', tool_name: 't', verdict: 'call_allowed' }] } },
    ],
    [
      'POST',
      '/api/v1/events',
      { ...agent, body: { events: [{ call_id: 'c2', agent_id: 'a1', tool_name: 't', verdict: 'call_allowed' }] } },
    ],
    ['POST', '/v1/approvals', { ...agent, body: { tool_name: 'deploy', message: 'May I?' } }],
    ['PUT', '/v1/sessions/counter', { ...agent, body: { value: '1' } }],
    ['POST', '/v1/sessions/counter/increment', { ...agent, body: { amount: 1 } }],
    ['POST', '/api/v1/bundles', { ...person, body: { yaml_content: rulesetYaml('lost') } }],
    ['POST', '/api/v1/bundles/base/1/deploy', { ...person, body: { env: 'staging' } }],
    ['POST', '/api/v2/rulesets', { ...person, body: { yaml: rulesetYaml('lost') } }],
    ['POST', '/api/v2/keys', { ...person, body: { environment: 'production', label: 'lost' } }],
    ['POST', `/api/v2/keys/${key.id}/revoke`, person],
    [
      'POST',
      '/api/v2/session',
      { body: { email: tenant.email, password: server.password }, headers: { 'x-requested-with': 'x' } },
    ],
  ]
  for (const [method, path, options] of writes) {
    const answer = await server.call(method, path, options)
    const what = `${method} ${path}: ${answer.status} ${answer.text}`
    expect(answer.status, what).toBe(503)
    expect(Number(answer.headers.get('retry-after')), what).toBeGreaterThan(0)
    expect(answer.body, what).toMatchObject(
      path.startsWith('/api/v2') ? { status: 503, code: 'unavailable', detail: words } : { detail: words },
    )
  }
  const reads = await Promise.all([
    server.call('GET', '/v1/rulesets/base/current', agent),
    server.call('GET', '/api/v2/keys', person),
    server.call('GET', '/api/v1/health'),
  ])
  expect(reads.map(({ status }: Answer) => status)).toEqual([200, 200, 200])
  await free()
  expect(await counts()).toEqual(before)
  expect((await server.call('GET', '/v1/rulesets/base/current', agent)).status, 'the key still works').toBe(200)
  const sent = await server.call('POST', '/v1/events', {
    ...agent,
    body: { events: [{ call_id: 'c1', agent_id: 'a1', tool_name: 't', verdict: 'call_allowed' }] },
  })
  expect(sent.body).toMatchObject({ accepted: 1, duplicates: 0 })
})

test('with a full disk who is refused stays refused, although the refusal can only be recorded later', async () => {
  await fill()
  const stranger = await server.call('POST', '/v1/events', {
    key: 'edk_production_guess',
    agent: 'a1',
    body: { events: [] },
  })
  expect(stranger.status).toBe(401)
  expect((await server.call('GET', '/api/v2/keys')).status).toBe(401)
})
