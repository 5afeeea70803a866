import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let owner: pg.Client
let acme: TestTenant
let agentKey: string

beforeAll(async () => {
  server = await serverApart()
  owner = new pg.Client({ connectionString: server.database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await server.stop()
})
beforeEach(async () => {
  acme = await server.newTenant()
  agentKey = (await server.newKey(acme)).key
})

type Body = Readonly<Record<string, unknown>>

async function call(cookie: string, method: string, path: string, body?: unknown): Promise<Answer & { body: Body }> {
  const answer = await server.call(method, `/api/v2${path}`, { cookie, ...(body !== undefined && { body }) })
  return { ...answer, body: (answer.body ?? {}) as Body }
}

async function held(key = agentKey): Promise<string> {
  const { status, text, body } = await server.call('POST', '/v1/approvals', {
    key,
    agent: 'bot',
    body: { agent_id: 'bot', tool_name: 'deploy', tool_args: {}, message: 'go?', timeout: 600 },
  })
  if (status !== 201) throw new Error(text)
  return (body as { id: string }).id
}

const decide = (cookie: string, id: string, approve: boolean) =>
  call(cookie, 'POST', `/approvals/${id}/decision`, { approve })
const withRole = (role: string, environment: string | null = null) => server.newPerson(acme, [{ role, environment }])

async function entryOf(id: string, act: string): Promise<Body | undefined> {
  const { rows } = await owner.query<{ bytes: Buffer }>(
    `select bytes from trail_entries where tenant_id = $1 and subject_id = $2 and act = $3`,
    [acme.tenant, id, act],
  )
  return rows[0] && (JSON.parse(rows[0].bytes.toString('utf8')) as { readonly details: Body }).details
}

test('whoever made the key does not approve its call as soon as somebody else could, whatever policy says', async () => {
  const approver = await withRole('approver')
  const id = await held()
  const refused = await decide(acme.cookie, id, true)
  expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  expect(refused.body['detail']).toContain('somebody else has to approve this')
  expect((await call(acme.cookie, 'GET', `/approvals/${id}`)).body['deciders']).toEqual({
    others: 1,
    you_may: 'deny',
    obstacle: null,
  })
  expect((await call(approver.cookie, 'GET', `/approvals/${id}`)).body['deciders']).toMatchObject({
    you_may: 'approve',
  })

  const older = await server.call('PUT', `/v1/approvals/${id}`, { cookie: acme.cookie, body: { approved: true } })
  expect(older.status).toBe(403)
  const many = await call(acme.cookie, 'POST', '/approvals/decisions', { decisions: [{ id, approve: true }] })
  expect(many.body).toMatchObject({ results: [{ is_ok: false, problem: { code: 'forbidden' } }] })

  const approved = await decide(approver.cookie, id, true)
  expect(approved.body).toMatchObject({ status: 'approved', decision: { by_owner: false } })
  expect(await entryOf(id, 'approval.approved')).not.toHaveProperty('by_owner')
})

test('whoever is alone approves the first call of their own agent, and the page and the record say so', async () => {
  const id = await held()
  const { body } = await call(acme.cookie, 'GET', `/approvals/${id}`)
  expect(body['deciders']).toMatchObject({ others: 0, you_may: 'approve' })
  expect((body['deciders'] as { obstacle: string }).obstacle).toContain('Invite an approver of production')
  expect((await decide(acme.cookie, id, true)).body).toMatchObject({
    status: 'approved',
    decision: { by_owner: true },
  })
  expect(await entryOf(id, 'approval.approved')).toMatchObject({ by_owner: true })
  expect((await call(acme.cookie, 'GET', `/approvals/${id}`)).body['deciders']).toBeNull()
  await expect(owner.query(`update approvals set settled_by_owner = false where id = $1`, [id])).rejects.toThrow(
    'cannot be changed',
  )
})

test('whoever made the key may always deny its call', async () => {
  await withRole('approver')
  const id = await held()
  expect((await decide(acme.cookie, id, false)).body).toMatchObject({ status: 'denied', decision: { by_owner: true } })
})

test('only somebody who could really decide it counts as somebody else', async () => {
  await withRole('viewer')
  await withRole('approver', 'staging')
  const gone = await withRole('approver')
  const invited = await call(acme.cookie, 'POST', '/people', {
    email: `waiting-${acme.tenant}@example.com`,
    roles: [{ role: 'approver', environment: null }],
  })
  expect(invited.status, invited.text).toBe(201)

  const first = await held()
  expect((await decide(acme.cookie, first, true)).status).toBe(403)
  const suspended = await call(acme.cookie, 'POST', `/people/${gone.person}/suspension`, { reason: 'left' })
  expect(suspended.status, suspended.text).toBe(200)
  expect((await decide(acme.cookie, first, true)).body).toMatchObject({ decision: { by_owner: true } })
})

test('the list says of each call what the reader may say to it', async () => {
  const approver = await withRole('approver')
  const viewer = await withRole('viewer')
  const theirs = await server.newKey({ ...acme, cookie: (await withRole('admin')).cookie })
  const [own, other, settled] = [await held(), await held(theirs.key), await held()]
  await decide(approver.cookie, settled, false)
  const listed = async ({ cookie }: { readonly cookie: string }) => {
    const { items } = (await call(cookie, 'GET', '/approvals')).body as { items: { id: string; you_may: unknown }[] }
    return [own, other, settled].map((id) => items.find((item) => item.id === id)?.you_may)
  }
  expect(await listed(acme)).toEqual(['deny', 'approve', null])
  expect(await listed(approver)).toEqual(['approve', 'approve', null])
  expect(await listed(viewer)).toEqual(['nothing', 'nothing', null])
})

test('a key that may decide is as much its maker’s as the key that asks', async () => {
  const mine = await server.newKey(acme, 'production', { may_decide: true })
  const other = await withRole('admin')
  const theirs = await server.newKey({ ...acme, cookie: other.cookie }, 'production', { may_decide: true })
  const id = await held()
  const say = async (key: string) =>
    (await server.call('POST', `/v1/approvals/${id}/decide`, { key, body: { decision: 'approved' } })).status
  expect(await say(mine.key)).toBe(403)
  expect(await say(theirs.key)).toBe(200)
})

test('a key that a token made is that of whoever answers for the token', async () => {
  const other = await withRole('admin')
  const made = await call(acme.cookie, 'POST', '/tokens', {
    name: `maker-${acme.tenant}`,
    permissions: ['keys:read', 'keys:write', 'protected:write'],
  })
  expect(made.status, made.text).toBe(201)
  const keyed = await server.call('POST', '/api/v2/keys', {
    key: String(made.body['token']),
    body: { environment: 'production', label: 'made by a machine' },
  })
  expect(keyed.status, keyed.text).toBe(201)
  const id = await held((keyed.body as { key: string }).key)
  expect((await decide(acme.cookie, id, true)).status).toBe(403)
  expect((await decide(other.cookie, id, true)).status).toBe(200)
})

test('what an owner approved alone counts no more once somebody else can decide', async () => {
  const policies = [{ rule: null, proof: 'session', approvers: 2, excludes_owner: false }]
  expect((await call(acme.cookie, 'PUT', '/environments/production/approval-policies', { policies })).status).toBe(200)
  const id = await held()
  expect((await decide(acme.cookie, id, true)).body).toMatchObject({ status: 'pending' })
  expect((await call(acme.cookie, 'GET', `/approvals/${id}`)).body).toMatchObject({
    votes: [{ by_owner: true }],
    deciders: { obstacle: expect.stringContaining('2 people must approve, and only 1 can') as string },
  })
  const [one, two] = [await withRole('approver'), await withRole('approver')]
  expect((await decide(one.cookie, id, true)).body).toMatchObject({ status: 'pending' })
  expect((await decide(two.cookie, id, true)).body).toMatchObject({ status: 'approved' })
})
