import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStream } from '../agent-stream.ts'
import { type TestDatabase, testDatabase } from '../database.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let database: TestDatabase
let server: TestServer
let tenant: TestTenant
let key: string

beforeAll(async () => {
  database = await testDatabase()
  const environment = { COUNTERSIGN_BASE_URL: 'http://localhost:8000/edictum' }
  server = await testServer({ databaseUrl: database.url, environment })
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  await rollOutYaml(server, tenant, rulesetYaml('base'))
})
afterAll(async () => {
  await server.stop()
  await expectWholeTrail(database.url)
  await database.drop()
})

/** What a client of a generation sends, path by path and word by word (agent-api §8.2). */
const generations = [
  {
    name: 'Python 0.16 and its like',
    prefix: '/api/v1',
    fetch: '/bundles/base/current?env=production',
    stream: '/stream?env=production&bundle_name=base',
    effect: { timeout_effect: 'deny' },
    event: { verdict: 'call_denied', payload: { tool_args: { path: '.env' }, environment: 'production' } },
    stored: 'call_denied',
    kind: 'kind: ContractBundle',
  },
  {
    name: 'Python 0.19 and its like',
    prefix: '/v1',
    fetch: '/rulesets/base/current?env=production',
    stream: '/stream?env=production&bundle_name=base',
    effect: { timeout_action: 'block', session_id: 'session-1' },
    event: { action: 'call_blocked', tool_args: { path: '.env' }, environment: 'production', session_id: 'session-1' },
    stored: 'call_blocked',
    kind: 'kind: Ruleset',
  },
] as const

describe.each([
  ['at the root', ''],
  ['under the sub-path of its base URL', '/edictum'],
])('%s', (where, base) => {
  test.each(generations)('wire 70: a client of the generation of $name works end to end', async (generation) => {
    const agent = `${where.slice(0, 2)}-${generation.prefix.length}`
    // Every SDK announces JSON on every request, also on those without a body.
    const send = (method: string, path: string, body?: object): Promise<Answer> =>
      server.call(method, `${base}${generation.prefix}${path}`, {
        key,
        agent,
        headers: { 'content-type': 'application/json' },
        ...(body !== undefined && { body }),
      })

    const fetched = await send('GET', generation.fetch)
    expect(fetched.status).toBe(200)
    const ruleset = fetched.body as { yaml_bytes: string; revision_hash: string }
    expect(Buffer.from(ruleset.yaml_bytes, 'base64').toString()).toContain(generation.kind)

    const stream = await openStream(server.url, `${base}${generation.prefix}${generation.stream}`, { key, agent })
    const [first] = await stream.next(1, 'contract_update')
    expect(first?.data).toMatchObject({ revision_hash: ruleset.revision_hash })
    stream.close()

    // The session calls of one allowed call, in their order (agent-api §7).
    const id = `s:${agent}`
    expect((await send('POST', `/sessions/${id}:attempts/increment`, { amount: 1 })).body).toEqual({ value: 1 })
    const batch = await send('POST', '/sessions/batch', { keys: [`${id}:attempts`, `${id}:execs`] })
    expect(batch.body).toEqual({ values: { [`${id}:attempts`]: '1', [`${id}:execs`]: null } })
    expect((await send('GET', `/sessions/${id}:execs`)).status).toBe(404)
    expect((await send('POST', `/sessions/${id}:execs/increment`, { amount: 1 })).body).toEqual({ value: 1 })
    expect((await send('DELETE', `/sessions/${id}:consec_fail`)).status).toBe(200)
    expect((await send('GET', `/sessions/${id}:execs`)).body).toEqual({ value: '1' })

    const question = { agent_id: agent, tool_name: 'deploy', tool_args: { to: 'x' }, message: 'May I?', timeout: 300 }
    const asked = await send('POST', '/approvals', { ...question, ...generation.effect })
    expect(asked.status).toBe(201)
    const approval = asked.body as { id: string }
    const polled = `/approvals/${approval.id}`
    expect((await send('GET', polled)).body).toMatchObject({ status: 'pending' })
    const decided = await server.call('PUT', `${base}/api/v1/approvals/${approval.id}`, {
      cookie: tenant.cookie,
      body: { approved: true, reason: 'fine' },
    })
    expect(decided.status).toBe(200)
    expect((await send('GET', polled)).body).toMatchObject({ status: 'approved', decision_reason: 'fine' })

    const event = {
      call_id: `call-${agent}`,
      agent_id: agent,
      tool_name: 'read_file',
      mode: 'enforce',
      timestamp: '2026-03-01T10:00:00.000000+00:00',
      ...generation.event,
    }
    expect((await send('POST', '/events', { events: [event] })).body).toMatchObject({ accepted: 1, duplicates: 0 })
    const told = JSON.stringify((await send('GET', `/events?agent_id=${agent}`)).body)
    expect(told).toContain(generation.stored)
  })
})
