import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
  tenant = await server.newTenant()
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
})

const prefixes = ['/v1', '/api/v1'] as const

/** A key of its own for each test, so that lists hold nothing of the others'. */
async function sender(environment = 'production') {
  const own = await server.newTenant()
  const { key, prefix } = await server.newKey(own, environment)
  const post = (at: string, body: unknown, agent: string | undefined = 'a1') =>
    server.call('POST', `${at}/events`, { key, body, ...(agent && { agent }) })
  const listed = async (query = '') =>
    (await server.call('GET', `/v1/events?limit=1000${query}`, { key })).body as {
      events: Record<string, unknown>[]
    }
  return { tenant: own, key, prefix, post, listed }
}

let count = 0
function flat(more: object = {}): object {
  count += 1
  return {
    schema_version: '0.3.0',
    call_id: `call-${count}`,
    agent_id: 'a1',
    tool_name: 'shell',
    tool_args: { command: 'ls' },
    side_effect: 'read',
    environment: 'production',
    principal: null,
    action: 'call_allowed',
    decision_source: null,
    decision_name: null,
    reason: null,
    mode: 'enforce',
    policy_version: null,
    timestamp: '2026-01-02T03:04:05.123456+00:00',
    ...more,
  }
}

function nested(more: object = {}, payload: object | null = {}): object {
  count += 1
  return {
    call_id: `call-${count}`,
    agent_id: 'a1',
    tool_name: 'shell',
    verdict: 'call_denied',
    mode: 'enforce',
    timestamp: '2026-01-02T03:04:05.123Z',
    payload: payload && { tool_args: { command: 'rm' }, environment: 'production', principal: null, ...payload },
    ...more,
  }
}

for (const prefix of prefixes) {
  test(`wire 44: each shape of event is taken and stored in canonical words, under ${prefix}`, async () => {
    const { post, listed } = await sender()
    const { verdict: _verdict, ...b } = nested({ decision: 'call_denied' }) as { verdict: string }
    const gate = { timestamp: '2026-01-02T03:04:05Z', tool_name: 'Bash', decision: 'block', user: 'sam' }
    const answer = await post(prefix, { events: [nested(), b, flat({ action: 'call_blocked' }), gate] })
    expect(answer).toMatchObject({ status: 200, body: { accepted: 4, duplicates: 0 } })
    const upper = await post(prefix, { events: [nested({ verdict: 'CALL_DENIED' })] })
    expect(upper.body).toEqual({ accepted: 1, duplicates: 0 })
    const { events } = await listed()
    expect(events.map(({ action }) => action)).toEqual(Array(5).fill('call_blocked'))
  })

  test(`wire 45: events of one call are all stored, under ${prefix}`, async () => {
    const { post, listed } = await sender()
    const events = ['call_asked', 'call_approval_granted', 'call_executed'].map((action) =>
      flat({ call_id: 'one', action }),
    )
    expect((await post(prefix, { events })).body).toEqual({ accepted: 3, duplicates: 0 })
    expect((await listed()).events.map(({ action }) => action)).toEqual([
      'call_asked',
      'call_approval_granted',
      'call_executed',
    ])
  })

  test(`wire 46: the same request again stores nothing, under ${prefix}`, async () => {
    const { post } = await sender()
    const events = ['call_asked', 'call_approval_granted', 'call_executed'].map((action) =>
      flat({ call_id: 'one', action }),
    )
    expect((await post(prefix, { events })).body).toEqual({ accepted: 3, duplicates: 0 })
    expect((await post(prefix, { events })).body).toEqual({ accepted: 0, duplicates: 3 })
  })

  test(`wire 47: identical events in one request are different events, and stay so, under ${prefix}`, async () => {
    const { post, listed } = await sender()
    const one = flat()
    expect((await post(prefix, { events: [one, one] })).body).toEqual({ accepted: 2, duplicates: 0 })
    expect((await post(prefix, { events: [one, one] })).body).toEqual({ accepted: 0, duplicates: 2 })
    expect((await listed()).events).toHaveLength(2)
  })

  test(`wire 48: ten thousand events at once are taken, and an odd one costs only itself, under ${prefix}`, async () => {
    const { post } = await sender()
    const events = Array.from({ length: 10_000 }, () => flat({ tool_args: { text: 'x'.repeat(1_700) } }))
    const answer = await post(prefix, { events })
    expect(answer).toMatchObject({ status: 200, body: { accepted: 10_000, duplicates: 0 } })
    const { tool_name: _name, ...odd } = flat() as { tool_name: string }
    const mixed = await post(prefix, { events: [flat(), odd, flat()] })
    expect(mixed).toMatchObject({ status: 200, body: { accepted: 2, duplicates: 0 } })
    expect((mixed.body as { rejected: object[] }).rejected).toEqual([{ index: 1, error: expect.any(String) }])
  })

  test(`wire 49: no events are no error, no list is one, under ${prefix}`, async () => {
    const { post } = await sender()
    expect(await post(prefix, { events: [] })).toMatchObject({ status: 200, body: { accepted: 0, duplicates: 0 } })
    for (const body of [{}, 'not json', '[]', '{"events":{}}', '"text"', '']) {
      const { status, body: said } = await post(prefix, body)
      expect(status, JSON.stringify(body)).toBeGreaterThanOrEqual(400)
      expect(status).toBeLessThan(500)
      expect(said).toHaveProperty('detail')
    }
  })

  test(`wire 50: odd but honest events are taken, under ${prefix}`, async () => {
    const { post } = await sender()
    const events = [
      nested({}, null),
      flat({ principal: null, workflow: undefined }),
      flat({ action: 'foo_bar' }),
      flat({ decision_name: '', reason: '', session_id: '', policy_version: '', parent_call_id: '' }),
      flat({ tool_name: '', call_id: '' }),
    ]
    expect((await post(prefix, { events })).body).toEqual({ accepted: 5, duplicates: 0 })
  })

  test(`wire 51: an event belongs to the environment of its key, under ${prefix}`, async () => {
    const { post, listed, tenant: own } = await sender()
    await post(prefix, { events: [flat({ environment: 'staging' })] })
    expect((await listed()).events).toMatchObject([{ environment: 'production' }])
    const staging = await server.newKey(own, 'staging')
    const other = await server.call('GET', '/v1/events', { key: staging.key })
    expect(other.body).toEqual({ events: [] })
  })

  test(`wire 52: a manifest never costs the events it came with, under ${prefix}`, async () => {
    const { post } = await sender()
    const rule = { id: 'r1', type: 'pre', tool: 'shell', mode: 'enforce' }
    for (const manifest of [
      { agent_id: 'a1', policy_version: 'f'.repeat(64), contracts: [rule] },
      { agent_id: 'a1', policy_version: 'f'.repeat(64), rules: [rule] },
      { agent_id: '', contracts: 7 },
      'nonsense',
      null,
    ]) {
      const answer = await post(prefix, { events: [flat()], agent_manifest: manifest })
      expect(answer).toMatchObject({ status: 200, body: { accepted: 1 } })
    }
  })

  test(`wire 55: the gate of the older command line delivers to its own path, under ${prefix}`, async () => {
    const { key } = await sender()
    const gate = { timestamp: '2026-01-02T03:04:05Z', tool_name: 'Bash', verdict: 'allow' }
    const answer = await server.call('POST', `${prefix}/audit/ingest`, { key, body: { events: [gate] } })
    expect(answer).toMatchObject({ status: 200, body: { accepted: 1, duplicates: 0 } })
  })

  test(`wire 68: a report of scanned skills needs a key and is taken, under ${prefix}`, async () => {
    const { key } = await sender()
    const body = { scanner_version: '1', total_scanned: 0, violations: [], stats: {} }
    const answer = await server.call('POST', `${prefix}/skill-scan`, { key, body })
    expect(answer.status).toBe(202)
    expect(answer.body).toEqual({ status: 'accepted' })
    expect((await server.call('POST', `${prefix}/skill-scan`, { body })).status).toBe(401)
  })
}

