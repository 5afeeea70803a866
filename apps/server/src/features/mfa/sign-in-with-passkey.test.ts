import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Body, cookieIn, type FactorsScene, factorsScene } from '../../../test/factors-scene.ts'
import { type PretendPasskey, pretendPasskey } from '../../../test/pretend-passkey.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { systemClock } from '../../kernel/clock.ts'

// A passkey alone, before anybody has said who they are.

const clock = systemClock()
const minute = 60_000
let server: ServerApart
let scene: FactorsScene
let acme: TestTenant
let key: PretendPasskey
beforeAll(async () => {
  server = await serverApart({ clock })
  scene = factorsScene(server, clock)
})
afterAll(() => server.stop())
beforeEach(async () => {
  acme = await server.newTenant()
  const made = await scene.withPasskey(acme.cookie)
  key = made.key
  acme = { ...acme, cookie: made.cookie }
  // Attempts are counted for the address, which all of these share.
  scene.pass(6 * minute)
})

const headers = { 'x-requested-with': 'countersign' }
type Begun = { readonly challenge_id: string; readonly options: Body }
const begin = async (): Promise<Begun> =>
  (await server.call('POST', '/api/v2/sign-in/passkey/challenge', { headers })).body as Begun
const finish = (challenge_id: string, credential: unknown): Promise<Answer> =>
  server.call('POST', '/api/v2/sign-in/passkey', { headers, body: { challenge_id, credential } })
type Bend = Parameters<PretendPasskey['get']>[1]
const enter = async (bend: Bend = {}, who = key): Promise<Answer> => {
  const { challenge_id, options } = await begin()
  return finish(challenge_id, who.get(options, bend))
}
const reasons = async (): Promise<string[]> => {
  const rows = await server.db.query<{ text: string }>(
    `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.act = 'session.refused' order by e.arrival`,
  )
  return rows.map(({ text }) => (JSON.parse(text) as { details: { reason: string } }).details.reason)
}

describe('a passkey alone', () => {
  test('is a whole sign-in and a fresh proof, in a session of its own', async () => {
    const answer = await enter()
    expect(answer.status, answer.text).toBe(200)
    const cookie = cookieIn(answer)
    expect((await server.call('GET', '/api/v2/session', { cookie })).body).toMatchObject({
      person: { email: acme.email },
      factors: { is_verified: true },
    })
    const made = { cookie, body: { environment: 'staging', label: 'made' } }
    expect((await server.call('POST', '/api/v2/keys', made)).status).toBe(201)
    scene.pass(11 * minute)
    expect((await server.call('POST', '/api/v2/keys', made)).status).toBe(403)
  })

  test('is asked for without telling whose it could be', async () => {
    const { options } = await begin()
    expect(options['allowCredentials'] ?? []).toEqual([])
    expect(options['userVerification']).toBe('required')
  })

  test.each<[string, Bend]>([
    ['another site', { origin: 'https://evil.example' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['another challenge', { challenge: Buffer.from('x'.repeat(32)).toString('base64url') }],
    ['another ceremony', { type: 'webauthn.create' }],
    ['a user who was not verified', { flags: 1 }],
    ['nobody in particular', { userHandle: undefined }],
    ['somebody else', { userHandle: Buffer.from('y'.repeat(32)).toString('base64url') }],
  ])('signed for %s lets nobody in, and that is in the trail', async (_, bend) => {
    const before = (await reasons()).length
    expect(await enter(bend)).toMatchObject({ status: 401, body: { code: 'wrong_credentials' } })
    expect((await reasons()).slice(before)).toEqual(['invalid_credential'])
  })

  test('answers a challenge once, of those who race for it one gets in, and not too late', async () => {
    const { challenge_id, options } = await begin()
    const credential = key.get(options)
    const answers = await Promise.all([1, 2, 3, 4].map(() => finish(challenge_id, credential)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const late = await begin()
    const answer = key.get(late.options)
    scene.pass(6 * minute)
    expect((await finish(late.challenge_id, answer)).status).toBe(401)
  })

  test('takes no challenge that was made for another purpose, or made up', async () => {
    const asked = await server.call('POST', '/api/v2/mfa/passkeys/challenge', { cookie: acme.cookie })
    const own = asked.body as Begun
    for (const id of [own.challenge_id, 'made up'])
      expect((await finish(id, key.get((await begin()).options))).status).toBe(401)
  })

  test('that nobody has registered, that was removed, or whose counter went back is refused alike', async () => {
    const stranger = pretendPasskey()
    stranger.create({ challenge: 'x', user: { id: 'y' }, rp: { id: 'localhost' } })
    const unknown = await enter({}, stranger)
    expect((await enter({ counter: 9 })).status).toBe(200)
    const copy = await enter({ counter: 8 })
    await server.db.query(`delete from factors as f where f.tenant_id = $1`, [acme.tenant])
    const removed = await enter({ counter: 20 })
    for (const answer of [unknown, copy, removed]) {
      expect(answer.status).toBe(401)
      expect((answer.body as { detail: string }).detail).toBe((unknown.body as { detail: string }).detail)
    }
    expect(await reasons()).toContain('counter_regressed')
  })

  test('of somebody suspended, and where identity providers alone let people in, opens nothing', async () => {
    const { db } = server
    await db.query(`update people as p set suspended_at = now() where p.id = $1`, [acme.person])
    expect((await enter()).status).toBe(401)
    await db.query(`update people as p set suspended_at = null where p.id = $1`, [acme.person])
    await db.query(
      `insert into settings (tenant_id, name, value, changed_by, changed_at) values ($1, 'sign_in.password', 'false', $2, now())`,
      [acme.tenant, acme.person],
    )
    // Settings are kept until one changes.
    const other = { cookie: acme.cookie, body: { value: 45 } }
    expect((await server.call('PUT', '/api/v2/settings/fleet.silent_minutes', other)).status).toBe(200)
    await expect.poll(async () => (await enter()).status, { timeout: 10_000, interval: 500 }).toBe(401)
    expect(await reasons()).toEqual(expect.arrayContaining(['inactive', 'only identity providers let people in']))
  })

  test('cannot be begun from another site’s page, and guessing is slowed for the address', async () => {
    const path = '/api/v2/sign-in/passkey'
    const foreign = { origin: 'https://evil.example' }
    for (const own of [foreign, { ...foreign, ...headers }])
      expect((await server.call('POST', `${path}/challenge`, { headers: own })).status).toBe(403)
    const answers = []
    for (let n = 0; n < 31; n += 1) answers.push(await finish('made up', {}))
    expect(answers.at(-1)?.status).toBe(429)
    expect(Number(answers.at(-1)?.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})
