import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { serverApart, type TestServer, type TestTenant, testServer } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

let database: TestDatabase
let server: TestServer
let other: TestServer
const clock = testClock('2027-01-01T00:00:00.000Z')

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
  other = await testServer({ databaseUrl: database.url })
})

afterAll(async () => {
  await server.stop()
  await other.stop()
  await database.drop()
})

const everywhere = (role: string) => [{ role, environment: null }]
const xrw = { 'x-requested-with': 'countersign' }
const admin = async (of: TestTenant) => server.newPerson(of, everywhere('admin'))
const as = (who: TestTenant, method: string, path: string, body?: unknown, at = server) =>
  at.call(method, `/api/v2${path}`, { cookie: who.cookie, ...(body !== undefined && { body }) })
const accept = (link: string, password = server.password) =>
  server.call('POST', '/api/v2/links/acceptance', { body: { link, password }, headers: xrw })
const tokenOf = (link: string): string => link.split('#')[1] ?? ''

async function invite(by: TestTenant, email: string, roles = everywhere('viewer')) {
  const answer = await as(by, 'POST', '/people', { email, roles })
  expect(answer.status, answer.text).toBe(201)
  return answer.body as { person_id: string; link: string; expires_at: string }
}

describe('an invitation', () => {
  test('makes somebody who can do nothing until it is taken up, and then exactly what they were given', async () => {
    const acme = await server.newTenant()
    const { person_id: id, link } = await invite(acme, 'joins@example.com')
    expect(link).toMatch(/\/join#[\w-]{43}$/)
    expect(await as(acme, 'GET', `/people/${id}`)).toMatchObject({ body: { status: 'invited', has_password: false } })
    expect(
      await server.call('POST', '/api/v2/links/state', { body: { link: tokenOf(link) }, headers: xrw }),
    ).toMatchObject({ status: 200, body: { purpose: 'invitation', email: 'joins@example.com' } })
    const joined = await accept(tokenOf(link))
    expect(joined.status).toBe(200)
    const [cookie = ''] = (joined.headers.get('set-cookie') ?? '').split(';')
    const { body } = await server.call('GET', '/api/v2/session', { cookie })
    expect(body).toMatchObject({ person: { email: 'joins@example.com', roles: everywhere('viewer') } })
    expect(await as(acme, 'GET', `/people/${id}`)).toMatchObject({ body: { status: 'active', has_password: true } })
  })

  test('works once: of eight who race for it one gets in', async () => {
    const acme = await server.newTenant()
    const { link } = await invite(acme, 'raced@example.com')
    const answers = await Promise.all(Array.from({ length: 8 }, () => accept(tokenOf(link))))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array.from({ length: 7 }, () => 404)])
  })

  test('a newer link makes the older one worthless; a made-up one never worked', async () => {
    const acme = await server.newTenant()
    const { person_id: id, link } = await invite(acme, 'lost@example.com')
    const again = await as(acme, 'POST', `/people/${id}/link`)
    expect(again.status).toBe(201)
    expect((await accept(tokenOf(link))).status).toBe(404)
    expect((await accept('A'.repeat(43))).status).toBe(404)
    expect((await accept(tokenOf((again.body as { link: string }).link))).status).toBe(200)
  })

  test('expires, and is kept neither in clear nor in the trail', async () => {
    const slow = await serverApart({ clock })
    const acme = await slow.newTenant()
    const made = await slow.call('POST', '/api/v2/people', {
      cookie: acme.cookie,
      body: { email: 'late@example.com', roles: everywhere('viewer') },
    })
    const { link } = made.body as { link: string }
    await clock.jumpBy(7 * 86_400_000 + 1_000)
    const late = await slow.call('POST', '/api/v2/links/acceptance', {
      body: { link: tokenOf(link), password: slow.password },
      headers: xrw,
    })
    expect(late.status).toBe(404)
    const rows = await slow.db.query<{ text: string }>(
      `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.act like 'person.%'`,
    )
    const links = await slow.db.query<{ digest: string }>(`select l.digest from person_links as l`)
    for (const text of [...rows.map(({ text }) => text), ...links.map(({ digest }) => digest)]) {
      expect(text).not.toContain(tokenOf(link))
      expect(text).not.toContain('late@example.com')
    }
    await slow.stop()
  })

  test('an address that belongs to somebody is refused, in whatever capitals', async () => {
    const acme = await server.newTenant()
    const globex = await server.newTenant()
    const taken = await as(globex, 'POST', '/people', { email: acme.email.toUpperCase(), roles: everywhere('viewer') })
    expect(taken.status).toBe(409)
  })
})