test('wire 53: /api/v1 lists events as an array, /v1 as an object, and both only what the key may see', async () => {
  const { key, post } = await sender()
  await post('/v1', {
    events: [flat({ call_id: 'older' }), flat({ timestamp: '2026-01-03T00:00:00Z', call_id: 'newer' })],
  })
  const array = await server.call('GET', '/api/v1/events?limit=1', { key })
  expect(array.body).toMatchObject([{ call_id: 'newer', verdict: 'call_allowed', agent_id: 'a1' }])
  const object = await server.call('GET', '/v1/events?limit=2', { key })
  expect(object.body).toMatchObject({ events: [{ call_id: 'older' }, { call_id: 'newer', action: 'call_allowed' }] })
  for (const path of ['/api/v1/events?limit=1', '/v1/events?limit=1']) {
    expect((await server.call('GET', path, { key: 'edk_production_wrong' })).status).toBe(401)
  }
})

test('wire 54: an old word finds what arrived under the new one', async () => {
  const { key, post } = await sender()
  await post('/v1', { events: [flat({ action: 'call_blocked', call_id: 'c' }), flat()] })
  const found = await server.call('GET', '/api/v1/events?verdict=call_denied', { key })
  expect(found.body).toMatchObject([{ call_id: 'c', verdict: 'call_denied' }])
  const flatFound = await server.call('GET', '/v1/events?verdict=call_denied', { key })
  expect(flatFound.body).toMatchObject({ events: [{ call_id: 'c', action: 'call_blocked' }] })
})

test('the console sees its tenant alone', async () => {
  const { post } = await sender()
  await post('/v1', { events: [flat()] })
  const mine = await server.call('GET', '/api/v2/events', { cookie: tenant.cookie })
  expect(mine).toMatchObject({ status: 200, body: { items: [] } })
})
