import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type TestServer, type TestTenant, testServer } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

let database: TestDatabase
let server: TestServer
let acme: TestTenant

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
  acme = await server.newTenant('acme')
})

afterAll(async () => {
  await server.stop()
  await database.drop()
})

const xrw = { 'x-requested-with': 'countersign' }
const enter = (email: string, password: string, headers: Record<string, string> = xrw) =>
  server.call('POST', '/api/v2/session', { body: { email, password }, headers })

describe('signing in', () => {
  test('the right password gets a cookie that scripts cannot read and other sites do not send', async () => {
    const answer = await enter(acme.email, server.password)
    expect(answer.status).toBe(200)
    const cookie = answer.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/^countersign_session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=86\d{3}$/)
  })

  test('the address is the same whatever its capitals', async () => {
    expect((await enter(acme.email.toUpperCase(), server.password)).status).toBe(200)
  })

  test('a wrong password and an unknown account get the same answer', async () => {
    const wrong = await enter(acme.email, 'not the password')
    const unknown = await enter('nobody@example.com', 'not the password')
    const strip = ({ status, body }: { status: number; body: unknown }) => ({
      status,
      body: { ...(body as object), request_id: '' },
    })
    expect(strip(wrong)).toEqual(strip(unknown))
    expect(wrong.status).toBe(401)
  })

  test('an unknown account costs the server the work of a known one, so that its answer does not come sooner', async () => {
    const person = await server.newTenant()
    // Processor time, not the clock's: a busy machine changes it little.
    const workOf = async (email: string): Promise<number> => {
      const before = process.cpuUsage()
      for (let at = 0; at < 4; at += 1) expect((await enter(email, 'not the password')).status).toBe(401)
      const { user, system } = process.cpuUsage(before)
      return user + system
    }
    await workOf(person.email)
    const known = await workOf(person.email)
    const unknown = await workOf(`nobody-${person.email}`)
    // Without the hash it would be a tenth.
    expect(unknown).toBeGreaterThan(known / 3)
  })

  test('what the wrong types, NUL or ten thousand characters get is a refusal, never a failure of ours', async () => {
    for (const body of [
      {},
      { email: 5, password: [] },
      { email: 'a\0@b.c', password: 'x' },
      { email: acme.email, password: 'a\0b' },
      { email: 'x'.repeat(300), password: '' },
    ]) {
      const answer = await server.call('POST', '/api/v2/session', { body, headers: xrw })
      expect([401, 422]).toContain(answer.status)
    }
    const huge = await server.call('POST', '/api/v2/session', {
      body: { email: 'a@b.c', password: 'x'.repeat(10_000) },
      headers: xrw,
    })
    expect(huge.status).toBe(413)
  })

  test('a page of another site cannot sign anybody in or out', async () => {
    const foreign = await enter(acme.email, server.password, { ...xrw, origin: 'https://evil.example' })
    expect(foreign.status).toBe(403)
    const without = await server.call('DELETE', '/api/v2/session', {
      cookie: acme.cookie,
      headers: { 'x-requested-with': '' },
    })
    expect(without.status).toBe(403)
    expect((await server.call('GET', '/api/v2/session', { cookie: acme.cookie })).status).toBe(200)
  })

  test('a token that somebody planted in the browser is nobody’s, before and after: signing in makes another', async () => {
    const person = await server.newTenant()
    // Made up, of another person, and of this person's own session that ended.
    const ended = await server.signIn(person.email)
    await server.call('DELETE', '/api/v2/session', { cookie: ended })
    const others = (await server.newTenant()).cookie
    for (const planted of [`countersign_session=${'P'.repeat(43)}`, ended, others]) {
      const answer = await server.call('POST', '/api/v2/session', {
        body: { email: person.email, password: server.password },
        headers: { 'x-requested-with': 'countersign', cookie: planted },
      })
      const [fresh = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
      expect(answer.status).toBe(200)
      expect(fresh).not.toBe(planted)
      const { body } = await server.call('GET', '/api/v2/session', { cookie: fresh })
      expect(body).toMatchObject({ person: { id: person.person } })
      const kept = await server.call('GET', '/api/v2/session', { cookie: planted })
      if (planted === others) expect(kept.body).not.toMatchObject({ person: { id: person.person } })
      else expect(kept.status).toBe(401)
    }
  })

  test('every attempt is in the trail, without the address in clear', async () => {
    await enter('Somebody@Example.com', 'guess')
    const rows = await server.db.query<{ text: string }>(
      `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.act in ('session.started', 'session.refused')`,
    )
    expect(rows.length).toBeGreaterThan(3)
    for (const { text } of rows) expect(text.toLowerCase()).not.toMatch(/somebody@|acme@|guess|127\.0\.0\.1/)
  })
})

