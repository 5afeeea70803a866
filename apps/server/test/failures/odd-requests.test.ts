import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, openStream } from '../agent-stream.ts'
import { rulesetYaml } from '../rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'

let server: ServerApart
let tenant: TestTenant
let key: { readonly id: string; readonly key: string }

beforeAll(async () => {
  server = await serverApart()
  tenant = await server.newTenant()
  key = await server.newKey(tenant)
})
afterAll(() => server.stop())

const event = (callId: string, more: object = {}) => ({
  call_id: callId,
  agent_id: 'a1',
  tool_name: 'shell',
  verdict: 'call_allowed',
  ...more,
})
const send = (events: readonly object[], by = key.key) =>
  server.call('POST', '/v1/events', { key: by, agent: 'a1', body: { events } })
const stored = async (callId: string): Promise<readonly { call_id: string; timestamp: string }[]> => {
  const { body } = await server.call('GET', '/v1/events?limit=1000', { key: key.key })
  return (body as { events: { call_id: string; timestamp: string }[] }).events.filter((one) => one.call_id === callId)
}

test('a connection cut half-way through a body stores nothing and disturbs nobody', async () => {
  const { port } = new URL(server.url)
  const body = JSON.stringify({ events: [event('cut')] })
  for (const part of [0, 1, Math.floor(body.length / 2), body.length - 1]) {
    const socket = connect({ host: '127.0.0.1', port: Number(port) })
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    socket.write(
      `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key.key}\r\nX-Edictum-Agent-Id: a1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nExpect: 100-continue\r\n\r\n`,
    )
    await eventually(
      () => received,
      (text) => text.includes('100 Continue'),
    )
    socket.write(body.slice(0, part))
    socket.resetAndDestroy()
  }
  expect((await send([event('whole')])).status).toBe(200)
  expect(await stored('cut')).toEqual([])
  expect(await stored('whole')).toHaveLength(1)
})

test('whoever is refused before his large body was read is answered at once and hung up on', async () => {
  const { port } = new URL(server.url)
  const refused = async (head: string): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port: Number(port) })
    let received = ''
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString()
    })
    const closed = new Promise((resolve) => {
      socket.on('close', resolve)
      socket.on('error', resolve)
    })
    socket.write(
      `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n${head}\r\n\r\n5\r\n{`,
    )
    await closed
    return received
  }
  for (const head of ['Content-Length: 50000000', 'Transfer-Encoding: chunked']) {
    const answer = await refused(`Authorization: Bearer nobody\r\n${head}`)
    expect(answer, head).toMatch(/^HTTP\/1\.1 401 /)
    expect(answer, head).toMatch(/\r\nconnection: close\r\n/i)
  }
  expect((await send([event('after')])).status).toBe(200)
})

test('what is sent twice at once happens once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => send([event('twice', { timestamp: '2026-01-02T03:04:05Z' })])),
  )
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  expect(answers.reduce((sum, { body }) => sum + (body as { accepted: number }).accepted, 0)).toBe(1)
  expect(await stored('twice')).toHaveLength(1)

  const asked = await server.call('POST', '/v1/approvals', {
    key: key.key,
    agent: 'a1',
    body: { tool_name: 'deploy', message: 'May I?' },
  })
  const { id } = asked.body as { id: string }
  const decisions = await Promise.all(
    Array.from({ length: 8 }, () =>
      server.call('PUT', `/api/v1/approvals/${id}`, { cookie: tenant.cookie, body: { approved: true } }),
    ),
  )
  expect(decisions.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 7 }, () => 409)])

  const { id: keyId } = await server.newKey(tenant)
  const path = `/api/v2/keys/${keyId}/revoke`
  const revoked = await Promise.all(
    Array.from({ length: 4 }, () => server.call('POST', path, { cookie: tenant.cookie })),
  )
  expect(revoked.filter(({ status }) => status >= 500)).toEqual([])
  const acts = await server.db.query(
    `select from trail_entries as t where t.tenant_id = $1 and t.act = 'key.revoked' and t.subject_id = $2 and t.outcome = 'done'`,
    [tenant.tenant, keyId],
  )
  expect(acts).toHaveLength(1)
})

