import type { AssignmentPreview, AssignmentRule, ResolvedAssignment } from '@countersign/wire'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { openStream } from '../../../test/agent-stream.ts'
import { rollOutYaml, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())
beforeEach(async () => {
  tenant = await server.newTenant()
  await rollOutYaml(server, tenant, rulesetYaml('base'))
  await rollOutYaml(server, tenant, rulesetYaml('strict'))
})

const call = (method: string, path: string, body?: object, by = tenant): Promise<Answer> =>
  server.call(method, `/api/v2${path}`, { cookie: by.cookie, ...(body && { body }) })
const draft = { priority: 10, pattern: 'bot-*', environment: 'production', ruleset: 'strict' }
const add = async (more: object = {}): Promise<AssignmentRule> => {
  const answer = await call('POST', '/assignment-rules', { ...draft, ...more })
  expect(answer.status, answer.text).toBe(201)
  return answer.body as AssignmentRule
}
const resolve = async (agent: string): Promise<ResolvedAssignment> =>
  (await call('GET', `/assignments/resolve?agent=${agent}&environment=production`)).body as ResolvedAssignment

/** Agents that have connected once, as the fleet knows them. */
const known = async (agents: readonly (readonly [id: string, tags: object])[]): Promise<void> => {
  const { key } = await server.newKey(tenant)
  const streams = await Promise.all(
    agents.map(([agent, tags]) => {
      return openStream(server.url, `/v1/stream?tags=${encodeURIComponent(JSON.stringify(tags))}`, { key, agent })
    }),
  )
  await vi.waitFor(async () => {
    const rows = await server.db.query(`select from agents as a where a.tenant_id = $1 and a.reported_tags <> '{}'`, [
      tenant.tenant,
    ])
    expect(rows).toHaveLength(agents.length)
  }, 5_000)
  for (const stream of streams) stream.close()
}

test('a rule is added, changed field by field, cleared of its tags and removed', async () => {
  const rule = await add({ tag_match: { team: 'x' } })
  expect(rule).toMatchObject({
    ...draft,
    tag_match: { team: 'x' },
    is_rolled_out: true,
    made_by: { label: tenant.email },
  })
  const path = `/assignment-rules/${rule.id}`
  expect((await call('PATCH', path, { priority: 5 })).body).toMatchObject({ priority: 5, tag_match: { team: 'x' } })
  expect((await call('PATCH', path, { tag_match: null })).body).toMatchObject({ priority: 5, tag_match: null })
  expect((await call('GET', '/assignment-rules?environment=production')).body).toMatchObject({
    items: [{ id: rule.id }],
  })
  expect((await call('GET', '/assignment-rules?environment=staging')).body).toMatchObject({ items: [] })
  expect((await call('DELETE', path)).body).toEqual({ id: rule.id })
  expect((await call('DELETE', path)).status).toBe(404)
})

test('two rules cannot share a priority, also when they are made at once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 6 }, (_, n) => call('POST', '/assignment-rules', { ...draft, pattern: `p${n}` })),
  )
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409, 409, 409, 409])
  const other = await add({ priority: 11 })
  const clash = await call('PATCH', `/assignment-rules/${other.id}`, { priority: 10 })
  expect(clash.status).toBe(409)
  expect(clash.text).toContain('priority 10')
})

test.each([
  [{ pattern: 'a/b' }, 'pattern'],
  [{ pattern: 'a\\b' }, 'pattern'],
  [{ pattern: '' }, 'pattern'],
  [{ pattern: 'x'.repeat(201) }, 'pattern'],
  [{ pattern: 'ä' }, 'pattern'],
  [{ priority: -1 }, 'priority'],
  [{ priority: 1.5 }, 'priority'],
  [{ ruleset: 'nobody' }, 'ruleset'],
  [{ environment: 'nowhere' }, 'environment'],
  [{ tag_match: { team: 5 } }, 'tag_match'],
  [{ extra: true }, 'extra'],
])('a rule with %j is refused and the field is named', async (more, field) => {
  const answer = await call('POST', '/assignment-rules', { ...draft, ...more })
  expect(answer.status).toBe(422)
  expect(answer.text).toContain(field)
  expect((await call('GET', '/assignment-rules')).body).toMatchObject({ items: [] })
})

