import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type AgentStream, openStream } from '../../../test/agent-stream.ts'
import { rollOutYaml, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())
beforeEach(async () => {
  tenant = await server.newTenant()
})

const watch = (lastEventId?: string, cookie = tenant.cookie): Promise<AgentStream> =>
  openStream(server.url, '/api/v2/stream', {
    cookie,
    headers: lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId },
  })

test('a console is told of what happens in its tenant, with an id, and of nothing else', async () => {
  const stream = await watch()
  const theirs = await server.newTenant()
  await server.newKey(theirs)
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const [event] = await stream.next(1, 'rollout.created')
  expect(event).toMatchObject({ id: expect.stringMatching(/^\d+$/), data: { ruleset: 'base', version: 1 } })
  expect(stream.events().some(({ name }) => name === 'key.created')).toBe(false)
  expect(stream.headers['content-type']).toBe('text/event-stream')
  stream.close()
})

test('a console that comes back is told what it missed, and only then what is new', async () => {
  const stream = await watch()
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const [seen] = await stream.next(1, 'rollout.created')
  stream.close()
  await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
  const again = await watch(seen?.id)
  await rollOutYaml(server, tenant, rulesetYaml('base', 'three'))
  const versions = async () => (await again.next(2, 'rollout.created')).map(({ data }) => data['version'])
  expect((await versions()).slice(-2)).toEqual([2, 3])
  expect(again.events().some(({ name }) => name === 'reset')).toBe(false)
  again.close()
})

test.each(['999999999999', '0'])(
  'an id that is not of this outbox any more (%s) is answered with reset',
  async (id) => {
    await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
    const stream = await watch(id)
    await stream.next(1, 'reset')
    stream.close()
  },
)

test('a console’s stream ends when its session does, and nobody without one gets any', async () => {
  const stream = await watch()
  expect((await server.call('DELETE', '/api/v2/session', { cookie: tenant.cookie })).status).toBe(200)
  await stream.closed
  expect(stream.events().map(({ name }) => name)).toEqual(['session.ended'])
  expect((await watch(undefined, tenant.cookie)).status).toBe(401)
  expect((await openStream(server.url, '/api/v2/stream')).status).toBe(401)
})

test('another session of the same person goes on when one ends', async () => {
  const second = await server.signIn(tenant.email)
  const stream = await watch(undefined, second)
  await server.call('DELETE', '/api/v2/session', { cookie: tenant.cookie })
  await server.newKey({ ...tenant, cookie: second })
  await stream.next(1, 'key.created')
  expect(stream.isClosed()).toBe(false)
  stream.close()
})

test('an older console is told in its own words', async () => {
  const stream = await openStream(server.url, '/api/v1/stream/dashboard', { cookie: tenant.cookie })
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const [event] = await stream.next(1, 'bundle_deployed')
  expect(event?.data).toEqual({ type: 'bundle_deployed', bundle_name: 'base', version: 1, env: 'production' })
  stream.close()
})