test('events of a clock far off are taken, keep the agent’s time, are listed, and do not disturb others', async () => {
  const odd = ['1970-01-01T00:00:00Z', '2999-12-31T23:59:59Z']
  const answer = await send([...odd.map((timestamp, at) => event(`clock-${at}`, { timestamp })), event('clock-right')])
  expect(answer).toMatchObject({ status: 200, body: { accepted: 3 } })
  for (const [at, timestamp] of odd.entries()) {
    const [found] = await stored(`clock-${at}`)
    expect(Date.parse(found?.timestamp ?? '')).toBe(Date.parse(timestamp))
  }
  expect(await stored('clock-right')).toHaveLength(1)
  expect((await server.call('GET', '/api/v2/events', { cookie: tenant.cookie })).status).toBe(200)
})

test('a revoked key gets 401 at every door at once, and its streams end', async () => {
  const own = await server.newKey(tenant)
  const stream = await openStream(server.url, '/v1/stream', { key: own.key, agent: 'a1' })
  expect((await send([event('by-own')], own.key)).status).toBe(200)
  await server.call('POST', `/api/v2/keys/${own.id}/revoke`, { cookie: tenant.cookie })
  await stream.closed
  for (const [method, path, body] of [
    ['GET', '/v1/rulesets/base/current'],
    ['GET', '/api/v1/bundles/base/current'],
    ['GET', '/v1/stream'],
    ['POST', '/v1/events', { events: [event('revoked')] }],
    ['POST', '/v1/approvals', { tool_name: 't', message: 'm' }],
    ['GET', '/v1/sessions/counter'],
  ] as const) {
    const answer = await server.call(method, path, { key: own.key, agent: 'a1', ...(body && { body }) })
    expect(answer.status, path).toBe(401)
    expect(answer.body, path).toEqual({ detail: expect.any(String) })
  }
  expect(await stored('revoked')).toEqual([])
})

test('what belongs to another tenant does not exist, whoever asks for it by its id', async () => {
  const other = await server.newTenant()
  const otherKey = (await server.newKey(other)).key
  await server.call('POST', '/api/v2/rulesets', { cookie: tenant.cookie, body: { yaml: rulesetYaml('secret') } })
  const asked = await server.call('POST', '/v1/approvals', {
    key: key.key,
    agent: 'a1',
    body: { tool_name: 'deploy', message: 'Mine?' },
  })
  const { id } = asked.body as { id: string }
  const missing = '00000000-0000-7000-8000-000000000000'
  const pairs: readonly (readonly [string, (id: string) => string, object])[] = [
    ['GET', (one) => `/v1/approvals/${one}`, { key: otherKey, agent: 'a1' }],
    ['GET', (one) => `/api/v1/approvals/${one}`, { cookie: other.cookie }],
    ['PUT', (one) => `/api/v1/approvals/${one}`, { cookie: other.cookie, body: { approved: true } }],
    ['GET', (one) => `/api/v2/approvals/${one}`, { cookie: other.cookie }],
  ]
  for (const [method, path, options] of pairs) {
    const [theirs, nobodys] = [
      await server.call(method, path(id), options),
      await server.call(method, path(missing), options),
    ]
    // A decision upon what does not exist is told as one upon what is closed.
    expect(theirs.status, path(id)).toBe(method === 'PUT' ? 409 : 404)
    const sameBody = (text: string) => text.replace(/"request_id":"[^"]*"/, '')
    expect(sameBody(theirs.text)).toBe(sameBody(nobodys.text))
  }
  expect((await server.call('GET', '/api/v2/rulesets/secret', { cookie: other.cookie })).status).toBe(404)
  expect((await server.call('GET', `/v1/approvals/${id}`, { key: key.key, agent: 'a1' })).body).toMatchObject({
    status: 'pending',
  })
})
