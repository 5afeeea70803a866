import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { systemClock } from '../../kernel/clock.ts'

let server: ServerApart
const clock = systemClock()
const day = 86_400_000

beforeAll(async () => {
  server = await serverApart({ clock })
})
afterAll(() => server.stop())

async function scene(events: readonly object[]) {
  const tenant = await server.newTenant()
  const { key } = await server.newKey(tenant)
  const post = (more: readonly object[]) =>
    server.call('POST', '/v1/events', { key, agent: 'a1', body: { events: more.map((one) => ({ ...flat, ...one })) } })
  if (events.length > 0) await post(events)
  const get = (path: string, as: TestTenant = tenant) => server.call('GET', `/api/v2${path}`, { cookie: as.cookie })
  return { tenant, key, post, get }
}

const flat = {
  schema_version: '0.3.0',
  call_id: 'c1',
  tool_name: 'shell',
  tool_args: { command: 'ls', password: 'hunter2' },
  action: 'call_allowed',
  mode: 'enforce',
  decision_name: null,
  timestamp: '2026-01-02T03:04:05.000Z',
}

test('what is purged is gone from lists, counts and keys, and only what is older than the cutoff', async () => {
  const { tenant, post, get } = await scene([{ call_id: 'old-1' }, { call_id: 'old-2' }])
  clock.adjust(clock.offsetMs() + 10 * day)
  const again = await server.signIn(tenant.email)
  await post([{ call_id: 'new' }])
  const purge = (body: object) => server.call('POST', '/api/v2/events/purge', { cookie: again, body })
  expect((await purge({ older_than_days: 5, confirm: 'yes' })).status).toBe(422)
  expect((await get('/events/facets', { ...tenant, cookie: again })).body).toMatchObject({ total: { count: 3 } })
  expect(await purge({ older_than_days: 5, confirm: 'purge events' })).toMatchObject({
    status: 200,
    body: { deleted_count: 2 },
  })
  expect((await get('/events', { ...tenant, cookie: again })).body).toMatchObject({ items: [{ call_id: 'new' }] })
  expect((await get('/events/facets', { ...tenant, cookie: again })).body).toMatchObject({ total: { count: 1 } })
  // Its key went with it, so what comes again is stored again.
  expect((await post([{ call_id: 'old-1' }])).body).toMatchObject({ accepted: 1 })
  const legacy = await server.call('DELETE', '/api/v1/settings/purge-events?older_than_days=5', { cookie: again })
  expect(legacy).toMatchObject({ status: 200, body: { deleted_count: 0 } })
  const missing = await server.call('DELETE', '/api/v1/settings/purge-events', { cookie: again })
  expect(missing.status).toBe(422)
  clock.adjust(0)
})

test('an export holds every event of the filter, and no field that a spreadsheet would run', async () => {
  const { get } = await scene([
    { call_id: '=cmd()', reason: '+1, "quoted"\nline', decision_name: '@rule' },
    { call_id: 'plain', tool_name: '-tool' },
  ])
  const csv = await get('/events/export?format=csv')
  expect(csv.status).toBe(200)
  expect(csv.headers.get('content-disposition')).toContain('events.csv')
  expect(csv.text).toContain(`"'+1, ""quoted""\nline"`)
  expect(csv.text).toContain(`,'=cmd(),`)
  expect(csv.text).toContain(`,'@rule,`)
  expect(csv.text).toContain(`,'-tool,`)
  const lines = (await get('/events/export?format=jsonl&tool=shell')).text.trim().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { call_id: string }).call_id)).toEqual(['=cmd()'])
})

test('secrets in arguments are hidden before anything is stored', async () => {
  const { get } = await scene([{}])
  const list = (await get('/events')).body as { items: { id: string; flags: string[] }[] }
  expect(list.items[0]?.flags).toContain('redacted')
  const detail = await get(`/events/${list.items[0]?.id}`)
  expect(detail.text).not.toContain('hunter2')
  const stored = await server.db.query<{ payload: string }>('select e.payload from events as e')
  expect(stored.some(({ payload }) => payload.includes('hunter2'))).toBe(false)
})

test('the story of a call tells all its events in order, and nobody else’s', async () => {
  const { get } = await scene([
    { action: 'call_executed', timestamp: '2026-01-02T03:04:09.000Z' },
    { action: 'call_asked', timestamp: '2026-01-02T03:04:05.000Z' },
    { action: 'call_allowed', call_id: 'another' },
  ])
  const list = (await get('/events')).body as { items: { id: string }[] }
  const detail = await get(`/events/${list.items[0]?.id}`)
  expect(detail.body).toMatchObject({ story: [{ verdict: 'call_asked' }, { verdict: 'call_executed' }] })
  const stranger = await server.newTenant()
  expect((await get(`/events/${list.items[0]?.id}`, stranger)).status).toBe(404)
})

test('numbers that a double cannot hold and text that cannot be stored come back as they can be shown', async () => {
  const { key, get } = await scene([])
  const body = `{"events":[{"action":"call_allowed","tool_name":"t\\u0000ool","timestamp":"nonsense","tool_args":{"n":12345678901234567890,"s":"a\\u0000\\ud800"}}]}`
  expect((await server.call('POST', '/v1/events', { key, body })).body).toEqual({ accepted: 1, duplicates: 0 })
  const list = (await get('/events')).body as { items: { id: string; flags: string[]; tool: string }[] }
  expect(list.items[0]?.flags.toSorted()).toEqual(['exact_numbers', 'odd_text', 'time_unreadable'])
  expect(list.items[0]?.tool).toBe('t\\u0000ool')
  expect((await get(`/events/${list.items[0]?.id}`)).text).toContain('12345678901234567890')
})

test('hostile events cost themselves and nothing else', async () => {
  const { key } = await scene([])
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const body = `{"events":[{"action":"call_allowed","tool_name":"a","tool_args":${deep}},7,null,[],{"action":"call_allowed","tool_name":"${'x'.repeat(100_000)}","__proto__":{"a":1}},{"action":"x","tool_name":"b","timestamp":"9999999-01-01T00:00:00Z"}]}`
  const answer = await server.call('POST', '/v1/events', { key, body })
  expect(answer).toMatchObject({ status: 200, body: { accepted: 2, duplicates: 0 } })
  expect((answer.body as { rejected: { index: number }[] }).rejected.map(({ index }) => index)).toEqual([0, 1, 2, 3])
})

test('the overview tells the day, the search finds by name and id, the older figures agree', async () => {
  const now = new Date(clock.now().getTime() - 60_000).toISOString()
  const { key, get } = await scene([
    { timestamp: now, call_id: 'find-me', action: 'call_blocked', decision_name: 'no-shell' },
    { timestamp: now, tool_name: 'read' },
  ])
  const seen = await get('/overview')
  expect(seen).toMatchObject({
    status: 200,
    body: {
      day: { events: 2, blocked: 1, allowed: 1, active_agents: 1 },
      top_blocked_rules: [{ rule: 'no-shell', count: 1 }],
      start: { has_key: true, has_event: true, has_rollout: false, is_done: false },
    },
  })
  expect((await get('/search?q=find-me')).body).toMatchObject({ hits: [{ kind: 'call', label: 'find-me' }] })
  const stats = await server.call('GET', '/api/v1/stats/overview', { key })
  expect(stats.body).toMatchObject({ events_24h: 2, denials_24h: 1, contracts_triggered_24h: 1, active_agents: 1 })
})
