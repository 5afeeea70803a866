import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { cookieIn, type FactorsScene, factorsScene } from '../../../test/factors-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../../../test/server.ts'
import { systemClock } from '../../kernel/clock.ts'
import { type SettingRow, settingRows } from './settings.ts'

const clock = systemClock()
const minute = 60_000
const day = 24 * 60 * minute
let database: TestDatabase
let server: TestServer
/** Another replica, which was asked nothing of what changes. */
let other: TestServer
let scene: FactorsScene
let acme: TestTenant

beforeAll(async () => {
  database = await testDatabase()
  const environment = { RGW_SETTING_SESSION_TIMEOUT_MINUTES: '45' }
  server = await testServer({ databaseUrl: database.url, clock, environment })
  other = await testServer({ databaseUrl: database.url, clock, environment })
  scene = factorsScene(server, clock)
})
afterAll(async () => {
  await server.stop()
  await other.stop()
  await database.drop()
})
beforeEach(async () => {
  acme = await server.newTenant()
})

type Shown = { readonly name: string; readonly value: unknown; readonly source: string; readonly fallback: unknown }
const listed = async (name: string, at = server): Promise<Shown | undefined> =>
  ((await at.call('GET', '/api/v2/settings', { cookie: acme.cookie })).body as { items: Shown[] }).items.find(
    (one) => one.name === name,
  )
const change = (name: string, value: unknown, cookie = acme.cookie): Promise<Answer> =>
  server.call('PUT', `/api/v2/settings/${name}`, { cookie, body: { value } })
const entries = async () => {
  const rows = await server.db.query<{ text: string }>(
    `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e
      where e.tenant_id = $1 and e.act = 'setting.changed' order by e.arrival`,
    [acme.tenant],
  )
  return rows.map(({ text }) => JSON.parse(text) as { subject: { id: string }; details: object })
}

function samples(row: SettingRow): { readonly good: unknown; readonly bad: readonly unknown[] } {
  switch (row.kind) {
    case 'integer': {
      const bad = [row.minimum - 1, row.maximum + 1, row.minimum + 0.5, String(row.minimum), true, [row.minimum], {}]
      return { good: row.minimum, bad: row.optional === undefined ? [...bad, null] : bad }
    }
    case 'boolean':
      return { good: row.fallback, bad: ['true', 1, 0, null, []] }
    case 'choice':
      return { good: row.choices[1]?.[0], bad: ['', 'anything', 1, true, null] }
  }
}

describe('every setting there is', () => {
  test.each(Object.entries(settingRows))(
    '%s takes what fits and nothing else, says where its value is from, and leaves before and after in the trail',
    async (name, row) => {
      const { good, bad } = samples(row)
      const before = await listed(name)
      expect(before?.source).toBe(name === 'sessions.idle_minutes' ? 'environment' : 'default')
      for (const value of bad) {
        const refused = await change(name, value)
        expect(refused.status, JSON.stringify(value)).toBe(422)
        expect(refused.text).toContain('body.value')
      }
      expect(await entries()).toEqual([])

      expect((await change(name, good)).status).toBe(200)
      expect(await listed(name)).toMatchObject({ value: good, source: 'database', fallback: before?.value })
      const back = await server.call('DELETE', `/api/v2/settings/${name}`, { cookie: acme.cookie })
      expect(back.status, back.text).toBe(200)
      expect(await listed(name)).toEqual(before)
      expect(await entries()).toMatchObject([
        { subject: { kind: 'setting', id: name }, details: { before: before?.value, after: good } },
        { subject: { kind: 'setting', id: name }, details: { before: good, after: before?.value } },
      ])
    },
  )

  test('is its own tenant’s alone, and one that is not there cannot be made', async () => {
    const [mine, stranger] = [acme, await server.newTenant()]
    expect((await change('tokens.days_max', 30)).status).toBe(200)
    acme = stranger
    expect(await listed('tokens.days_max')).toMatchObject({ value: 365, source: 'default' })
    acme = mine
    for (const name of ['tokens.days', '__proto__', 'constructor', 'COUNTERSIGN_SECRET_KEY', 'mfa.', 'mfa.enforced'])
      expect((await change(name, 1)).status, name).toBe(404)
  })

  test('may be set by the environment, and a person’s value goes before it', async () => {
    expect(await listed('sessions.idle_minutes')).toMatchObject({ value: 45, source: 'environment' })
    await change('sessions.idle_minutes', 20)
    expect(await listed('sessions.idle_minutes')).toMatchObject({ value: 20, source: 'database', fallback: 45 })
  })
})

