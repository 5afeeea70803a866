import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { tokenOf } from '../../../test/factors-scene.ts'
import { serverApart, type TestServer, type TestTenant, testServer } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

let database: TestDatabase
let server: TestServer
let other: TestServer
let acme: TestTenant

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
  other = await testServer({ databaseUrl: database.url })
  acme = await server.newTenant('acme')
})

afterAll(async () => {
  await server.stop()
  await other.stop()
  await database.drop()
})

type Made = { readonly id: string; readonly token: string; readonly expires_at: string | null }
let named = 0

async function make(body: object, who = acme, at = server) {
  named += 1
  const answer = await at.call('POST', '/api/v2/tokens', {
    cookie: who.cookie,
    body: { name: `token ${named}`, ...body },
  })
  return { ...answer, made: answer.body as Made }
}
const status = async (token: string, path = '/agents', at = server) =>
  (await at.call('GET', `/api/v2${path}`, { key: token })).status
const becomes = (token: string, wanted: number) =>
  eventually(
    () => status(token),
    (now) => now === wanted,
  )
const act = (path: string, body?: unknown, who = acme) =>
  server.call('POST', `/api/v2/tokens/${path}`, { cookie: who.cookie, ...(body !== undefined && { body }) })

describe('an API token', () => {
  test('looks as clients expect, is shown once and kept only as a digest', async () => {
    const { made } = await make({ permissions: ['fleet:read'] })
    expect(made.token).toMatch(/^rgw_[\w-]{43}=$/)
    expect(Buffer.from(made.token.slice(4), 'base64url')).toHaveLength(32)
    const shown = await server.call('GET', `/api/v2/tokens/${made.id}`, { cookie: acme.cookie })
    expect(shown.text).not.toContain(made.token)
    const rows = await server.db.query<{ text: string }>(
      `select c::text as text from api_token_secrets as c union all
       select convert_from(e.bytes, 'UTF8') from trail_entries as e`,
    )
    for (const { text } of rows) expect(text).not.toContain(made.token.slice(12))
  })

  test('opens what it was given and nothing of its owner’s, as Bearer and as the password of Basic', async () => {
    const { made } = await make({ permissions: ['fleet:read'] })
    expect(await status(made.token)).toBe(200)
    expect(await status(made.token, '/settings')).toBe(403)
    const basic = Buffer.from(`convox:${made.token}`).toString('base64')
    const asBasic = await server.call('GET', '/api/v2/agents', { headers: { authorization: `Basic ${basic}` } })
    expect(asBasic.status).toBe(200)
  })

  test('is its own actor in the trail', async () => {
    const { made } = await make({ permissions: ['keys:read', 'keys:write'], environments: ['staging'] })
    const key = await server.call('POST', '/api/v2/keys', {
      key: made.token,
      body: { environment: 'staging', label: 'by a machine' },
    })
    expect(key).toMatchObject({ status: 201, body: { made_by: { id: made.id } } })
    const [row] = await server.db.query<{ kind: string }>(
      `select e.actor_kind as kind from trail_entries as e where e.act = 'key.created' and e.actor_id = $1`,
      [made.id],
    )
    expect(row?.kind).toBe('api_token')
    for (const environment of ['production', 'development'])
      expect(
        (await server.call('POST', '/api/v2/keys', { key: made.token, body: { environment, label: 'x' } })).status,
      ).toBe(403)
  })

  test('needs no X-Requested-With, but a cookie beside it lends it nothing', async () => {
    const { made } = await make({ permissions: ['fleet:read'] })
    const answer = await server.call('GET', '/api/v2/settings', { key: made.token, cookie: acme.cookie })
    expect(answer.status).toBe(403)
    const forged = await server.call('GET', '/api/v2/settings', { key: `rgw_${'A'.repeat(43)}=`, cookie: acme.cookie })
    expect(forged.status).toBe(401)
  })

  test('headers that name somebody else are worth nothing', async () => {
    const { made } = await make({ permissions: ['fleet:read'] })
    const headers = { 'x-user-email': acme.email, 'x-api-token-id': made.id, 'x-auth-source': 'cookie' }
    expect((await server.call('GET', '/api/v2/agents', { headers })).status).toBe(401)
    expect((await server.call('GET', '/api/v2/settings', { key: made.token, headers })).status).toBe(403)
  })

  test('is of its tenant alone', async () => {
    const globex = await server.newTenant('globex')
    const { made } = await make({ permissions: ['fleet:read'] })
    expect((await act(`${made.id}/revocation`, undefined, globex)).status).toBe(404)
    expect((await act(`${made.id}/rotation`, {}, globex)).status).toBe(404)
    expect(await status(made.token)).toBe(200)
  })
})