describe('nobody rises by themselves', () => {
  test('nobody changes their own roles, suspends, locks or removes themselves', async () => {
    const acme = await server.newTenant()
    const me = `/people/${acme.person}`
    expect((await as(acme, 'PATCH', me, { roles: everywhere('viewer') })).status).toBe(403)
    expect((await as(acme, 'POST', `${me}/suspension`, { reason: 'x' })).status).toBe(403)
    expect((await as(acme, 'POST', `${me}/lock`, { reason: 'x' })).status).toBe(403)
    expect((await as(acme, 'DELETE', me)).status).toBe(403)
  })

  test('somebody with people:write alone grants nothing they lack and touches nobody who holds more', async () => {
    const acme = await server.newTenant()
    const role = { name: 'hr', permissions: ['people:read', 'people:write', 'fleet:read'] }
    expect((await as(acme, 'POST', '/roles', role)).status).toBe(201)
    const hr = await server.newPerson(acme, everywhere('hr'))
    for (const wanted of ['admin', 'viewer', 'auditor'])
      expect((await as(hr, 'POST', '/people', { email: 'mule@example.com', roles: everywhere(wanted) })).status).toBe(
        403,
      )
    const boss = `/people/${acme.person}`
    expect((await as(hr, 'PATCH', boss, { email: 'hijacked@example.com' })).status).toBe(403)
    expect((await as(hr, 'POST', `${boss}/link`)).status).toBe(403)
    expect((await as(hr, 'POST', `${boss}/suspension`, { reason: 'coup' })).status).toBe(403)
    expect((await as(hr, 'DELETE', `${boss}/sessions`)).status).toBe(403)
    expect((await as(acme, 'GET', '/session')).status).toBe(200)
    expect((await as(hr, 'POST', '/people', { email: 'peer@example.com', roles: everywhere('hr') })).status).toBe(201)
  })

  test('a role is made and changed only from what its maker holds', async () => {
    const acme = await server.newTenant()
    await as(acme, 'POST', '/roles', { name: 'rolesmith', permissions: ['roles:read', 'roles:write', 'fleet:read'] })
    await as(acme, 'POST', '/roles', { name: 'mighty', permissions: ['settings:write'] })
    const smith = await server.newPerson(acme, everywhere('rolesmith'))
    expect((await as(smith, 'POST', '/roles', { name: 'sneaky', permissions: ['settings:write'] })).status).toBe(403)
    expect((await as(smith, 'PATCH', '/roles/rolesmith', { permissions: ['people:write'] })).status).toBe(403)
    expect((await as(smith, 'PATCH', '/roles/mighty', { title: 'Mine now' })).status).toBe(403)
    expect((await as(smith, 'DELETE', '/roles/mighty')).status).toBe(403)
    expect((await as(smith, 'POST', '/roles', { name: 'fair', permissions: ['fleet:read'] })).status).toBe(201)
    expect((await as(acme, 'PATCH', '/roles/admin', { title: 'x' })).status).toBe(409)
    expect((await as(acme, 'DELETE', '/roles/rolesmith')).status).toBe(409)
  })

  test('fields nobody asked for are refused, not taken', async () => {
    const acme = await server.newTenant()
    const { person_id: id } = await invite(acme, 'mass@example.com')
    for (const extra of [{ joined_at: '2026-01-01T00:00:00Z' }, { password_hash: 'x' }, { tenant_id: acme.tenant }])
      expect((await as(acme, 'PATCH', `/people/${id}`, { name: 'x', ...extra })).status).toBe(422)
  })
})

