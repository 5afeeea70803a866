import { type AgentDetail, type AgentRow, type AgentSort, type AgentsPage, agentSorts } from '@countersign/wire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AgentStream, eventually, openStream } from '../agent-stream.ts'
import { fetchRuleset, rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let server: ServerApart
let tenant: TestTenant
let key: string
const open: AgentStream[] = []

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
afterEach(() => {
  for (const stream of open.splice(0)) stream.close()
})

async function listen(path: string, agent: string, userAgent?: string): Promise<AgentStream> {
  const stream = await openStream(server.url, path, { key, agent, ...(userAgent !== undefined && { userAgent }) })
  open.push(stream)
  return stream
}

async function agents(query = ''): Promise<AgentsPage> {
  return (await server.call('GET', `/api/v2/agents?${query}`, { cookie: tenant.cookie })).body as AgentsPage
}

const seen = (agent: string, holds: (row: AgentRow | undefined) => boolean) =>
  eventually(async () => (await agents()).items.find(({ agent_id }) => agent_id === agent), holds)

const report = (prefix: string, agent: string, hash: string) =>
  server.call('POST', `${prefix}/events`, {
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
          policy_version: hash,
        },
      ],
    },
  })

describe.each(['/v1', '/api/v1'])('under %s', (prefix) => {
  const hashOf = async (name: string) =>
    (await fetchRuleset(server, key, `${prefix}/rulesets/${name}/current`, 'reader')).revision_hash

  test('wire 65: an agent left behind by a rollout becomes current by its next event, without reconnecting', async () => {
    await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
    const first = await hashOf('base')
    await listen(`${prefix}/stream?bundle_name=base&policy_version=${first}`, 'a1')
    await seen('a1', (row) => row?.status === 'current')
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    await seen('a1', (row) => row?.status === 'updating')
    expect((await report(prefix, 'a1', await hashOf('base'))).status).toBe(200)
    const row = await seen('a1', (one) => one?.status === 'current')
    expect(row).toMatchObject({ is_connected: true, running: { source: 'event', version: 2, ruleset: 'base' } })
    const old = await server.call('GET', '/api/v1/agents/status', { cookie: tenant.cookie })
    expect(old.body).toMatchObject({
      agents: [{ agent_id: 'a1', env: 'production', bundle_name: 'base', status: 'current' }],
    })
  })

  test('wire 66: two agents on two rulesets of one environment are both current', async () => {
    for (const name of ['base', 'other']) {
      await rollOutYaml(server, tenant, rulesetYaml(name, 'one'))
      await listen(`${prefix}/stream?bundle_name=${name}&policy_version=${await hashOf(name)}`, `follows-${name}`)
    }
    await seen('follows-base', (row) => row?.status === 'current')
    await seen('follows-other', (row) => row?.status === 'current')
    // Whoever only asked for the hashes is the third, whose row is written a moment later.
    await eventually(agents, ({ summary }) => summary.total === 3 && summary.current === 2 && summary.drifting === 0)
  })
})

test('wire 67: an agent that runs the other rendering of the current version is current', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const old = await fetchRuleset(server, key, '/api/v1/bundles/base/current', 'reader')
  const current = await fetchRuleset(server, key, '/v1/rulesets/base/current', 'reader')
  expect(old.revision_hash).not.toBe(current.revision_hash)
  await listen(`/api/v1/stream?bundle_name=base&policy_version=${old.revision_hash}`, 'old')
  await listen(`/v1/stream?bundle_name=base&policy_version=${current.revision_hash}`, 'new')
  for (const agent of ['old', 'new']) await seen(agent, (row) => row?.status === 'current')
})