describe('sessions', () => {
  test('signing out ends the session on the server: the cookie is worth nothing afterwards', async () => {
    const cookie = await server.signIn(acme.email)
    expect((await server.call('DELETE', '/api/v2/session', { cookie })).status).toBe(200)
    expect((await server.call('GET', '/api/v2/session', { cookie })).status).toBe(401)
  })

  test('a person sees and ends own sessions, and nobody else’s', async () => {
    const other = await server.newTenant('globex')
    const cookie = await server.signIn(acme.email)
    const list = await server.call('GET', '/api/v2/sessions', { cookie })
    const { items } = list.body as { items: { id: string; is_current: boolean }[] }
    const mine = items.find((item) => item.is_current)
    expect(mine).toBeDefined()
    expect((await server.call('DELETE', `/api/v2/sessions/${mine?.id ?? ''}`, { cookie: other.cookie })).status).toBe(
      404,
    )
    expect((await server.call('DELETE', `/api/v2/sessions/${mine?.id ?? ''}`, { cookie: acme.cookie })).status).toBe(
      200,
    )
    expect((await server.call('GET', '/api/v2/session', { cookie })).status).toBe(401)
  })

  test('changing the password needs the old one, ends every other session and gives this one another token', async () => {
    const person = await server.newTenant('initech')
    const other = await server.signIn(person.email)
    const change = (current_password: string, new_password: string) =>
      server.call('PUT', '/api/v2/session/password', {
        cookie: person.cookie,
        body: { current_password, new_password },
      })
    expect((await change('wrong', 'a new long password')).status).toBe(422)
    expect((await change(server.password, 'short')).status).toBe(422)
    const changed = await change(server.password, 'a new long password')
    expect(changed.body).toEqual({ ended: 1 })
    const [fresh = ''] = (changed.headers.get('set-cookie') ?? '').split(';')
    expect(fresh).toMatch(/^countersign_session=[\w-]{43}$/)
    expect((await server.call('GET', '/api/v2/session', { cookie: other })).status).toBe(401)
    expect((await server.call('GET', '/api/v2/session', { cookie: fresh })).status).toBe(200)
    expect((await server.call('GET', '/api/v2/session', { cookie: person.cookie })).status).toBe(401)
    expect((await enter(person.email, server.password)).status).toBe(401)
    expect((await enter(person.email, 'a new long password')).status).toBe(200)
  })

  test('a page that only refreshes itself does not keep its session alive; a person does', async () => {
    const clock = testClock('2027-01-01T00:00:00.000Z')
    const other = await testServer({ databaseUrl: database.url, clock })
    const cookie = await other.signIn(acme.email)
    const background = { cookie, headers: { 'x-countersign-background': 'true' } }
    await clock.jumpBy(20 * 60_000)
    expect((await other.call('GET', '/api/v2/session', { cookie })).status).toBe(200)
    await clock.jumpBy(20 * 60_000)
    expect((await other.call('GET', '/api/v2/session', background)).status).toBe(200)
    await clock.jumpBy(15 * 60_000)
    expect((await other.call('GET', '/api/v2/session', background)).status).toBe(401)
    await other.stop()
  })

  test('a session that may be idle for one minute lives as long as it is used, and no longer', async () => {
    const clock = testClock('2027-01-15T00:00:00.000Z')
    const other = await testServer({
      databaseUrl: database.url,
      clock,
      environment: { COUNTERSIGN_SESSION_IDLE_MINUTES: '1' },
    })
    const cookie = await other.signIn(acme.email)
    const status = async () => (await other.call('GET', '/api/v2/session', { cookie })).status
    for (let n = 0; n < 20; n += 1) {
      await clock.jumpBy(17_000)
      expect(await status()).toBe(200)
    }
    await clock.jumpBy(61_000)
    expect(await status()).toBe(401)
    await other.stop()
  })

  test('signing out everywhere ends the other sessions on every replica at once', async () => {
    const other = await testServer({ databaseUrl: database.url })
    const person = await server.newTenant()
    const cookie = await server.signIn(person.email)
    const status = async () => (await other.call('GET', '/api/v2/session', { cookie })).status
    expect(await status()).toBe(200)
    const ended = await server.call('DELETE', '/api/v2/sessions', { cookie: person.cookie })
    expect(ended.body).toEqual({ ended: 1 })
    await eventually(status, (now) => now === 401)
    expect((await other.call('GET', '/api/v2/session', { cookie: person.cookie })).status).toBe(200)
    await other.stop()
  })

  test('a session ends after its absolute lifetime, however much it is used', async () => {
    const clock = testClock('2027-02-01T00:00:00.000Z')
    const other = await testServer({
      databaseUrl: database.url,
      clock,
      environment: { COUNTERSIGN_SESSION_HOURS: '1' },
    })
    const cookie = await other.signIn(acme.email)
    for (const minutes of [20, 20, 15]) {
      await clock.jumpBy(minutes * 60_000)
      expect((await other.call('GET', '/api/v2/session', { cookie })).status).toBe(200)
    }
    await clock.jumpBy(6 * 60_000)
    expect((await other.call('GET', '/api/v2/session', { cookie })).status).toBe(401)
    await other.stop()
  })

  test('the eleventh attempt from one address waits, another address does not, and many addresses do not help against one account', async () => {
    const clock = testClock('2027-03-01T00:00:00.000Z')
    const other = await testServer({
      databaseUrl: database.url,
      clock,
      environment: { COUNTERSIGN_SIGN_IN_ATTEMPTS: '10', COUNTERSIGN_TRUSTED_PROXIES: '127.0.0.1' },
    })
    const from = (address: string, email: string) =>
      other.call('POST', '/api/v2/session', {
        body: { email, password: 'wrong' },
        headers: { ...xrw, 'x-forwarded-for': address },
      })
    for (let attempt = 1; attempt <= 10; attempt += 1)
      expect((await from('192.0.2.1', `a${attempt}@example.com`)).status).toBe(401)
    const late = await from('192.0.2.1', 'b@example.com')
    expect(late.status).toBe(429)
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect((await from('192.0.2.2', 'b@example.com')).status).toBe(401)
    for (let attempt = 0; attempt < 29; attempt += 1) await from(`198.51.100.${attempt}`, 'b@example.com')
    expect((await from('198.51.100.200', 'b@example.com')).status).toBe(429)
    await other.stop()
  })

  test('who is nobody’s trusted proxy cannot say that he is somebody else', async () => {
    const clock = testClock('2027-04-01T00:00:00.000Z')
    const strict = { COUNTERSIGN_SIGN_IN_ATTEMPTS: '3', COUNTERSIGN_TRUSTED_PROXIES: '192.0.2.0/24' }
    const other = await testServer({ databaseUrl: database.url, clock, environment: strict })
    const statuses: number[] = []
    for (let n = 0; n < 5; n += 1) {
      const claims = `203.0.113.${n}`
      const { status } = await other.call('POST', '/api/v2/session', {
        body: { email: `spoof-${n}@example.com`, password: 'wrong' },
        headers: { ...xrw, 'x-forwarded-for': claims, 'x-real-ip': claims, forwarded: `for=${claims}` },
      })
      statuses.push(status)
    }
    expect(statuses).toEqual([401, 401, 401, 429, 429])
    await other.stop()
  })

  test('the older console’s cookie name is read too', async () => {
    const cookie = (await server.signIn(acme.email)).replace('countersign_session', 'edictum_session')
    expect((await server.call('GET', '/api/v1/auth/me', { cookie })).body).toMatchObject({
      email: acme.email,
      is_admin: true,
    })
  })
})