describe('a token is made only', () => {
  test('from what its maker holds, and never with what only people may do', async () => {
    const maker = { name: 'tokensmith', permissions: ['tokens:read', 'tokens:write', 'fleet:read'] }
    expect((await server.call('POST', '/api/v2/roles', { cookie: acme.cookie, body: maker })).status).toBe(201)
    const smith = await server.newPerson(acme, [{ role: 'tokensmith', environment: null }])
    expect((await make({ permissions: ['rollouts:write'] }, smith)).status).toBe(403)
    expect((await make({ role: 'cicd' }, smith)).status).toBe(403)
    expect((await make({ permissions: ['fleet:read'] }, smith)).status).toBe(201)
    for (const personal of ['approval:decide', 'people:write', 'roles:write', 'tokens:write', 'settings:write'])
      expect((await make({ permissions: [personal] })).status, personal).toBe(422)
    expect((await make({})).status).toBe(422)
    const { made } = await make({ permissions: ['fleet:read', 'keys:write'] })
    const raised = await server.call('PATCH', `/api/v2/tokens/${made.id}`, {
      cookie: smith.cookie,
      body: { permissions: ['fleet:read'] },
    })
    expect(raised.status).toBe(403)
  })

  test('and one that may do more than somebody is not theirs to rotate or revoke, unless they answer for it', async () => {
    const maker = { name: 'tokenkeeper', permissions: ['tokens:read', 'tokens:write', 'fleet:read'] }
    expect((await server.call('POST', '/api/v2/roles', { cookie: acme.cookie, body: maker })).status).toBe(201)
    const keeper = await server.newPerson(acme, [{ role: 'tokenkeeper', environment: null }])
    const strong = (await make({ permissions: ['fleet:read', 'keys:write'] })).made
    expect((await act(`${strong.id}/rotation`, {}, keeper)).status).toBe(403)
    expect((await act(`${strong.id}/revocation`, undefined, keeper)).status).toBe(403)
    expect(await status(strong.token)).toBe(200)
    const weak = (await make({ permissions: ['fleet:read'] })).made
    expect((await act(`${weak.id}/revocation`, undefined, keeper)).status).toBe(200)

    // Their own stays theirs to stop, also after they were given less.
    const own = (await make({ permissions: ['fleet:read'] }, keeper)).made
    const less = { permissions: ['tokens:read', 'tokens:write'] }
    const lessened = await server.call('PATCH', '/api/v2/roles/tokenkeeper', { cookie: acme.cookie, body: less })
    expect(lessened.status, lessened.text).toBe(200)
    expect((await act(`${own.id}/rotation`, {}, keeper)).status).toBe(403)
    expect((await act(`${own.id}/revocation`, undefined, keeper)).status).toBe(200)
  })

  test('under a name that is free, for an owner whom the body does not choose', async () => {
    await make({ name: 'taken', permissions: ['fleet:read'] })
    expect((await make({ name: 'TAKEN', permissions: ['fleet:read'] })).status).toBe(409)
    for (const extra of [{ owner_id: acme.person }, { user_email: acme.email }])
      expect((await make({ permissions: ['fleet:read'], ...extra })).status).toBe(422)
  })
})

