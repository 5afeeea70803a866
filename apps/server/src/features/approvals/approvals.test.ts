import type { ApprovalDetail, ApprovalItem, ApprovalsPage, DecisionsResult } from '@countersign/wire'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'
import { sha256Hex } from '../../kernel/crypto.ts'
import { sqlState } from '../../kernel/db.ts'

let server: ServerApart
let tenant: TestTenant
let key: string
const clock = testClock('2026-03-01T10:00:00.000Z')

beforeAll(async () => {
  server = await serverApart({ clock })
})
afterAll(() => server.stop())
beforeEach(async () => {
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  await server.call('PUT', '/api/v2/settings/approvals.per_minute', { cookie: tenant.cookie, body: { value: 10_000 } })
})

/** A body as text, since JSON.stringify would change what some tests send. */
const askRaw = (body: string, agent = 'a1'): Promise<Answer> =>
  server.call('POST', '/v1/approvals', { key, agent, body })
const ask = async (more: object = {}, agent = 'a1'): Promise<string> => {
  const answer = await askRaw(
    JSON.stringify({ tool_name: 'deploy', tool_args: { to: 'x' }, message: 'May I?', ...more }),
    agent,
  )
  expect(answer.status).toBe(201)
  return (answer.body as { id: string }).id
}
const get = (path: string, cookie = tenant.cookie): Promise<Answer> => server.call('GET', `/api/v2${path}`, { cookie })
const post = (path: string, body: object, cookie = tenant.cookie): Promise<Answer> =>
  server.call('POST', `/api/v2${path}`, { cookie, body })
const detail = async (id: string): Promise<ApprovalDetail> => (await get(`/approvals/${id}`)).body as ApprovalDetail
const list = async (query = ''): Promise<ApprovalsPage> => (await get(`/approvals${query}`)).body as ApprovalsPage

test('a secret argument is nowhere: not in the table, the outbox, the trail or any answer', async () => {
  const secret = 'hunter2-and-more'
  const body = {
    tool_name: 'login',
    message: 'psql --password=hunter2-and-more',
    tool_args: { user: 'u', password: secret },
  }
  const asked = await askRaw(JSON.stringify(body))
  const { id } = asked.body as { id: string }
  const shown = await get(`/approvals/${id}`)
  expect(asked.text + shown.text).not.toContain('hunter2')
  expect(JSON.parse((shown.body as ApprovalDetail).args_json ?? '')).toEqual({ user: 'u', password: '[REDACTED]' })
  expect(shown.body).toMatchObject({ args_is_redacted: true, args_is_escaped: false })
  const rows = await server.db.query<{ text: string }>(
    `select a::text as text from approvals as a
      union all select o.body::text from outbox as o
      union all select convert_from(e.bytes, 'UTF8') from trail_entries as e`,
  )
  expect(rows.length).toBeGreaterThan(2)
  for (const { text } of rows) expect(text).not.toContain('hunter2')
})

test('numbers a double cannot hold keep their digits, and text the database cannot hold is escaped and flagged', async () => {
  const asked = await askRaw(
    '{"tool_name":"pay\\u0000","message":"m\\ud800","tool_args":{"amount":12345678901234567890.10,"note":"a\\u0000b"}}',
  )
  expect(asked.status).toBe(201)
  expect(asked.text).toContain('12345678901234567890.10')
  const shown = await detail((asked.body as { id: string }).id)
  expect(shown.args_json).toBe('{"amount":12345678901234567890.10,"note":"a\\\\u0000b"}')
  expect(shown.digest_json).toContain('12345678901234567890.10')
  expect(shown).toMatchObject({ tool: 'pay\\u0000', message: 'm\\ud800', args_is_escaped: true })
})

test('the digest covers exactly what is shown, and the trail has it from the moment it was asked', async () => {
  const id = await ask({ session_id: 's1', timeout: 60 })
  const shown = await detail(id)
  expect(sha256Hex(shown.digest_json)).toBe(shown.digest)
  expect(JSON.parse(shown.digest_json)).toEqual({
    v: 1,
    tenant: tenant.tenant,
    id,
    agent: 'a1',
    environment: 'production',
    session: 's1',
    tool: 'deploy',
    args: { to: 'x' },
    args_seal: expect.stringMatching(/^[0-9a-f]{8}:[0-9a-f]{64}$/),
    message: 'May I?',
    deadline: shown.deadline,
    on_timeout: 'block',
    revision: null,
  })
  await post(`/approvals/${id}/decision`, { approve: true, reason: 'fine' })
  const entries = await server.db.query<{ act: string; outcome: string; entry: string }>(
    `select e.act, e.outcome, convert_from(e.bytes, 'UTF8') as entry from trail_entries as e where e.subject_id = $1 order by e.arrival`,
    [id],
  )
  expect(entries.map(({ act, outcome }) => [act, outcome])).toEqual([
    ['approval.requested', 'held'],
    ['approval.approved', 'done'],
  ])
  for (const { entry } of entries) expect(entry).toContain(shown.digest)
  // Names, addresses and free text are sealed, so that they can be erased.
  expect(entries[1]?.entry).not.toContain('fine')
})