test('what events say outweighs what a stream claims again, until it claims something new', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const first = (await fetchRuleset(server, key, '/v1/rulesets/base/current', 'reader')).revision_hash
  await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
  const second = (await fetchRuleset(server, key, '/v1/rulesets/base/current', 'reader')).revision_hash
  const claim = `/v1/stream?bundle_name=base&policy_version=${second}`
  const stream = await listen(claim, 'a1')
  await seen('a1', (row) => row?.running?.revision_hash === second)
  // It could not load what it had read, and says so with every call.
  await report('/v1', 'a1', first)
  await seen('a1', (row) => row?.running?.revision_hash === first)
  stream.close()
  await listen(claim, 'a1')
  await seen('a1', (row) => row?.streams === 1)
  const row = await seen('a1', (one) => one?.running?.source === 'event')
  expect(row).toMatchObject({ running: { revision_hash: first, version: 1 }, status: 'updating' })
})

test.each([
  ['/v1', 'rulesets'],
  ['/api/v1', 'bundles'],
])(
  'wire 65: an agent that only fetches from %s and never opens a stream is held against what it fetched',
  async (prefix, word) => {
    for (const name of ['base', 'other']) await rollOutYaml(server, tenant, rulesetYaml(name, 'one'))
    const fetch = (name: string) => fetchRuleset(server, key, `${prefix}/${word}/${name}/current`, 'job')
    const first = (await fetch('base')).revision_hash
    const row = await seen('job', (one) => one?.status === 'current')
    expect(row).toMatchObject({ is_connected: false, ruleset: 'base', ruleset_source: 'agent_provided' })
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    await report(prefix, 'job', first)
    await seen('job', (one) => one?.status === 'updating' && one.running?.source === 'event')
    await fetch('base')
    await seen('job', (one) => one?.status === 'current')
    // The same job, made to follow another ruleset by its code.
    await fetch('other')
    const moved = await seen('job', (one) => one?.ruleset === 'other' && one.status === 'current')
    expect(moved).toMatchObject({ ruleset_source: 'agent_provided', running: { ruleset: 'other' } })
  },
)

test('an agent that only runs what its code names is shown so, with the remedy, and counts as drift', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  await rollOutYaml(server, tenant, rulesetYaml('other', 'one'))
  await fetchRuleset(server, key, '/v1/rulesets/base/current', 'ts')
  await listen('/v1/stream', 'ts', 'node')
  await seen('ts', (row) => row?.ruleset === 'base' && row.ruleset_source === 'agent_provided')
  const body = { agent_ids: ['ts'], environment: 'production', ruleset: 'other' }
  expect((await server.call('PUT', '/api/v2/assignments', { cookie: tenant.cookie, body })).status).toBe(200)
  const row = await seen('ts', (one) => one?.ruleset === 'other')
  expect(row).toMatchObject({ status: 'drifting', cannot_follow: { asks_for: 'base', assigned: 'other' } })
  expect(row?.cannot_follow?.remedy).toContain('Name other there')
})

test('the counts are those of the rows, for every filter', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const hash = (await fetchRuleset(server, key, '/v1/rulesets/base/current', 'gone')).revision_hash
  await listen(`/v1/stream?bundle_name=base&policy_version=${hash}`, 'one')
  await listen('/v1/stream?bundle_name=nothing-live', 'two')
  await report('/v1', 'three', 'f'.repeat(64))
  await eventually(
    () => agents(),
    // Known at once, shown as connected when their streams were written down, with a status when it is known what for.
    ({ items, summary }) => items.length === 4 && summary.connected === 2 && summary.current === 2,
  )
  const all = await agents()
  for (const status of ['current', 'updating', 'drifting', 'silent', 'unknown'] as const) {
    const page = await agents(`status=${status}`)
    expect(page.items.length).toBe(all.summary[status])
    expect(page.total).toBe(page.items.length)
    expect(page.summary).toEqual(all.summary)
  }
  expect((await agents('connected=true')).items).toHaveLength(all.summary.connected)
  expect((await agents('q=TW')).items.map(({ agent_id }) => agent_id)).toEqual(['two'])
})

