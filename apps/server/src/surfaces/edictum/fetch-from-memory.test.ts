import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { get, type IncomingMessage } from 'node:http'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { rollOutVersion, rollOutYaml, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())
beforeEach(async () => {
  tenant = await server.newTenant()
})

type Ask = { readonly path: string; readonly headers: Readonly<Record<string, string>> }
type Said = { readonly status: number; readonly headers: IncomingMessage['headers']; readonly text: string }

/** Over a socket, where memory is asked before the routes are. */
const asked = ({ path, headers }: Ask): Promise<Said> =>
  new Promise((resolve, reject) => {
    get(`${server.url}${path}`, { headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: comparable(answer.headers),
          text: Buffer.concat(parts).toString(),
        }),
      )
    }).on('error', reject)
  })

/** Straight into the routes, past memory. */
const routed = async ({ path, headers }: Ask): Promise<Said> => {
  const host = new URL(server.url).host
  const answer = await server.app.http.inject({ method: 'GET', url: path, headers: { host, ...headers } })
  return { status: answer.statusCode, headers: comparable(answer.headers), text: answer.body }
}

/** Without what is another each time. */
const comparable = (headers: object): IncomingMessage['headers'] => {
  const { 'x-request-id': id, ...others } = headers as IncomingMessage['headers']
  expect(id).toMatch(/^[0-9a-f]{12}$/)
  const varying = ['date', 'connection', 'keep-alive']
  return Object.fromEntries(Object.entries(others).filter(([name]) => !varying.includes(name)))
}

const withoutIds = ({ text, ...said }: Said): Said => ({ ...said, text: text.replace(/"request_id":"[^"]*"/, '') })

const by = (key: string, more: Readonly<Record<string, string>> = {}) => ({
  authorization: `Bearer ${key}`,
  'x-edictum-agent-id': 'a1',
  ...more,
})

/** How many of these were handled by a route. */
const handledByRoutes = async (work: () => Promise<void>): Promise<number> => {
  let handled = 0
  const count = (): void => {
    handled += 1
  }
  subscribe('tracing:fastify.request.handler:start', count)
  await work()
  unsubscribe('tracing:fastify.request.handler:start', count)
  return handled
}

test('the second fetch of an agent is answered from memory and is the route’s, byte for byte and header for header', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'żółw, 亀 and 🐢'))
  const { key } = await server.newKey(tenant)
  const ask = { path: '/v1/rulesets/base/current', headers: by(key) }
  const first = await asked(ask)
  expect(first.status).toBe(200)
  const second = await handledByRoutes(async () => {
    expect(await asked(ask)).toEqual(first)
  })
  expect(second).toBe(0)
  expect(await routed(ask)).toEqual(first)
})

test('a ruleset too large for one text is the same too', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'ö'.repeat(60_000)))
  const { key } = await server.newKey(tenant)
  const ask = { path: '/api/v1/bundles/base/current', headers: by(key) }
  const first = await asked(ask)
  expect(first.text.length).toBeGreaterThan(100_000)
  const handled = await handledByRoutes(async () => {
    expect(await asked(ask)).toEqual(first)
  })
  expect(handled).toBe(0)
})

test('what agents fetch from memory is counted, and their keys are in use', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const { id, key } = await server.newKey(tenant)
  const ask = { path: '/v1/rulesets/base/current', headers: by(key) }
  const counted = async (): Promise<number> => {
    const { text } = await server.call('GET', '/metrics')
    return Number(
      /http_requests_total\{route="GET \/v1\/rulesets\/:name\/current",status="200"\} (\d+)/.exec(text)?.[1] ?? 0,
    )
  }
  const before = await counted()
  for (let n = 0; n < 5; n += 1) await asked(ask)
  expect(await counted()).toBe(before + 5)
  await expect
    .poll(
      async () => {
        const { body } = await server.call('GET', '/api/v2/keys', { cookie: tenant.cookie })
        return (body as { items: { id: string; last_used_at: string | null }[] }).items.find((one) => one.id === id)
          ?.last_used_at
      },
      { timeout: 15_000 },
    )
    .toBeTruthy()
})

test('a revoked key fetches nothing from the moment it is revoked', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  const { id, key } = await server.newKey(tenant)
  const ask = { path: '/v1/rulesets/base/current', headers: by(key) }
  for (let n = 0; n < 3; n += 1) expect((await asked(ask)).status).toBe(200)
  await server.call('POST', `/api/v2/keys/${id}/revoke`, { cookie: tenant.cookie })
  expect((await asked(ask)).status).toBe(401)
})

