import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

let server: ServerApart
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(() => server.stop())

type Begun = { readonly auth_url: string; readonly state: string; readonly code_verifier: string }

// As the older gateway's command line sends it: no cookie, no header of ours.
const begin = async (at = server): Promise<Begun> => (await at.call('POST', '/api/v1/auth/cli/start')).body as Begun
const complete = (body: object, at = server) => at.call('POST', '/api/v1/auth/cli/complete', { body })
const codeIn = ({ auth_url: url }: Begun): string => new URL(url).searchParams.get('code') ?? ''
const decide = (code: string, approve: boolean, who = acme) =>
  server.call('POST', '/api/v2/cli-sign-ins/decision', { cookie: who.cookie, body: { code, approve } })
const halves = ({ state, code_verifier }: Begun) => ({ state, code_verifier, device_name: 'laptop', device_id: 'd-1' })

describe('an older command line', () => {
  test('waits until a person lets it in, then has a session with every field it knows', async () => {
    const begun = await begin()
    expect(Object.keys(begun).sort()).toEqual(['auth_url', 'code_verifier', 'state'])
    expect(await complete(halves(begun))).toMatchObject({ status: 202, body: { status: 'pending' } })
    const looked = await server.call('POST', '/api/v2/cli-sign-ins/look', {
      cookie: acme.cookie,
      body: { code: codeIn(begun).toLowerCase().replace('-', ' ') },
    })
    expect(looked).toMatchObject({ status: 200, body: { user_code: codeIn(begun), address: '127.0.0.1' } })
    expect((await decide(codeIn(begun), true)).status).toBe(200)
    const done = await complete(halves(begun))
    expect(done.status).toBe(200)
    const login = done.body as Record<string, unknown>
    expect(login).toMatchObject({
      email: acme.email,
      channel: 'cli',
      device_id: 'd-1',
      device_name: 'laptop',
      mfa_verified: false,
      mfa_required: false,
      enrollment_required: false,
    })
    expect(typeof login['session_id']).toBe('number')
    const days = (new Date(String(login['expires_at'])).getTime() - Date.now()) / 86_400_000
    expect(Math.round(days)).toBe(90)
    const authorization = `Bearer ${String(login['token'])}`
    const basic = `Basic ${Buffer.from(`convox:${String(login['token'])}`).toString('base64')}`
    for (const header of [authorization, basic])
      expect((await server.call('GET', '/api/v2/session', { headers: { authorization: header } })).body).toMatchObject({
        person: { email: acme.email },
      })
  })

  test('gets in once: a state is single use, also when asked for at once', async () => {
    const begun = await begin()
    await decide(codeIn(begun), true)
    const answers = await Promise.all([1, 2, 3, 4].map(() => complete(halves(begun))))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400, 400, 400])
    expect(await complete(halves(begun))).toMatchObject({ status: 400, body: { error: 'invalid or expired state' } })
  })

  test('with another’s verifier, a made-up state or half of either learns nothing', async () => {
    const [one, two] = [await begin(), await begin()]
    await decide(codeIn(one), true)
    for (const body of [
      { ...halves(one), code_verifier: two.code_verifier },
      { ...halves(one), state: two.state },
      { ...halves(one), state: 'x'.repeat(43) },
    ])
      expect(await complete(body)).toMatchObject({ status: 400, body: { error: 'invalid or expired state' } })
    for (const body of [{ state: one.state }, { code_verifier: one.code_verifier }, {}])
      expect(await complete(body)).toMatchObject({ status: 400, body: { error: 'invalid request' } })
    expect((await complete(halves(one))).status).toBe(200)
  })

  test('that was turned away is told so and stays out', async () => {
    const begun = await begin()
    expect((await decide(codeIn(begun), false)).body).toEqual({ approved: false })
    expect(await complete(halves(begun))).toMatchObject({ status: 401, body: { error: 'user not authorized' } })
    expect((await complete(halves(begun))).status).toBe(400)
  })

  test('waits ten minutes and no longer', async () => {
    const clock = testClock('2027-01-01T00:00:00.000Z')
    const slow = await serverApart({ clock })
    const begun = await begin(slow)
    await clock.jumpBy(601_000)
    expect((await complete(halves(begun), slow)).status).toBe(400)
    await slow.stop()
  })
})

describe('letting one in', () => {
  test('needs somebody who is signed in, is decided once, and the code names nothing afterwards', async () => {
    const begun = await begin()
    const anonymous = await server.call('POST', '/api/v2/cli-sign-ins/decision', {
      body: { code: codeIn(begun), approve: true },
      headers: { 'x-requested-with': 'countersign' },
    })
    expect(anonymous.status).toBe(401)
    const peers = await Promise.all([decide(codeIn(begun), true), decide(codeIn(begun), false)])
    expect(peers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect((await decide(codeIn(begun), true)).status).toBe(404)
  })

  test('cannot be guessed: wrong codes are counted for the person', async () => {
    const person = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
    const seen = new Set<number>()
    for (let n = 0; n < 32; n += 1) seen.add((await decide('BBBB-BBBB', true, person)).status)
    expect([...seen]).toEqual([404, 429])
  })

  test('is worth nothing once the person who did it may not sign in', async () => {
    const person = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
    const begun = await begin()
    await decide(codeIn(begun), true, person)
    await server.call('POST', `/api/v2/people/${person.person}/suspension`, {
      cookie: acme.cookie,
      body: { reason: 'left' },
    })
    expect((await complete(halves(begun))).status).toBe(401)
  })

  test('is in the trail, and no secret half is kept or written', async () => {
    const begun = await begin()
    await decide(codeIn(begun), true)
    const rows = await server.db.query<{ text: string }>(
      `select c::text as text from cli_sign_ins as c union all
       select convert_from(e.bytes, 'UTF8') from trail_entries as e where e.act like 'cli.%'`,
    )
    expect(rows.some(({ text }) => text.includes('cli.approved'))).toBe(true)
    for (const { text } of rows) {
      expect(text).not.toContain(begun.state)
      expect(text).not.toContain(begun.code_verifier)
    }
  })
})
