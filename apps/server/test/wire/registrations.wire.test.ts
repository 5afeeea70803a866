import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually, openStream } from '../agent-stream.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let server: ServerApart
let tenant: TestTenant
let key: string

beforeAll(async () => {
  server = await serverApart()
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
})
beforeEach(async () => {
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
})

const report = (agent: string, more: object = {}) =>
  server.call('POST', '/v1/events', {
    key,
    agent,
    body: {
      events: [
        {
          call_id: crypto.randomUUID(),
          agent_id: agent,
          tool_name: 'read_file',
          action: 'call_allowed',
          mode: 'enforce',
          timestamp: new Date().toISOString(),
          ...more,
        },
      ],
    },
  })

type Registration = { readonly agent_id: string; readonly bundle_name: string | null; readonly resolved_bundle: string }
const registrations = async (holds: (rows: readonly Registration[]) => boolean) =>
  eventually(
    async () =>
      (await server.call('GET', '/api/v1/agent-registrations', { cookie: tenant.cookie })).body as Registration[],
    holds,
  )

test.each(['/v1', '/api/v1'])('wire 69: %s answers the newest workflow of a session, or 404', async (prefix) => {
  const path = `${prefix}/agents/a1/workflow-state?session_id=s1`
  expect((await server.call('GET', path, { key, agent: 'a1' })).status).toBe(404)
  await report('a1', { session_id: 's1', workflow: { active_stage: 'build' } })
  await report('a1', { session_id: 's1', workflow: { active_stage: 'deploy' }, timestamp: new Date().toISOString() })
  const answer = await eventually(
    () => server.call('GET', path, { key, agent: 'a1' }),
    ({ status }) => status === 200,
  )
  expect(answer.body).toMatchObject({ active_stage: 'deploy' })
  expect((await server.call('GET', path)).status).toBe(401)
  const staging = await server.newKey(tenant, 'staging')
  expect((await server.call('GET', path, { key: staging.key, agent: 'a1' })).status).toBe(404)
})

test('older clients list, name, tag and assign agents, one by one and many at once', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  for (const agent of ['a1', 'a2']) await report(agent)
  await registrations((rows) => rows.length === 2)
  const patch = (body: object, agent = 'a1') =>
    server.call('PATCH', `/api/v1/agent-registrations/${agent}`, { cookie: tenant.cookie, body })
  const named = await patch({ display_name: 'One', tags: { team: 'x' }, bundle_name: 'base' })
  expect(named.body).toMatchObject({ agent_id: 'a1', display_name: 'One', tags: { team: 'x' }, bundle_name: 'base' })
  await registrations((rows) => rows[0]?.bundle_name === 'base' && rows[1]?.bundle_name === null)
  expect((await patch({ bundle_name: '' })).body).toMatchObject({ bundle_name: null })
  const bulk = { agent_ids: ['a1', 'a2', 'nobody'], bundle_name: 'base' }
  const assigned = await server.call('POST', '/api/v1/agent-registrations/bulk-assign', {
    cookie: tenant.cookie,
    body: bulk,
  })
  expect(assigned.body).toEqual({ updated: 2 })
  await registrations((rows) => rows.every(({ resolved_bundle }) => resolved_bundle === 'base'))
  const history = await server.call('GET', '/api/v1/agents/a1/history', { cookie: tenant.cookie })
  const types = (history.body as { events: { type: string }[] }).events.map(({ type }) => type)
  expect(types).toEqual(expect.arrayContaining(['first_seen', 'assignment', 'deployment']))
})

test('wire 28: an agent that connected this moment can be assigned with others, and is moved at once', async () => {
  for (const name of ['base', 'other']) await rollOutYaml(server, tenant, rulesetYaml(name))
  const stream = await openStream(server.url, '/api/v1/stream?bundle_name=base', { key, agent: 'new' })
  await stream.next(1, 'contract_update')
  const bulk = { agent_ids: ['new', 'nobody'], bundle_name: 'other' }
  const assigned = await server.call('POST', '/api/v1/agent-registrations/bulk-assign', {
    cookie: tenant.cookie,
    body: bulk,
  })
  expect(assigned.body).toEqual({ updated: 1 })
  const [, moved] = await stream.next(2, 'contract_update')
  expect(moved?.data).toMatchObject({ _assignment_changed: true, bundle_name: 'other' })
  stream.close()
})

test('an agent that was given a ruleset before it ever connected can be given another in the same way', async () => {
  for (const name of ['base', 'other']) await rollOutYaml(server, tenant, rulesetYaml(name))
  const given = { agent_ids: ['later'], environment: 'production', ruleset: 'base' }
  await server.call('PUT', '/api/v2/assignments', { cookie: tenant.cookie, body: given })
  const assigned = await server.call('POST', '/api/v1/agent-registrations/bulk-assign', {
    cookie: tenant.cookie,
    body: { agent_ids: ['later'], bundle_name: 'other' },
  })
  expect(assigned.body).toEqual({ updated: 1 })
  const stream = await openStream(server.url, '/api/v1/stream', { key, agent: 'later' })
  const [event] = await stream.next(1, 'contract_update')
  expect(event?.data).toMatchObject({ bundle_name: 'other' })
  stream.close()
})

test('to another tenant none of it exists, and nobody without a session is answered', async () => {
  await report('a1')
  await registrations((rows) => rows.length === 1)
  const { cookie } = await server.newTenant()
  const paths = ['/api/v1/agent-registrations', '/api/v1/agents/status', '/api/v1/agents/a1/history']
  for (const path of paths) expect((await server.call('GET', path)).status).toBe(401)
  expect((await server.call('GET', '/api/v1/agent-registrations', { cookie })).body).toEqual([])
  expect((await server.call('GET', '/api/v1/agents/a1/history', { cookie })).status).toBe(404)
  const body = { display_name: 'mine' }
  expect((await server.call('PATCH', '/api/v1/agent-registrations/a1', { cookie, body })).status).toBe(404)
})
