import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Route } from '../src/features/roles/index.ts'
import { type TestDatabase, testDatabase } from './database.ts'
import { type Answer, type CallOptions, type TestServer, type TestTenant, testServer } from './server.ts'

// Every route of every table, against everybody who may not call it. What a caller is refused is decided before the
// path's ids or the body are looked at, so any will do.

let database: TestDatabase
let server: TestServer
let acme: TestTenant
let powerless: string
let key: string

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({
    databaseUrl: database.url,
    environment: { COUNTERSIGN_TRUSTED_PROXIES: '127.0.0.1' },
  })
  acme = await server.newTenant('acme')
  key = (await server.newKey(acme)).key
  const person = await server.newTenant('bystander')
  powerless = person.cookie
  await server.db.query(`delete from role_grants as g where g.person_id = $1`, [person.person])
  await server.db.inTx((tx) =>
    server.app.bus.announce(tx, { topic: 'person.changed', tenant: person.tenant, body: { person_id: person.person } }),
  )
  await vi.waitFor(
    async () => {
      const { body } = await server.call('GET', '/api/v2/session', { cookie: powerless })
      expect(body).toMatchObject({ permissions: [] })
    },
    { timeout: 10_000 },
  )
})

afterAll(async () => {
  await server.stop()
  await database.drop()
})

const someId = '018f0000-0000-7000-8000-000000000001'

function addresses(): readonly (readonly [address: string, route: Route, surface: 'native' | 'edictum'])[] {
  const at = (route: Route): string => route.path.replaceAll(/:\w+/g, someId)
  const all = [
    ...server.app.routes.native.map((route) => [`/api/v2${at(route)}`, route, 'native'] as const),
    ...server.app.routes.edictum.map((route) => [`/api/v1${at(route)}`, route, 'edictum'] as const),
  ]
  // Some answer otherwise below /v1; asked for once is enough to be refused.
  return [...new Map(all.map((one) => [`${one[1].method} ${one[0]}`, one])).values()]
}

/** Everything a request could have changed: all rows of all tables but those that record the refusals themselves. */
async function everything(): Promise<string> {
  const tables = await server.db.query<{ name: string }>(
    `select t.table_name as name from information_schema.tables as t
      where t.table_schema = 'public' and t.table_type = 'BASE TABLE' and t.table_name not like 'trail%'
        and t.table_name not in ('limits', 'sessions', 'outbox', 'replicas', 'schema_migrations', 'agent_keys')
      order by 1`,
  )
  const parts: string[] = []
  for (const { name } of tables) {
    const [row] = await server.db.query<{ digest: string | null }>(
      `select md5(string_agg(x::text, '\n' order by x::text)) as digest from "${name}" as x`,
    )
    parts.push(`${name} ${row?.digest ?? '-'}`)
  }
  return parts.join('\n')
}

const refusals = async (): Promise<number> => {
  const [row] = await server.db.query<{ count: number }>(
    `select count(*) as count from trail_entries as e where e.act = 'route.refused'`,
  )
  return row?.count ?? 0
}

let callers = 0

async function expectRefused(who: CallOptions, status: (route: Route) => 401 | 403 | undefined): Promise<number> {
  const before = await everything()
  // From somewhere else each time: the same caller's repeats would be counted, not told one by one.
  callers += 1
  const from = { 'x-forwarded-for': `192.0.2.${callers}` }
  let written = await refusals()
  let asked = 0
  for (const [address, route, surface] of addresses()) {
    const expected = status(route)
    if (expected === undefined) continue
    const answer: Answer = await server.call(route.method, address, {
      ...who,
      ...(route.method !== 'GET' && { body: {} }),
      headers: { 'x-requested-with': 'test', ...from, ...who.headers },
    })
    expect(answer.status, `${route.method} ${address}: ${answer.text.slice(0, 200)}`).toBe(expected)
    if (surface === 'native')
      expect(answer.body).toMatchObject({ status: expected, request_id: expect.any(String) as string })
    else expect(answer.body).toEqual({ detail: expect.any(String) as string })
    written += 1
    expect(await refusals(), `${route.method} ${address} left no refusal in the trail`).toBe(written)
    asked += 1
  }
  expect(await everything()).toBe(before)
  return asked
}

describe('whoever may not call a route is refused, changes nothing, and the trail has it', () => {
  test('without a credential', { timeout: 120_000 }, async () => {
    const asked = await expectRefused({}, ({ needs }) => (needs === 'anyone' ? undefined : 401))
    expect(asked).toBeGreaterThan(40)
  })

  test('with an agent key where a person is needed', { timeout: 120_000 }, async () => {
    await expectRefused({ key }, ({ needs }) => (needs === 'anyone' || needs.startsWith('agent-key') ? undefined : 401))
  })

  test('with a key nobody made', { timeout: 120_000 }, async () => {
    await expectRefused({ key: 'edk_production_0000000000000000000000000000000000000000000' }, ({ needs }) =>
      needs === 'anyone' ? undefined : 401,
    )
  })

  test('with a session whose role permits nothing', { timeout: 120_000 }, async () => {
    await expectRefused({ cookie: powerless }, ({ needs }) => {
      if (needs === 'anyone' || needs === 'signed-in' || needs === 'caller') return undefined
      return needs === 'agent-key' ? 401 : 403
    })
  })

  test('with an administrator’s session, when the request comes from another site’s page', {
    timeout: 120_000,
  }, async () => {
    const who = { cookie: acme.cookie, headers: { origin: 'https://evil.example' } }
    await expectRefused(who, ({ needs, method }) =>
      method === 'GET' || needs === 'anyone' || needs === 'agent-key' ? undefined : 403,
    )
  })
})

test('who asks too often is refused, and the trail has it', async () => {
  const ask = () =>
    server.call('POST', '/v1/approvals', { key, agent: 'eager', body: { tool_name: 'deploy', message: 'May I?' } })
  const statuses: number[] = []
  while (!statuses.includes(429) && statuses.length < 30) statuses.push((await ask()).status)
  expect(statuses.at(-1)).toBe(429)
  const [entry] = await server.db.query<{ subject: string; bytes: Uint8Array }>(
    `select e.subject_id as subject, e.bytes from trail_entries as e order by e.arrival desc, e.id desc limit 1`,
  )
  expect(entry?.subject).toBe('POST /v1/approvals')
  expect(JSON.parse(Buffer.from(entry?.bytes ?? []).toString())).toMatchObject({
    act: 'route.refused',
    actor: { kind: 'agent_key' },
    details: { code: 'too_many_requests', agent_id: 'eager' },
  })
})

test('no address is claimed by two routes', () => {
  const all = [
    ...server.app.routes.native.map(({ method, path }) => `${method} /api/v2${path}`),
    ...server.app.routes.edictum.map(({ method, path }) => `${method} /v1${path}`),
  ]
  const shapes = all.map((address) => address.replaceAll(/:\w+/g, ':'))
  const doubles = shapes.filter((shape, at) => shapes.indexOf(shape) !== at)
  // Three answers differ by prefix (agent-api §8.3); each prefix mounts one of the two.
  expect(doubles.filter((shape) => !['GET /v1/events', 'GET /v1/approvals'].includes(shape))).toEqual([])
})