test('what is assigned by name wins over rules, and cleared it leaves the rules to decide', async () => {
  const rule = await add()
  expect(await resolve('bot-1')).toMatchObject({ ruleset: 'strict', source: 'rule', rule_id: rule.id })
  const put = (ruleset: string | null) =>
    call('PUT', '/assignments', { agent_ids: ['bot-1', 'bot-2'], environment: 'production', ruleset })
  expect((await put('base')).body).toEqual({ changed: 2 })
  expect((await put('base')).body).toEqual({ changed: 0 })
  expect(await resolve('bot-1')).toMatchObject({ ruleset: 'base', source: 'explicit', rule_id: null })
  const list = (await call('GET', '/assignments?limit=1')).body as { next_cursor: string }
  expect(list).toMatchObject({ items: [{ agent_id: 'bot-1', ruleset: 'base', assigned_by: { label: tenant.email } }] })
  expect((await call('GET', `/assignments?cursor=${encodeURIComponent(list.next_cursor)}`)).body).toMatchObject({
    items: [{ agent_id: 'bot-2' }],
    next_cursor: null,
  })
  expect((await put(null)).body).toEqual({ changed: 2 })
  expect(await resolve('bot-1')).toMatchObject({ ruleset: 'strict', source: 'rule' })
  expect(await resolve('web-1')).toMatchObject({ ruleset: null, source: 'none' })
  expect(
    (await call('PUT', '/assignments', { agent_ids: ['a'], environment: 'production', ruleset: 'nobody' })).status,
  ).toBe(422)
})

test('the tenant’s setting lets the agent’s own choice win, as in the older product', async () => {
  await add()
  const { key } = await server.newKey(tenant)
  const stream = await openStream(server.url, '/v1/stream?bundle_name=base', { key, agent: 'bot-7' })
  await vi.waitFor(async () => expect(await resolve('bot-7')).toMatchObject({ asked: 'base' }), 5_000)
  expect(await resolve('bot-7')).toMatchObject({ ruleset: 'strict', source: 'rule', order: 'operator_first' })
  expect((await call('PUT', '/settings/assignments.order', { value: 'agent_first' })).status).toBe(200)
  await vi.waitFor(async () => {
    expect(await resolve('bot-7')).toMatchObject({ ruleset: 'base', source: 'agent_provided', order: 'agent_first' })
  }, 5_000)
  stream.close()
})

test('a preview names exactly the agents that a moment later are moved', async () => {
  await known([
    ['bot-1', { team: 'x' }],
    ['bot-2', { team: 'y' }],
    ['bot-3', { team: 'x' }],
    ['web-1', { team: 'x' }],
  ])
  await call('PUT', '/assignments', { agent_ids: ['bot-3'], environment: 'production', ruleset: 'base' })
  const rule = { ...draft, tag_match: { team: 'x' } }
  const preview = async (body: object): Promise<AssignmentPreview> =>
    (await call('POST', '/assignment-rules/preview', body)).body as AssignmentPreview
  const agents = ['bot-1', 'bot-2', 'bot-3', 'web-1']
  const outcome = async () =>
    Object.fromEntries(await Promise.all(agents.map(async (id) => [id, (await resolve(id)).ruleset])))

  const before = await outcome()
  const added = await preview({ rule })
  expect(added).toMatchObject({ changed_count: 1, matched_count: 2 })
  expect(added.items).toMatchObject([
    {
      agent_id: 'bot-1',
      before: { ruleset: null, source: 'none' },
      after: { ruleset: 'strict', source: 'rule', rule_id: null },
    },
  ])
  expect(await outcome()).toEqual(before)
  const { id } = await add(rule)
  const then = await outcome()
  expect(agents.filter((agent) => then[agent] !== before[agent])).toEqual(added.items.map(({ agent_id }) => agent_id))

  const changed = await preview({ id, rule: { ...rule, pattern: '*', ruleset: 'base' } })
  await call('PATCH', `/assignment-rules/${id}`, { pattern: '*', ruleset: 'base' })
  const next = await outcome()
  expect(agents.filter((agent) => next[agent] !== then[agent])).toEqual(changed.items.map(({ agent_id }) => agent_id))

  const removed = await preview({ id })
  await call('DELETE', `/assignment-rules/${id}`)
  const last = await outcome()
  expect(agents.filter((agent) => last[agent] !== next[agent])).toEqual(removed.items.map(({ agent_id }) => agent_id))
  expect((await call('POST', '/assignment-rules/preview', {})).status).toBe(422)
  expect((await call('POST', '/assignment-rules/preview', { id })).status).toBe(404)
})