describe('the last administrator', () => {
  test('cannot be demoted, suspended, locked or removed, also when two demote each other at once', async () => {
    for (let round = 0; round < 4; round += 1) {
      const acme = await server.newTenant()
      const peer = await admin(acme)
      const demotion = { roles: everywhere('viewer') }
      const answers = await Promise.all([
        as(acme, 'PATCH', `/people/${peer.person}`, demotion),
        as(peer, 'PATCH', `/people/${acme.person}`, demotion, other),
      ])
      const statuses = answers.map(({ status }) => status)
      expect(statuses.filter((status) => status === 200)).toHaveLength(1)
      expect([401, 403, 409]).toContain(statuses.find((status) => status !== 200))
      const [row] = await server.db.query<{ count: number }>(
        `select count(*) as count from role_grants as g where g.tenant_id = $1 and g.role = 'admin'`,
        [acme.tenant],
      )
      expect(row?.count).toBe(1)
    }
  })

  test('is not somebody who was only invited', async () => {
    const acme = await server.newTenant()
    await invite(acme, 'maybe@example.com', everywhere('admin'))
    const peer = await admin(acme)
    expect((await as(peer, 'POST', `/people/${acme.person}/suspension`, { reason: 'left' })).status).toBe(200)
    const { body } = await as(peer, 'GET', '/people?status=suspended')
    expect(body).toMatchObject({ total: 1 })
  })
})

describe('what is taken away is gone on every replica at once', () => {
  const refusedOn = (at: TestServer, who: TestTenant) =>
    eventually(
      async () => (await as(who, 'GET', '/session', undefined, at)).status,
      (status) => status === 401,
    )

  test('suspension, lock and removal end sessions and stop the way in, and lifting opens it', async () => {
    const acme = await server.newTenant()
    const person = await server.newPerson(acme, everywhere('viewer'))
    expect((await as(person, 'GET', '/session', undefined, other)).status).toBe(200)
    const path = `/people/${person.person}`
    for (const [how, reason] of [
      ['suspension', 'on leave'],
      ['lock', 'lost laptop'],
    ] as const) {
      const cookie = await server.signIn(person.email)
      expect((await as({ ...person, cookie }, 'GET', '/session', undefined, other)).status).toBe(200)
      expect((await as(acme, 'POST', `${path}/${how}`, { reason })).body).toMatchObject({ status_reason: reason })
      await refusedOn(other, { ...person, cookie })
      await expect(server.signIn(person.email)).rejects.toThrow('401')
      expect((await as(acme, 'DELETE', `${path}/${how}`)).body).toMatchObject({ status: 'active' })
    }
    const cookie = await server.signIn(person.email)
    expect((await as(acme, 'DELETE', path)).status).toBe(200)
    await refusedOn(other, { ...person, cookie })
    expect((await as(acme, 'GET', path)).status).toBe(404)
    expect((await invite(acme, person.email)).person_id).not.toBe(person.person)
  })

  test('a changed role of one’s own acts on the next request, without signing anybody out', async () => {
    const acme = await server.newTenant()
    await as(acme, 'POST', '/roles', { name: 'reader', permissions: ['fleet:read', 'settings:read'] })
    const person = await server.newPerson(acme, everywhere('reader'))
    expect((await as(person, 'GET', '/settings', undefined, other)).status).toBe(200)
    await as(acme, 'PATCH', '/roles/reader', { permissions: ['fleet:read'] })
    expect((await as(person, 'GET', '/settings')).status).toBe(403)
    await eventually(
      async () => (await as(person, 'GET', '/settings', undefined, other)).status,
      (now) => now === 403,
    )
  })

  test('other roles or another address end all sessions: what was proven, was proven for somebody else', async () => {
    const acme = await server.newTenant()
    const person = await server.newPerson(acme, everywhere('viewer'))
    await as(acme, 'PATCH', `/people/${person.person}`, { roles: everywhere('auditor') })
    await refusedOn(other, person)
    const cookie = await server.signIn(person.email)
    await as(acme, 'PATCH', `/people/${person.person}`, { email: `new-${person.email}` })
    await refusedOn(other, { ...person, cookie })
    expect(await server.signIn(`new-${person.email}`)).not.toBe('')
  })

  test('an administrator sees a person’s sessions and ends one or all, and the others stay', async () => {
    const acme = await server.newTenant()
    const person = await server.newPerson(acme, everywhere('viewer'))
    const second = { ...person, cookie: await server.signIn(person.email) }
    const list = await as(acme, 'GET', `/people/${person.person}/sessions`)
    const { items } = list.body as { items: { id: string; credential: string; is_current: boolean }[] }
    expect(items.map(({ credential }) => credential).sort()).toEqual(['invitation', 'password'])
    const typed = items.find(({ credential }) => credential === 'password')?.id ?? ''
    expect((await as(acme, 'DELETE', `/people/${person.person}/sessions/${typed}`)).body).toEqual({ ended: 1 })
    await refusedOn(other, second)
    expect((await as(person, 'GET', '/session', undefined, other)).status).toBe(200)
    expect((await as(acme, 'DELETE', `/people/${person.person}/sessions`)).body).toEqual({ ended: 1 })
    await refusedOn(other, person)
  })

  test('a shorter lifetime acts on sessions there are', async () => {
    const slow = await serverApart({ clock })
    const acme = await slow.newTenant()
    const cookie = await slow.signIn(acme.email)
    await clock.jumpBy(6 * 60_000)
    expect((await slow.call('GET', '/api/v2/session', { cookie })).status).toBe(200)
    const put = (name: string, value: number) =>
      slow.call('PUT', `/api/v2/settings/${name}`, { cookie, body: { value } })
    expect((await put('sessions.idle_minutes', 5)).status).toBe(200)
    await clock.jumpBy(5 * 60_000 + 1_000)
    expect((await slow.call('GET', '/api/v2/session', { cookie })).status).toBe(401)
    await slow.stop()
  })
})