test('a page after a page holds every agent once', async () => {
  for (let n = 0; n < 7; n += 1) await report('/v1', `agent-${n}`, 'f'.repeat(64))
  await eventually(
    () => agents(),
    ({ items }) => items.length === 7,
  )
  const found: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: AgentsPage = await agents(`limit=3${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)
    found.push(...page.items.map(({ agent_id }) => agent_id))
    cursor = page.next_cursor
  }
  expect(found).toEqual([0, 1, 2, 3, 4, 5, 6].map((n) => `agent-${n}`))
})

test('one agent is shown with its streams, tags, assignment and manifest; names and tags can be given', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const tags = encodeURIComponent(JSON.stringify({ team: 'x', bad: 1 }))
  await listen(`/v1/stream?bundle_name=base&tags=${tags}`, 'a1', 'python-httpx/0.28')
  const manifest = {
    agent_id: 'a1',
    policy_version: 'e'.repeat(64),
    contracts: [{ id: 'no-env', type: 'pre', tool: ['read_file', 'cat'], mode: 'enforce' }, { odd: true }, null],
  }
  await server.call('POST', '/api/v1/events', { key, agent: 'a1', body: { events: [], agent_manifest: manifest } })
  const path = '/api/v2/agents/a1?environment=production'
  const show = async () => (await server.call('GET', path, { cookie: tenant.cookie })).body as AgentDetail
  const shown = await eventually(
    show,
    ({ client, manifest, live_streams }) => client != null && manifest != null && live_streams.length > 0,
  )
  expect(shown).toMatchObject({
    asks_for: 'base',
    client: 'python',
    reported_tags: { team: 'x' },
    tags: {},
    live_streams: [{ client: 'python', key_label: 'test' }],
    manifest: {
      revision_hash: 'e'.repeat(64),
      rules: [{ id: 'no-env', type: 'pre', tools: ['read_file', 'cat'], mode: 'enforce' }],
    },
  })
  const body = { display_name: 'The first', tags: { team: 'y', tier: '1' } }
  const changed = await server.call('PATCH', path, { cookie: tenant.cookie, body })
  expect(changed.body).toMatchObject({ display_name: 'The first', tags: { team: 'y', tier: '1' } })
  expect((await agents('q=first')).items).toHaveLength(1)
  const history = async (): Promise<readonly string[]> => {
    const { body } = await server.call('GET', '/api/v2/agents/a1/history?environment=production', {
      cookie: tenant.cookie,
    })
    return (body as { items: { kind: string }[] }).items.map(({ kind }) => kind).toSorted()
  }
  // The manifest names a revision, which is what the agent says it runs.
  const kinds = await eventually(history, (found) => found.includes('revision'))
  expect(kinds).toEqual(['assignment', 'connected', 'first_seen', 'revision'])
  expect((await server.call('DELETE', path, { cookie: tenant.cookie })).status).toBe(409)
})

test('the fleet is put in any order, either way, with what is unknown last, and its pages meet without a gap', async () => {
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
  const { revision_hash: hash } = await fetchRuleset(server, key, '/v1/rulesets/base/current', 'fetched')
  await listen(`/v1/stream?bundle_name=base&policy_version=${hash}`, 'on-line')
  await listen('/v1/stream', 'asks-nothing')
  await report('/v1', 'runs-it', hash)
  await report('/v1', 'odd', 'f'.repeat(64))
  key = (await server.newKey(tenant, 'staging')).key
  await listen('/v1/stream', 'runs-it')
  await report('/v1', 'last', 'e'.repeat(64))
  const count = ({ items }: AgentsPage, holds: (row: AgentRow) => boolean) => items.filter(holds).length
  // Rows are written a moment after what they tell of.
  await eventually(
    () => agents(),
    (page) =>
      count(page, () => true) === 7 &&
      count(page, ({ last_event_at }) => last_event_at !== null) === 3 &&
      count(page, ({ running }) => running !== null) === 5 &&
      count(page, ({ is_connected }) => is_connected) === 3,
  )

  const urgency = ['drifting', 'silent', 'unknown', 'updating', 'current']
  const keys: Readonly<Record<AgentSort, (row: AgentRow) => string | null>> = {
    agent: ({ agent_id }) => agent_id,
    environment: ({ environment }) => environment,
    status: ({ status }) => String(urgency.indexOf(status)),
    ruleset: ({ ruleset }) => ruleset,
    event: ({ last_event_at }) => last_event_at,
    seen: ({ is_connected, last_seen_at }) => (is_connected ? 'now' : last_seen_at),
    first: ({ first_seen_at }) => first_seen_at,
  }
  const names = (rows: readonly AgentRow[]) => rows.map(({ agent_id, environment }) => `${environment}/${agent_id}`)
  const expectInOrder = async (by: AgentSort, sort: string): Promise<void> => {
    const whole = (await agents(`sort=${sort}`)).items
    const placed = whole.map(keys[by])
    const some = placed.filter((one) => one !== null)
    expect(placed, sort).toEqual([...some, ...placed.filter((one) => one === null)])
    const rising = some.toSorted((a, b) => (a < b ? -1 : Number(a > b)))
    expect(some, sort).toEqual(sort === by ? rising : rising.toReversed())

    const read: AgentRow[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: AgentsPage = await agents(`sort=${sort}&limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
      read.push(...page.items)
      cursor = page.next_cursor
    }
    expect(names(read), sort).toEqual(names(whole))
    expect(new Set(names(read)).size).toBe(7)
  }
  for (const by of agentSorts) {
    // When somebody was last seen may still be written between two pages; it comes to rest.
    for (const sort of [by, `-${by}`]) await vi.waitFor(() => expectInOrder(by, sort), { timeout: 20_000 })
  }
  const { next_cursor } = await agents('sort=-seen&limit=2')
  for (const [sort, cursor] of [
    ['seen', next_cursor ?? ''],
    ['-seen', 'a1 production -seen yesterday'],
    ['first', 'a1 production first 1e999'],
    ['status', 'a1 production status drifting'],
    ['beauty', ''],
  ] as const) {
    const path = `/api/v2/agents?sort=${sort}&cursor=${encodeURIComponent(cursor)}`
    const answer = await server.call('GET', path, { cookie: tenant.cookie })
    expect(answer.status, `${sort}, ${cursor}`).toBe(422)
  }
})

