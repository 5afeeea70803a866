import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../database.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let database: TestDatabase
let server: TestServer
let replica: TestServer
let tenant: TestTenant
let key: string

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
  replica = await testServer({ databaseUrl: database.url })
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  await rollOutYaml(server, tenant, rulesetYaml('base'))
})
afterAll(async () => {
  await replica.stop()
  await server.stop()
  await expectWholeTrail(database.url)
  await database.drop()
})

type Call = {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** What an absent thing answers, for reads of things that are not there. */
  readonly status?: number
}

const event = {
  call_id: 'c1',
  agent_id: 'a1',
  tool_name: 't',
  action: 'call_allowed',
  mode: 'enforce',
  timestamp: '2026-01-01T00:00:00Z',
}
const approval = { agent_id: 'a1', tool_name: 't', message: 'm' }

/** Every route an SDK calls, except the stream, in an order in which each finds what it needs. */
const calls: readonly Call[] = [
  { method: 'GET', path: '/rulesets/base/current' },
  { method: 'GET', path: '/bundles/base/current' },
  { method: 'POST', path: '/events', body: { events: [event] } },
  { method: 'POST', path: '/approvals', body: approval, status: 201 },
  { method: 'PUT', path: '/sessions/s:x:value', body: { value: 'v' } },
  { method: 'GET', path: '/sessions/s:x:value' },
  { method: 'POST', path: '/sessions/s:x:count/increment', body: { amount: 1 } },
  { method: 'POST', path: '/sessions/batch', body: { keys: ['s:x:value'] } },
  { method: 'DELETE', path: '/sessions/s:x:value' },
]

describe.each(['/v1', '/api/v1'])('under %s', (prefix) => {
  const send = (
    { method, path, body }: Call,
    headers: Readonly<Record<string, string>>,
    to = server,
  ): Promise<Answer> =>
    to.call(method, `${prefix}${path}`, {
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body }),
    })
  const withKey = (bearer: string) => ({ authorization: `Bearer ${bearer}`, 'x-edictum-agent-id': 'a1' })

  test('wire 1: every agent route without Authorization answers 401 and says so in an object', async () => {
    for (const call of [...calls, { method: 'GET', path: '/stream' }, { method: 'GET', path: '/approvals/x' }]) {
      const answer = await send(call, {})
      expect(answer.status, call.path).toBe(401)
      expect(answer.body).toEqual({ detail: expect.any(String) })
    }
  })

  test('wire 2: another scheme, an unknown key and a revoked key are refused; a revoked one at once, elsewhere within a second', async () => {
    const call: Call = { method: 'GET', path: '/rulesets/base/current' }
    expect((await send(call, { authorization: 'Basic x' })).status).toBe(401)
    expect((await send(call, withKey(`edk_production_${'x'.repeat(43)}`))).body).toEqual({
      detail: 'Invalid or revoked API key.',
    })
    const doomed = await server.newKey(tenant)
    for (const one of [server, replica]) expect((await send(call, withKey(doomed.key), one)).status).toBe(200)
    const revoked = await server.call('POST', `/api/v2/keys/${doomed.id}/revoke`, { cookie: tenant.cookie })
    expect(revoked.status).toBe(200)
    expect((await send(call, withKey(doomed.key))).status).toBe(401)
    await expect
      .poll(async () => (await send(call, withKey(doomed.key), replica)).status, { timeout: 1000, interval: 20 })
      .toBe(401)
  })

  test('wire 3: a bearer token of another kind is 401 on a POST, not 403 and no redirect', async () => {
    const answer = await send({ method: 'POST', path: '/events', body: { events: [] } }, withKey('sk-something'))
    expect(answer.status).toBe(401)
    expect(answer.headers.get('location')).toBeNull()
  })

  test('wire 4: an unknown path is 404 in JSON, with and without a key, never a redirect or a page', async () => {
    for (const path of ['/nothing', '/rulesets/base/nothing/at/all', '/']) {
      for (const headers of [{}, withKey(key)]) {
        const answer = await send({ method: 'GET', path }, headers)
        expect(answer.status, path).toBe(404)
        expect(answer.body).toEqual({ detail: expect.any(String) })
      }
    }
  })

  test('wire 4: what an address does not take is 405, and what no text can hold is 422, never a 500', async () => {
    for (const method of ['HEAD', 'OPTIONS', 'PATCH']) {
      const answer = await send({ method, path: '/events' }, withKey(key))
      expect(answer.status, method).toBe(405)
      expect(answer.headers.get('allow')).toBe('POST, GET')
      if (method !== 'HEAD') expect(answer.body).toEqual({ detail: 'Method Not Allowed' })
    }
    const held = [
      '/events?agent_id=%00',
      '/events?session_id=a%00b',
      '/approvals?agent_id=%00',
      '/agents/%00/workflow-state?session_id=s',
      '/agents/a1/workflow-state?session_id=%00',
    ]
    for (const path of held) {
      const answer = await send({ method: 'GET', path }, withKey(key))
      expect([path, answer.status]).toEqual([path, 422])
      expect(answer.body).toEqual({ detail: 'A text holds U+0000, which nothing stored holds.' })
    }
    const odd = await send({ method: 'GET', path: '/events?limit=0' }, withKey(key))
    expect(odd.body).toEqual({ detail: [{ loc: ['query', 'limit'], msg: 'must be >= 1' }] })
  })

  test('wire 5: DELETE with a JSON content type and no body is answered 200 with an object', async () => {
    const answer = await send({ method: 'DELETE', path: '/sessions/absent' }, withKey(key))
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({ value: null })
  })

  test('wire 6: every success of every route an SDK calls has a body that is an object', async () => {
    for (const call of calls) {
      const answer = await send(call, withKey(key))
      expect(answer.status, `${call.method} ${call.path}: ${answer.text}`).toBe(call.status ?? 200)
      expect(typeof answer.body === 'object' && answer.body !== null && !Array.isArray(answer.body), call.path).toBe(
        true,
      )
    }
    const made = (await send({ method: 'POST', path: '/approvals', body: approval }, withKey(key))).body as {
      id: string
    }
    expect((await send({ method: 'GET', path: `/approvals/${made.id}` }, withKey(key))).body).toMatchObject({
      id: made.id,
    })
  })

  test('wire 7: health is public JSON', async () => {
    const answer = await send({ method: 'GET', path: '/health' }, {})
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({ status: 'ok', bootstrap_complete: true })
  })

  test('wire 8: a key of another environment is refused when it names one, and finds nothing when it does not', async () => {
    const staging = (await server.newKey(tenant, 'staging')).key
    for (const word of ['rulesets', 'bundles']) {
      const path = `/${word}/base/current`
      const named = await send({ method: 'GET', path: `${path}?env=production` }, withKey(staging))
      expect(named.status).toBe(403)
      expect(named.body).toEqual({ detail: expect.any(String) })
      expect((await send({ method: 'GET', path }, withKey(staging))).status).toBe(404)
      expect((await send({ method: 'GET', path: `${path}?env=production` }, withKey(key))).status).toBe(200)
      expect((await send({ method: 'GET', path }, withKey(key))).status).toBe(200)
    }
  })
})