describe('a setting of second factors acts without a restart, on every replica', () => {
  const at = (one: TestServer, cookie: string, path = '/overview') => one.call('GET', `/api/v2${path}`, { cookie })
  const becomes = async (one: TestServer, cookie: string, status: number): Promise<Answer> =>
    eventually(
      () => at(one, cookie),
      (answer) => answer.status === status,
    )

  test('that everybody needs one: who has none is sent to add one, and is let be when it is taken back', async () => {
    const member = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
    const { cookie, codes } = await scene.withTotp(acme.cookie)
    for (const one of [server, other]) expect((await at(one, member.cookie)).status).toBe(200)
    // The proof that confirmed the app serves one act.
    expect((await change('mfa.required', true, cookie)).status).toBe(200)
    for (const one of [server, other]) {
      const refused = await becomes(one, member.cookie, 403)
      expect(refused.body).toMatchObject({ code: 'mfa_enrollment_required' })
      expect((await at(one, cookie)).status).toBe(200)
    }
    await server.call('POST', '/api/v2/mfa/verification', { cookie, body: { code: codes[0] } })
    const back = await server.call('DELETE', '/api/v2/settings/mfa.required', { cookie })
    expect(back.status, back.text).toBe(200)
    for (const one of [server, other]) await becomes(one, member.cookie, 200)
  })

  test('how long a proof lasts: a shorter window closes those that are open, a longer one opens them again', async () => {
    const label = (one: TestServer) =>
      one.call('POST', '/api/v2/keys', { cookie: acme.cookie, body: { environment: 'staging', label: 'x' } })
    const answers = (one: TestServer, status: number) =>
      eventually(
        () => label(one),
        (answer) => answer.status === status,
      )
    const spare = await server.newPerson(acme, [{ role: 'admin', environment: null }])
    scene.pass(5 * minute)
    for (const one of [server, other]) expect((await label(one)).status).toBe(201)
    expect((await change('mfa.step_up_minutes', 2, await server.signIn(spare.email))).status).toBe(200)
    for (const one of [server, other])
      expect((await answers(one, 403)).body).toMatchObject({ code: 'mfa_step_up_required' })
    expect((await change('mfa.step_up_minutes', 30, await server.signIn(spare.email))).status).toBe(200)
    scene.pass(10 * minute)
    for (const one of [server, other]) await answers(one, 201)
  })

  test('how long a browser is trusted: fewer days end the trust of those that were trusted longer ago, and 0 trusts none', async () => {
    const people = await Promise.all([1, 2].map(() => server.newPerson(acme, [{ role: 'viewer', environment: null }])))
    const trusted: string[] = []
    for (const { cookie, email } of people) {
      const { codes } = await scene.withTotp(cookie)
      const body = { code: codes[0], trust_device: true }
      const proven = await server.call('POST', '/api/v2/mfa/verification', { cookie: await server.signIn(email), body })
      trusted.push(cookieIn(proven, 'countersign_device'))
    }
    scene.pass(5 * day)
    const entersWith = async (which: number, one: TestServer): Promise<number> => {
      const body = { email: people[which]?.email, password: server.password }
      const answer = await one.call('POST', '/api/v2/session', { cookie: trusted[which] ?? '', body })
      return (await at(one, cookieIn(answer))).status
    }
    const allowed = async (days: number, one: TestServer): Promise<void> => {
      await change('mfa.trusted_device_days', days, await server.signIn(acme.email))
      await eventually(
        () => one.call('GET', '/api/v2/mfa', { cookie: acme.cookie }),
        ({ body }) => (body as { trusted_device_days: number }).trusted_device_days === days,
      )
    }
    acme = { ...acme, cookie: await server.signIn(acme.email) }
    expect(await entersWith(0, other)).toBe(200)
    await allowed(0, other)
    expect(await entersWith(0, other)).toBe(403)
    await allowed(6, other)
    expect(await entersWith(0, other)).toBe(200)
    await allowed(4, other)
    expect(await entersWith(0, other)).toBe(403)
    // That was too late for good, and is on record; who was not tried is let be.
    await allowed(30, other)
    expect(await entersWith(0, other)).toBe(403)
    expect(await entersWith(1, other)).toBe(200)
  })
})