test('what is another tenant’s does not exist, and bad input is told', async () => {
  await report('/v1', 'a1', 'f'.repeat(64))
  await eventually(
    () => agents(),
    ({ items }) => items.length === 1,
  )
  const { cookie } = await server.newTenant()
  const path = '/api/v2/agents/a1?environment=production'
  const missing = '/api/v2/agents/a9?environment=production'
  for (const [method, body] of [
    ['GET', undefined],
    ['PATCH', { display_name: 'mine' }],
    ['DELETE', undefined],
  ] as const) {
    const theirs = await server.call(method, path, { cookie, body })
    const none = await server.call(method, missing, { cookie: tenant.cookie, body })
    expect([theirs.status, none.status]).toEqual([404, 404])
    expect((theirs.body as { detail: string }).detail).toBe((none.body as { detail: string }).detail)
    expect((await server.call(method, path, { body })).status).toBe(401)
  }
  expect((await server.call('GET', '/api/v2/agents/a1', { cookie: tenant.cookie })).status).toBe(422)
  expect((await server.call('GET', '/api/v2/agents?status=odd', { cookie: tenant.cookie })).status).toBe(422)
  expect((await server.call('GET', '/api/v2/agents?cursor=odd', { cookie: tenant.cookie })).status).toBe(422)
  const empty = await server.call('PATCH', path, { cookie: tenant.cookie, body: {} })
  expect(empty.status).toBe(422)
  expect((await server.call('DELETE', path, { cookie: tenant.cookie })).status).toBe(200)
  expect((await agents()).items).toEqual([])
})