test('what was asked, and what was settled, cannot be changed or removed by the role the server runs as', async () => {
  const id = await ask()
  const attack = (text: string): Promise<string> =>
    server.db.query(text, [id]).then(
      () => 'done',
      (cause: unknown) => sqlState(cause),
    )
  expect(await attack(`update approvals as a set tool = 'other' where a.id = $1`)).toBe('23001')
  expect(await attack(`update approvals as a set deadline = a.deadline + interval '1 day' where a.id = $1`)).toBe(
    '23001',
  )
  expect(await attack('delete from approvals as a where a.id = $1')).toBe('42501')
  await post(`/approvals/${id}/decision`, { approve: false })
  expect(await attack(`update approvals as a set status = 'approved' where a.id = $1`)).toBe('23001')
  expect(
    await attack(
      `update approvals as a set settled_at = null, settled_by_kind = null, settled_via = null, status = 'pending' where a.id = $1`,
    ),
  ).toBe('23001')
  expect((await detail(id)).status).toBe('denied')
})

test('a decision says who, from where, through which door, when and why', async () => {
  const id = await ask()
  await clock.moveBy(5_000)
  const decided = await server.call('POST', `/api/v2/approvals/${id}/decision`, {
    cookie: tenant.cookie,
    body: { approve: false, reason: 'not on a Friday' },
    headers: { 'user-agent': 'a browser' },
  })
  expect(decided.body).toMatchObject({
    status: 'denied',
    decision: {
      by: { kind: 'person', id: tenant.person, label: tenant.email },
      via: 'console',
      reason: 'not on a Friday',
      at: clock.now().toISOString(),
      address: '127.0.0.1',
      user_agent: 'a browser',
      claimed_by: null,
    },
  })
  const again = await post(`/approvals/${id}/decision`, { approve: true })
  expect(again.status).toBe(409)
  expect(again.body).toMatchObject({
    code: 'already_decided',
    approval_status: 'denied',
    detail: `This approval cannot be decided any more: it was denied by ${tenant.email}.`,
  })
})

test('many are decided in one request, each by itself', async () => {
  const [one = '', two = '', three = ''] = [await ask(), await ask(), await ask()]
  await post(`/approvals/${two}/decision`, { approve: false })
  const answer = await post('/approvals/decisions', {
    decisions: [
      { id: one, approve: true },
      { id: two, approve: true },
      { id: '0190f5a0-0000-7000-8000-00000000abcd', approve: true },
      { id: three, approve: false, reason: 'no' },
    ],
  })
  const { results } = answer.body as DecisionsResult
  expect(results.map(({ is_ok, problem }) => [is_ok, problem?.code])).toEqual([
    [true, undefined],
    [false, 'already_decided'],
    [false, 'not_found'],
    [true, undefined],
  ])
  expect([(await detail(one)).status, (await detail(two)).status, (await detail(three)).status]).toEqual([
    'approved',
    'denied',
    'denied',
  ])
  const tooMany = Array.from({ length: 201 }, () => ({ id: one, approve: true }))
  expect((await post('/approvals/decisions', { decisions: tooMany })).status).toBe(422)
  expect((await post('/approvals/decisions', { decisions: [] })).status).toBe(422)
})

test('bad input, no credential and another tenant change nothing and learn nothing', async () => {
  const id = await ask()
  const stranger = await server.newTenant()
  const unknown = '0190f5a0-0000-7000-8000-00000000abcd'
  const asStranger = { cookie: stranger.cookie, body: { approve: true } }
  const told = await server.call('POST', `/api/v2/approvals/${id}/decision`, asStranger)
  const notThere = await server.call('POST', `/api/v2/approvals/${unknown}/decision`, asStranger)
  expect(told.status).toBe(404)
  expect({ ...(told.body as object), request_id: '' }).toEqual({ ...(notThere.body as object), request_id: '' })
  expect((await get(`/approvals/${id}`, stranger.cookie)).status).toBe(404)
  expect(((await get('/approvals', stranger.cookie)).body as ApprovalsPage).items).toEqual([])
  expect(
    (await server.call('POST', `/api/v2/approvals/${id}/cancellation`, { cookie: stranger.cookie, body: {} })).status,
  ).toBe(404)
  for (const path of ['/approvals', `/approvals/${id}`])
    expect((await server.call('GET', `/api/v2${path}`)).status).toBe(401)
  expect((await server.call('POST', `/api/v2/approvals/${id}/decision`, { body: { approve: true } })).status).toBe(401)
  // An agent's key opens no door of ours.
  expect((await server.call('POST', `/api/v2/approvals/${id}/decision`, { key, body: { approve: true } })).status).toBe(
    401,
  )
  for (const body of [
    {},
    { approve: 'yes' },
    { approve: true, reason: 'r'.repeat(2001) },
    { approve: true, more: 1 },
  ]) {
    expect((await post(`/approvals/${id}/decision`, body)).status).toBe(422)
  }
  expect((await get('/approvals?cursor=nonsense')).status).toBe(422)
  expect((await get('/approvals?status=odd')).status).toBe(422)
  expect((await detail(id)).status).toBe('pending')
})