test('the older wire adds, changes, resolves and removes in its own words', async () => {
  const old = (method: string, path: string, body?: object): Promise<Answer> =>
    server.call(method, `/api/v1/assignment-rules${path}`, { cookie: tenant.cookie, ...(body && { body }) })
  const words = { priority: 1, pattern: 'bot-*', tag_match: { team: 'x' }, bundle_name: 'strict', env: 'production' }
  const made = await old('POST', '', words)
  expect(made.status).toBe(201)
  const { id } = made.body as { id: string }
  expect((await old('GET', '')).body).toEqual([{ id, ...words }])
  expect((await old('PATCH', `/${id}`, { priority: null, tag_match: null })).body).toEqual({ id, ...words })
  expect((await old('PATCH', `/${id}`, { tag_match: {} })).body).toEqual({ id, ...words, tag_match: null })
  expect((await old('GET', '/resolve/bot-1?env=production')).body).toEqual({
    bundle_name: 'strict',
    source: 'rule',
    rule_id: id,
    rule_pattern: 'bot-*',
  })
  const bad = await old('POST', '', { ...words, priority: 2, pattern: 'a/b' })
  expect(bad.status).toBe(400)
  expect(bad.body).toEqual({
    detail: 'Pattern must be 1 to 200 printable ASCII characters without slashes or backslashes.',
  })
  expect((await old('POST', '', words)).status).toBe(409)
  expect((await old('DELETE', `/${id}`)).body).toEqual({ id, deleted: true })
})

test('what belongs to another tenant does not exist, and needs a credential', async () => {
  const { id } = await add()
  const other = await server.newTenant()
  expect((await call('PATCH', `/assignment-rules/${id}`, { priority: 1 }, other)).status).toBe(404)
  expect((await call('DELETE', `/assignment-rules/${id}`, undefined, other)).status).toBe(404)
  expect((await call('POST', '/assignment-rules/preview', { id }, other)).status).toBe(404)
  expect((await call('GET', '/assignment-rules', undefined, other)).body).toMatchObject({ items: [] })
  const theirs = (await call('GET', '/assignments/resolve?agent=bot-1&environment=production', undefined, other)).body
  expect(theirs).toMatchObject({ ruleset: null, source: 'none' })
  for (const [method, path] of [
    ['GET', '/assignment-rules'],
    ['POST', '/assignment-rules'],
    ['POST', '/assignment-rules/preview'],
    ['PATCH', `/assignment-rules/${id}`],
    ['DELETE', `/assignment-rules/${id}`],
    ['GET', '/assignments'],
    ['PUT', '/assignments'],
    ['GET', '/assignments/resolve?agent=a&environment=production'],
  ] as const) {
    const body = method === 'POST' || method === 'PUT' || method === 'PATCH' ? {} : undefined
    expect((await server.call(method, `/api/v2${path}`, { body })).status, `${method} ${path}`).toBe(401)
  }
})

test('every act is in the trail, with what was before', async () => {
  const { id } = await add()
  await call('PATCH', `/assignment-rules/${id}`, { priority: 3 })
  await call('PUT', '/assignments', { agent_ids: ['bot-1'], environment: 'production', ruleset: 'base' })
  await call('DELETE', `/assignment-rules/${id}`)
  const rows = await server.db.query<{ act: string; bytes: Buffer }>(
    `select e.act, e.bytes from trail_entries as e
      where e.tenant_id = $1 and (e.act like 'assignment_rule.%' or e.act like 'assignment.%') order by e.arrival`,
    [tenant.tenant],
  )
  expect(rows.map(({ act }) => act)).toEqual([
    'assignment_rule.created',
    'assignment_rule.changed',
    'assignment.made',
    'assignment_rule.deleted',
  ])
  expect(JSON.parse(rows[1]?.bytes.toString() ?? '{}').details).toMatchObject({
    before: { priority: 10 },
    after: { priority: 3 },
  })
})

test('an agent that was assigned before anybody heard of it has its status as soon as it is heard of', async () => {
  const assigned = await call('PUT', '/assignments', {
    agent_ids: ['early-1'],
    environment: 'production',
    ruleset: 'strict',
  })
  expect(assigned.status, assigned.text).toBe(200)
  await add({ pattern: 'early-*', ruleset: 'base' })
  const { key } = await server.newKey(tenant)
  const { body } = await server.call('GET', '/v1/rulesets/strict/current', { key, agent: 'early-9' })
  const { revision_hash: hash } = body as { readonly revision_hash: string }
  for (const agent of ['early-1', 'early-2']) {
    const event = { call_id: `call-${agent}`, tool_name: 'shell', action: 'call_allowed', policy_version: hash }
    const sent = await server.call('POST', '/v1/events', { key, agent, body: { events: [event] } })
    expect(sent.body).toMatchObject({ accepted: 1 })
  }
  await vi.waitFor(async () => {
    const { items } = (await call('GET', '/agents?environment=production')).body as {
      readonly items: readonly object[]
    }
    expect(items).toContainEqual(expect.objectContaining({ agent_id: 'early-1', status: 'current' }))
    // Meant to run another than it reports.
    expect(items).toContainEqual(expect.objectContaining({ agent_id: 'early-2', ruleset: 'base' }))
    expect(items).not.toContainEqual(expect.objectContaining({ agent_id: 'early-2', status: 'unknown' }))
  }, 5_000)
})