describe('a token ends', () => {
  test('when it is revoked, on every replica at once, and what it did can still be told', async () => {
    const { made } = await make({ permissions: ['fleet:read'] })
    expect(await status(made.token, '/agents', other)).toBe(200)
    expect((await act(`${made.id}/revocation`)).body).toMatchObject({ status: 'revoked' })
    await becomes(made.token, 401)
    await eventually(
      () => status(made.token, '/agents', other),
      (now) => now === 401,
    )
    const list = await server.call('GET', '/api/v2/tokens?revoked=true', { cookie: acme.cookie })
    expect(list.text).toContain(made.id)
    expect((await act(`${made.id}/revocation`)).status).toBe(404)
  })

  test('and what it made stays: its keys, the calls they had held and what people decided, also without its owner', async () => {
    const owner = await server.newPerson(acme, [{ role: 'admin', environment: null }])
    const { made } = await make({ permissions: ['keys:read', 'keys:write'], environments: ['staging'] }, owner)
    const body = { environment: 'staging', label: 'made by a machine' }
    const key = (await server.call('POST', '/api/v2/keys', { key: made.token, body })).body as Made & { key: string }
    const ids: string[] = []
    for (const tool_name of ['deploy', 'delete', 'wait']) {
      const call = { agent_id: 'a1', tool_name, tool_args: {}, message: 'go?', timeout: 600 }
      const held = await server.call('POST', '/v1/approvals', { key: key.key, agent: 'a1', body: call })
      ids.push((held.body as Made).id)
    }
    const approval = (id = '') => server.call('GET', `/api/v2/approvals/${id}`, { cookie: acme.cookie })
    for (const [id = '', approve] of [[ids[0], true] as const, [ids[1], false] as const])
      await server.call('POST', `/api/v2/approvals/${id}/decision`, { cookie: acme.cookie, body: { approve } })
    const before = await Promise.all(ids.map(approval))

    // By the word older clients use, which sounds like more.
    const deleted = await server.call('DELETE', `/api/v1/api-tokens/${made.id}`, { key: tokenOf(acme) })
    expect(deleted.status).toBe(204)
    await server.call('DELETE', `/api/v2/people/${owner.person}`, { cookie: acme.cookie })

    const after = await Promise.all(ids.map(approval))
    const facts = ({ body }: (typeof after)[number]) => {
      const { status, decision, key: asking, tool, created_at: at } = body as Record<string, unknown>
      return { status, decision, asking, tool, at }
    }
    expect(after.map(facts)).toEqual(before.map(facts))
    expect(after.map((answer) => facts(answer).status)).toEqual(['approved', 'denied', 'pending'])
    const keys = await server.call('GET', '/api/v2/keys', { cookie: acme.cookie })
    expect(keys.text).toContain(key.id)
    // Nobody with the server's own rights over the database takes them away either.
    for (const table of ['people', 'api_tokens', 'approvals'])
      await expect(server.db.query(`delete from ${table}`), table).rejects.toThrow(/permission denied/)
  })

  test('by itself, no later than the longest life that is allowed', async () => {
    const clock = testClock('2027-01-01T00:00:00.000Z')
    const slow = await serverApart({ clock })
    const tenant = await slow.newTenant()
    const { made } = await make({ permissions: ['fleet:read'], expires_at: '2027-01-01T01:00:00.000Z' }, tenant, slow)
    expect(await status(made.token, '/agents', slow)).toBe(200)
    const unlimited = await make({ permissions: ['fleet:read'] }, tenant, slow)
    expect(unlimited.made.expires_at).toBe('2028-01-01T00:00:00.000Z')
    const late = await make({ permissions: ['fleet:read'], expires_at: '2029-01-01T00:00:00.000Z' }, tenant, slow)
    expect(late.status).toBe(422)
    await clock.jumpBy(3_600_000)
    const answer = await slow.call('GET', '/api/v2/agents', { key: made.token })
    expect(answer.status).toBe(401)
    expect(answer.text).toMatch(/token has expired/)
    await slow.stop()
  })

  test('rotated, at the end of the overlap, while the new one works', async () => {
    const clock = testClock('2027-06-01T00:00:00.000Z')
    const slow = await serverApart({ clock })
    const tenant = await slow.newTenant()
    const { made } = await make({ permissions: ['fleet:read'] }, tenant, slow)
    const rotated = await slow.call('POST', `/api/v2/tokens/${made.id}/rotation`, {
      cookie: tenant.cookie,
      body: { overlap_hours: 1 },
    })
    const { token: next } = rotated.body as Made
    expect(next).not.toBe(made.token)
    for (const token of [made.token, next]) expect(await status(token, '/agents', slow)).toBe(200)
    await clock.jumpBy(3_600_001)
    expect(await status(made.token, '/agents', slow)).toBe(401)
    expect(await status(next, '/agents', slow)).toBe(200)
    await slow.stop()
  })

  test('with its owner: stopped while suspended or locked, working again after, revoked when removed', async () => {
    const owner = await server.newPerson(acme, [{ role: 'admin', environment: null }])
    const { made } = await make({ permissions: ['fleet:read'] }, owner)
    const person = (method: string, path: string, body?: unknown) =>
      server.call(method, `/api/v2/people/${owner.person}${path}`, {
        cookie: acme.cookie,
        ...(body !== undefined && { body }),
      })
    for (const how of ['/suspension', '/lock']) {
      await becomes(made.token, 200)
      await person('POST', how, { reason: 'gone' })
      await becomes(made.token, 401)
      await person('DELETE', how)
    }
    await becomes(made.token, 200)
    await person('DELETE', '')
    await becomes(made.token, 401)
  })

  test('and guessing is counted for the address, whatever is guessed', async () => {
    const clock = testClock('2027-09-01T00:00:00.000Z')
    const slow = await serverApart({ clock })
    const tenant = await slow.newTenant()
    const { made } = await make({ permissions: ['fleet:read'] }, tenant, slow)
    const seen = new Set<number>()
    for (let n = 0; n < 62; n += 1) seen.add(await status(`rgw_${String(n).padStart(43, 'x')}=`, '/agents', slow))
    expect([...seen]).toEqual([401, 429])
    expect(await status(made.token, '/agents', slow)).toBe(200)
    await slow.stop()
  })
})