test('pending ones come soonest deadline first, settled ones newest first, and pages neither skip nor repeat', async () => {
  const made: { id: string; deadline: number }[] = []
  for (const timeout of [500, 100, 300, 200, 400, 100]) made.push({ id: await ask({ timeout }), deadline: timeout })
  const walk = async (query: string): Promise<string[]> => {
    const ids: string[] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const page: ApprovalsPage = await list(`?limit=2${query}${cursor === '' ? '' : `&cursor=${cursor}`}`)
      expect(page.total).toBe(6)
      ids.push(...page.items.map(({ id }) => id))
      cursor = page.next_cursor
    }
    return ids
  }
  const byDeadline = made.toSorted((a, b) => a.deadline - b.deadline || (a.id < b.id ? -1 : 1)).map(({ id }) => id)
  expect(await walk('&status=pending')).toEqual(byDeadline)
  expect(await walk('')).toEqual(made.map(({ id }) => id).toReversed())
})

test('filters narrow the list, and one past its deadline is told as timed out', async () => {
  const early = await ask({ timeout: 10, tool_name: 'early_100%' })
  const late = await ask({ timeout: 1000, message: 'Something rare' }, 'a2')
  const ids = async (query: string): Promise<string[]> => (await list(query)).items.map(({ id }) => id)
  expect(await ids('?q=100%25')).toEqual([early])
  expect(await ids('?q=RARE')).toEqual([late])
  expect(await ids('?agent=a2')).toEqual([late])
  expect(await ids('?environment=staging')).toEqual([])
  const row = (await list('?status=pending')).items[0]
  expect(row?.id).toBe(early)
  await clock.moveBy(10_000)
  expect(await ids('?status=timed_out')).toEqual([early])
  expect(await ids('?status=pending')).toEqual([late])
  expect((await list()).pending_total).toBe(1)
  expect(await ids('?status=settled')).toEqual([early])
})

test('the worker writes a timeout down once, tells everybody once, and the trail has it', async () => {
  const id = await ask({ timeout: 5 })
  const told: string[] = []
  const stop = server.app.bus.on('approval.timed_out', ({ body }) => told.push(String(body['approval_id'])))
  await clock.moveBy(8_000)
  await expect.poll(() => told).toEqual([id])
  await clock.moveBy(5_000)
  expect(told).toEqual([id])
  stop()
  const acts = await server.db.query<{ act: string }>(
    `select e.act from trail_entries as e where e.subject_id = $1 order by e.arrival`,
    [id],
  )
  expect(acts.map(({ act }) => act)).toEqual(['approval.requested', 'approval.timed_out'])
  expect(await detail(id)).toMatchObject({ status: 'timed_out', decision: { via: 'system', by: { kind: 'system' } } })
})

test('how the like was decided before is told, equal arguments first', async () => {
  const same = await ask({ tool_args: { b: 2, a: 1 } })
  const other = await ask({ tool_args: { a: 9 } })
  await post(`/approvals/${same}/decision`, { approve: true })
  await post(`/approvals/${other}/decision`, { approve: false })
  await ask({ tool_name: 'another' })
  const shown = await detail(await ask({ tool_args: { a: 1, b: 2 } }))
  expect(shown.similar.counts).toEqual({ approved: 1, denied: 1, timed_out: 0, cancelled: 0 })
  expect(shown.similar.items.map(({ id, has_same_args }) => [id, has_same_args])).toEqual([
    [same, true],
    [other, false],
  ])
})

test('what became of an approved call is told from the events its agent reports', async () => {
  const id = await ask({ session_id: 's1' })
  await server.call('GET', `/v1/approvals/${id}`, { key, agent: 'a1' })
  await post(`/approvals/${id}/decision`, { approve: true })
  expect((await detail(id)).fate).toMatchObject({ outcome: 'unknown', certainty: 'none' })
  const event = (action: string): object => ({
    call_id: 'c1',
    agent_id: 'a1',
    session_id: 's1',
    tool_name: 'deploy',
    tool_args: { to: 'x' },
    action,
    mode: 'enforce',
    timestamp: clock.now().toISOString(),
  })
  const events = ['call_asked', 'call_approval_granted', 'call_executed'].map(event)
  expect((await server.call('POST', '/v1/events', { key, agent: 'a1', body: { events } })).body).toMatchObject({
    accepted: 3,
  })
  expect((await detail(id)).fate).toMatchObject({ outcome: 'succeeded', certainty: 'certain', call_id: 'c1' })
})

test('a request nobody ever polls is marked as an orphan, and one that is polled is not', async () => {
  const [polled, orphan] = [await ask(), await ask()]
  await server.call('GET', `/v1/approvals/${polled}`, { key, agent: 'a1' })
  // A person who looks is not the agent that waits.
  await detail(orphan)
  await clock.moveBy(20_000)
  const byId = new Map((await list()).items.map((item): [string, ApprovalItem] => [item.id, item]))
  expect(byId.get(polled)).toMatchObject({ is_orphaned: false, last_polled_at: expect.any(String) })
  expect(byId.get(orphan)).toMatchObject({ is_orphaned: true, last_polled_at: null })
})
