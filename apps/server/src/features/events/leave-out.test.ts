import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let tenant: TestTenant

const at = '2026-01-02T03:04:05.000Z'
const range = 'since=2026-01-02T00:00:00Z&until=2026-01-03T00:00:00Z'
const sent = [
  ['build-1', 'read_file', 'call_allowed', null],
  ['build-2', 'read_file', 'call_blocked', 'no-secrets'],
  ['build-2', 'shell', 'call_blocked', 'no-shell'],
  ['build_3', 'shell', 'call_allowed', null],
  ['Build-4', 'kubectl_get', 'call_asked', 'ask-first'],
  ['deploy', 'kubectl_get', 'call_allowed', null],
] as const

beforeAll(async () => {
  server = await serverApart()
  tenant = await server.newTenant()
  const { key } = await server.newKey(tenant)
  const events = sent.map(([agent_id, tool_name, action, decision_name], index) => ({
    call_id: `call-${index}`,
    agent_id,
    tool_name,
    action,
    decision_name,
    mode: 'enforce',
    timestamp: at,
  }))
  for (const event of events) {
    const answer = await server.call('POST', '/v1/events', { key, agent: event.agent_id, body: { events: [event] } })
    expect(answer.status).toBe(200)
  }
})
afterAll(() => server.stop())

/** Which of the sent ones are found, by list; the counts must say the same. */
async function found(query: string): Promise<readonly number[]> {
  const read = async (path: string) => {
    const answer = await server.call('GET', `/api/v2/events${path}?${range}&${query}`, { cookie: tenant.cookie })
    expect(answer.status, answer.text).toBe(200)
    return answer.body
  }
  const { items } = (await read('')) as { items: readonly { call_id: string }[] }
  const facets = (await read('/facets')) as { total: { count: number } }
  const histogram = (await read('/histogram')) as { total: number }
  expect([facets.total.count, histogram.total]).toEqual([items.length, items.length])
  return items.map(({ call_id }) => Number(call_id.slice(5))).toSorted()
}

test('what is left out is gone from the list and from every count', async () => {
  expect(await found('not_agent=build-2')).toEqual([0, 3, 4, 5])
  expect(await found('not_agent=build-2&not_agent=deploy')).toEqual([0, 3, 4])
  expect(await found('not_tool=shell&not_verdict=blocked')).toEqual([0, 4, 5])
  expect(await found('agent=build-2&not_tool=shell')).toEqual([1])
  expect(await found('not_environment=production')).toEqual([])
  expect(await found('not_mode=enforce')).toEqual([])
})

test('leaving out what nobody ever said leaves everything, asking for it finds nothing', async () => {
  expect(await found('not_agent=nobody')).toEqual([0, 1, 2, 3, 4, 5])
  expect(await found('agent=nobody')).toEqual([])
})

test('events that name no rule can be left out or asked for', async () => {
  expect(await found('not_rule=')).toEqual([1, 2, 4])
  expect(await found('rule=')).toEqual([0, 3, 5])
})

test('an asterisk stands for any characters; nothing else does, and letter case counts', async () => {
  expect(await found('agent=build-*')).toEqual([0, 1, 2])
  expect(await found('agent=build_*')).toEqual([3])
  expect(await found('agent=*')).toEqual([0, 1, 2, 3, 4, 5])
  expect(await found('agent=b%25')).toEqual([])
  expect(await found('not_agent=*uild*')).toEqual([5])
  expect(await found('tool=kubectl_*&not_rule=ask-*')).toEqual([5])
  expect(await found('agent=build-*&agent=deploy')).toEqual([0, 1, 2, 5])
})

test('a text is searched for within what is not left out', async () => {
  expect(await found('q=build-2&not_tool=shell')).toEqual([1])
})

test('values of a facet stay in sight when they are left out', async () => {
  const answer = await server.call('GET', `/api/v2/events/facets?${range}&not_agent=build-2`, { cookie: tenant.cookie })
  const { facets } = answer.body as { facets: { agent: { values: { value: string; count: number }[] } } }
  expect(facets.agent.values.find(({ value }) => value === 'build-2')).toEqual({ value: 'build-2', count: 2 })
})