describe('protected environments', () => {
  test('a deployer makes keys in staging and none in production; a role that says so does', async () => {
    const acme = await server.newTenant()
    const deployer = await server.newPerson(acme, everywhere('deployer'))
    const make = (who: TestTenant, environment: string) => as(who, 'POST', '/keys', { environment, label: 'x' })
    expect((await make(deployer, 'staging')).status).toBe(201)
    const refused = await make(deployer, 'production')
    expect(refused).toMatchObject({ status: 403, body: { code: 'forbidden', permission: 'keys:write' } })
    await as(acme, 'POST', '/roles', { name: 'releaser', permissions: ['keys:write', 'keys:read', 'protected:write'] })
    const releaser = await server.newPerson(acme, [{ role: 'releaser', environment: 'production' }])
    expect((await make(releaser, 'production')).status).toBe(201)
    expect((await make(releaser, 'staging')).status).toBe(403)
  })

  test('what a person may do where is told to pages', async () => {
    const acme = await server.newTenant()
    const person = await server.newPerson(acme, [{ role: 'deployer', environment: 'staging' }])
    const { body } = await as(person, 'GET', '/session')
    const { permitted_in } = body as { permitted_in: Record<string, string[]> }
    expect(permitted_in['staging']).toContain('rollouts:write')
    expect(permitted_in['production']).toEqual([])
  })
})

test('every act on people is in the trail with who, whom, before and after, and no address in clear', async () => {
  const acme = await server.newTenant()
  const person = await server.newPerson(acme, everywhere('viewer'))
  await as(acme, 'PATCH', `/people/${person.person}`, { roles: [{ role: 'ops', environment: 'staging' }] })
  const rows = await server.db.query<{ text: string }>(
    `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.subject_id = $1 order by e.arrival`,
    [person.person],
  )
  const entries = rows.map(({ text }) => JSON.parse(text) as { act: string; actor: { id: string }; details: unknown })
  expect(entries.map(({ act }) => act)).toEqual(['person.invited', 'person.joined', 'person.changed'])
  expect(entries.at(-1)).toMatchObject({
    actor: { id: acme.person },
    details: {
      before: { roles: everywhere('viewer') },
      after: { roles: [{ role: 'ops', environment: 'staging' }] },
      sessions_ended: 1,
    },
  })
  for (const { text } of rows) expect(text).not.toContain(person.email)
})