test('memory answers nobody whom the routes would refuse or answer otherwise', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  await rollOutYaml(server, await server.newTenant(), rulesetYaml('theirs'))
  const { key } = await server.newKey(tenant)
  const { key: staging } = await server.newKey(tenant, 'staging')
  const path = '/v1/rulesets/base/current'
  // Now both are in memory, and so is the ruleset.
  for (const one of [key, staging, key]) await asked({ path, headers: by(one) })
  const asks: readonly Ask[] = [
    { path, headers: by(staging) },
    { path, headers: by(`${key}x`) },
    { path, headers: by(key.slice(0, -1)) },
    { path, headers: {} },
    { path, headers: { authorization: key } },
    { path, headers: { authorization: `bearer ${key}` } },
    { path, headers: by(key, { 'x-edictum-agent-id': '../a1' }) },
    { path, headers: by(key, { 'x-edictum-agent-id': '' }) },
    { path, headers: by(key, { origin: 'https://evil.example' }) },
    { path: `${path}?env=staging`, headers: by(key) },
    { path: `${path}?env=production`, headers: by(key) },
    { path: '/v1/rulesets/theirs/current', headers: by(key) },
    { path: '/v1/rulesets/..%2Fbase/current', headers: by(key) },
    { path: '/v1/rulesets/base/current/', headers: by(key) },
    { path: '/v2/rulesets/base/current', headers: by(key) },
    { path: '/v1/contracts/base/current', headers: by(key) },
  ]
  for (const ask of asks) {
    const expected = withoutIds(await routed(ask))
    for (let n = 0; n < 2; n += 1) expect(withoutIds(await asked(ask)), JSON.stringify(ask)).toEqual(expected)
  }
})

test('whatever is changed, in whatever order, the next fetch says what the route says', async () => {
  const steps = ['upload', 'back', 'rotate', 'follow', 'rendering', 'speak', 'nothing'] as const
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...steps), { minLength: 6, maxLength: 12 }), async (order) => {
      const own = await server.newTenant()
      const as = (method: string, path: string, body?: object) =>
        server.call(method, `/api/v2${path}`, { cookie: own.cookie, ...(body && { body }) })
      await rollOutYaml(server, own, rulesetYaml('base', 'first'))
      const { id, key } = await server.newKey(own)
      let version = 1
      let rendering = 0
      const act: Readonly<Record<(typeof steps)[number], () => Promise<unknown>>> = {
        upload: async () => {
          version = (await rollOutYaml(server, own, rulesetYaml('base', `text ${version}`))).version
        },
        back: () => rollOutVersion(server, own, 'base', 1),
        rotate: () => as('POST', '/signing-keys/rotate'),
        follow: async () => {
          const { items } = (await as('GET', '/signing-keys')).body as { items: { id: string; state: string }[] }
          const current = items.find(({ state }) => state === 'current')
          await as('PATCH', `/keys/${id}`, { signing_key_id: current?.id })
        },
        rendering: () => {
          rendering += 1
          const names = ['ruleset', 'contract_bundle', 'auto']
          return as('PATCH', `/keys/${id}`, { rendering: names[rendering % 3] })
        },
        speak: () =>
          server.call('POST', '/v1/events', {
            key,
            agent: 'a1',
            body: {
              events: [
                {
                  schema_version: '0.3.0',
                  call_id: `c${version}`,
                  agent_id: 'a1',
                  tool_name: 't',
                  action: 'call_allowed',
                  timestamp: '2026-01-01T00:00:00Z',
                },
              ],
            },
          }),
        nothing: () => Promise.resolve(),
      }
      for (const step of order) {
        await act[step]()
        for (const path of ['/v1/rulesets/base/current', '/api/v1/bundles/base/current']) {
          const ask = { path, headers: by(key) }
          const expected = await routed(ask)
          expect(expected.status).toBe(200)
          for (let n = 0; n < 2; n += 1) expect(await asked(ask), `${step} ${path}`).toEqual(expected)
        }
      }
    }),
    { numRuns: 5 },
  )
}, 60_000)

test('who hears no news of other replicas answers nothing from memory', async () => {
  // Its clock stands still, so that it does not begin to listen again.
  const deaf = await serverApart({ clock: testClock() })
  const whole = server
  try {
    server = deaf
    const own = await deaf.newTenant()
    await rollOutYaml(deaf, own, rulesetYaml('base'))
    const { id, key } = await deaf.newKey(own)
    const ask = { path: '/v1/rulesets/base/current', headers: by(key) }
    await asked(ask)
    const handled = () => handledByRoutes(async () => expect((await asked(ask)).status).toBe(200))
    expect(await handled()).toBe(0)
    await deaf.db.query(
      `select pg_terminate_backend(a.pid) from pg_stat_activity as a
        where a.datname = current_database() and a.query ilike 'select pg_notify%'`,
    )
    await expect.poll(handled).toBe(1)
    // As another replica would, whose word does not come through.
    await deaf.db.query(`update agent_keys set revoked_at = now() where id = $1`, [id])
    expect((await asked(ask)).status).toBe(401)
  } finally {
    server = whole
    await deaf.stop()
  }
})
