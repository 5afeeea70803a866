import { Secret as OtpSecret, TOTP } from 'otpauth'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type PretendPasskey, pretendPasskey } from '../../../test/pretend-passkey.ts'
import { type PretendYubico, pretendYubico } from '../../../test/pretend-yubico.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../../../test/server.ts'
import { systemClock } from '../../kernel/clock.ts'
import { waitAfter } from './attempts.ts'

const clock = systemClock()
const minute = 60_000
let database: TestDatabase
let server: TestServer
let owner: pg.Client
let yubico: PretendYubico
let acme: TestTenant
/** How far the clock was moved; each person begins where the last one ended. */
let moved = 0

beforeAll(async () => {
  database = await testDatabase()
  yubico = await pretendYubico()
  server = await testServer({
    databaseUrl: database.url,
    clock,
    environment: {
      COUNTERSIGN_YUBICO_CLIENT_ID: '7',
      COUNTERSIGN_YUBICO_SECRET_KEY: yubico.key,
      COUNTERSIGN_YUBICO_URL: yubico.url,
    },
  })
  owner = new pg.Client({ connectionString: database.ownerUrl })
  await owner.connect()
})
afterAll(async () => {
  await owner.end()
  await server.stop()
  yubico.server.close()
  await database.drop()
})
beforeEach(async () => {
  acme = await server.newTenant()
})

function pass(milliseconds: number): void {
  moved += milliseconds
  clock.adjust(moved)
}

type Body = Readonly<Record<string, unknown>>

async function call(
  cookie: string,
  method: string,
  path: string,
  body?: unknown,
  headers = {},
): Promise<Answer & { body: Body }> {
  const answer = await server.call(method, `/api/v2${path}`, { cookie, headers, ...(body !== undefined && { body }) })
  return { ...answer, body: (answer.body ?? {}) as Body }
}

function cookieIn(answer: Answer, name = 'countersign_session'): string {
  const found = answer.headers.getSetCookie().find((one) => one.startsWith(`${name}=`))
  if (found === undefined) throw new Error(`no ${name} in ${answer.status} ${answer.text}`)
  return found.split(';')[0] ?? ''
}

const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: OtpSecret.fromBase32(secret) }).generate({ timestamp: clock.now().getTime() + steps * 30_000 })

/** An authenticator app, confirmed; the cookie is the session's new one. */
async function withTotp(cookie = acme.cookie) {
  const started = await call(cookie, 'POST', '/mfa/totp', {})
  const { id, secret } = started.body as { id: string; secret: string }
  const confirmed = await call(cookie, 'POST', `/mfa/totp/${id}/confirmation`, { code: codeOf(secret) })
  expect(confirmed.status, confirmed.text).toBe(200)
  pass(minute)
  return { id, secret, cookie: cookieIn(confirmed), codes: confirmed.body['backup_codes'] as string[] }
}

async function withPasskey(cookie = acme.cookie, key = pretendPasskey()) {
  const asked = await call(cookie, 'POST', '/mfa/passkeys/challenge')
  const { challenge_id, options } = asked.body as { challenge_id: string; options: Body }
  const answer = await call(cookie, 'POST', '/mfa/passkeys', {
    challenge_id,
    label: 'laptop',
    credential: key.create(options),
  })
  return { key, answer, cookie: answer.status === 201 && answer.headers.has('set-cookie') ? cookieIn(answer) : cookie }
}

async function assertion(cookie: string, key: PretendPasskey, bend: Parameters<PretendPasskey['get']>[1] = {}) {
  const asked = await call(cookie, 'POST', '/mfa/verification/challenge')
  const { challenge_id, options } = asked.body as { challenge_id: string; options: Body }
  return { challenge_id, credential: key.get(options, bend) }
}

const acts = async (): Promise<string[]> => {
  const { rows } = await owner.query<{ act: string }>(
    `select act from trail_entries where tenant_id = $1 order by arrival`,
    [acme.tenant],
  )
  return rows.map(({ act }) => act)
}

describe('an authenticator app', () => {
  test('takes the code of this step and of its neighbors, and of no other', async () => {
    const { secret } = await withTotp()
    for (const [steps, status] of [
      [-2, 403],
      [2, 403],
      [-1, 200],
      [0, 200],
      [1, 200],
    ] as const) {
      const cookie = await server.signIn(acme.email)
      const answer = await call(cookie, 'POST', '/mfa/verification', { code: codeOf(secret, steps) })
      expect.soft(answer.status, `${steps}: ${answer.text}`).toBe(status)
    }
  })

  test('gives each code one use, also right after it confirmed the app, and across two apps', async () => {
    const started = await call(acme.cookie, 'POST', '/mfa/totp', {})
    const { id, secret } = started.body as { id: string; secret: string }
    const code = codeOf(secret)
    const confirmed = await call(acme.cookie, 'POST', `/mfa/totp/${id}/confirmation`, { code })
    const again = await call(cookieIn(confirmed), 'POST', '/mfa/verification', { code })
    expect(again).toMatchObject({ status: 403, body: { code: 'mfa_verification_failed', reason: 'replay_detected' } })
  })

  test('is not confirmed by a wrong code, and until then counts for nothing', async () => {
    const { body } = await call(acme.cookie, 'POST', '/mfa/totp', {})
    const wrong = await call(acme.cookie, 'POST', `/mfa/totp/${String(body['id'])}/confirmation`, { code: '000000' })
    expect(wrong.status).toBe(403)
    expect((await call(acme.cookie, 'GET', '/mfa')).body).toMatchObject({ is_enrolled: false, factors: [] })
  })

  test('keeps its secret sealed: what is stored does not hold it, and opens in no other row', async () => {
    const { secret, id } = await withTotp()
    const { rows } = await owner.query<{ sealed_secret: string }>(`select sealed_secret from factors where id = $1`, [
      id,
    ])
    const stored = rows[0]?.sealed_secret ?? ''
    const bytes = Buffer.from(OtpSecret.fromBase32(secret).bytes)
    expect(stored).not.toContain(secret)
    expect(stored).not.toContain(bytes.toString('base64').slice(0, 20))
    expect(Buffer.from(stored.split(':')[1] ?? '', 'base64').includes(bytes)).toBe(false)
  })
})

describe('the way around by adding a factor', () => {
  test.each([
    ['POST', '/mfa/totp', {}],
    ['POST', '/mfa/passkeys/challenge', undefined],
    ['POST', '/mfa/yubico', { otp: 'cccccccccccb'.padEnd(44, 'd'), label: 'key' }],
    ['POST', '/mfa/backup-codes', undefined],
    ['POST', '/mfa/verification/password', { password: 'correct horse battery staple' }],
  ])('%s %s is closed to a session that knows the password only', async (method, path, body) => {
    await withTotp()
    const answer = await call(await server.signIn(acme.email), method, path, body)
    expect(answer.status, answer.text).toBe(403)
    expect(answer.text).not.toContain('backup_codes')
  })

  test('is closed to a verified session whose proof is old', async () => {
    const { cookie } = await withTotp()
    pass(11 * minute)
    expect(await call(cookie, 'POST', '/mfa/totp', {})).toMatchObject({
      status: 403,
      body: { code: 'mfa_step_up_required' },
    })
  })

  test('is closed to an app that was begun before the first factor was confirmed elsewhere', async () => {
    const begun = (await call(acme.cookie, 'POST', '/mfa/totp', {})).body as { id: string; secret: string }
    const other = await server.signIn(acme.email)
    await withPasskey(other)
    const answer = await call(acme.cookie, 'POST', `/mfa/totp/${begun.id}/confirmation`, { code: codeOf(begun.secret) })
    expect(answer.status).toBe(403)
  })

  test('shows a session without the second step neither browsers nor addresses', async () => {
    const { secret } = await withTotp()
    const cookie = await server.signIn(acme.email)
    await call(cookie, 'POST', '/mfa/verification', { code: codeOf(secret), trust_device: true })
    const { body } = await call(await server.signIn(acme.email), 'GET', '/mfa')
    expect(body).toMatchObject({ is_verified: false, trusted_devices: [] })
  })
})

describe('backup codes', () => {
  test('come with the first factor only, work once each however they are typed, and new ones end the old', async () => {
    const { codes, cookie } = await withTotp()
    expect(codes).toHaveLength(10)
    expect((await withPasskey(cookie)).answer.body).toMatchObject({ backup_codes: null })
    const typed = `${(codes[0] ?? '').slice(0, 6).toLowerCase()}-${(codes[0] ?? '').slice(6)} `
    const signedIn = await server.signIn(acme.email)
    const used = await call(signedIn, 'POST', '/mfa/verification', { code: typed })
    expect(used.status).toBe(200)
    const lifted = cookieIn(used)
    expect((await call(lifted, 'POST', '/mfa/verification', { code: codes[0] })).status).toBe(403)
    const renewed = await call(lifted, 'POST', '/mfa/backup-codes')
    expect(renewed.status).toBe(201)
    expect((await call(lifted, 'POST', '/mfa/verification', { code: codes[1] })).status).toBe(403)
    const [fresh] = renewed.body['backup_codes'] as string[]
    expect((await call(lifted, 'POST', '/mfa/verification', { code: fresh })).status).toBe(200)
    expect((await call(lifted, 'GET', '/mfa')).body).toMatchObject({ backup_codes: { total: 10, unused: 9 } })
  })
})

describe('a passkey', () => {
  test('completes the sign-in with a new token: the one before is nobody’s', async () => {
    const { key } = await withPasskey()
    const before = await server.signIn(acme.email)
    const answer = await call(before, 'POST', '/mfa/verification/passkey', await assertion(before, key))
    expect(answer.status, answer.text).toBe(200)
    expect((await call(before, 'GET', '/session')).status).toBe(401)
    expect((await call(cookieIn(answer), 'GET', '/overview')).status).toBe(200)
    expect(await acts()).toContain('factor.proven')
  })

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another relying party', { rpId: 'evil.example' }],
    ['another challenge', { challenge: Buffer.from('x'.repeat(32)).toString('base64url') }],
    ['another ceremony', { type: 'webauthn.create' }],
    ['an absent user', { flags: 4 }],
    ['a user who was not verified', { flags: 1 }],
  ])('signed for %s is refused', async (_, bend) => {
    const { key } = await withPasskey()
    const cookie = await server.signIn(acme.email)
    const answer = await call(cookie, 'POST', '/mfa/verification/passkey', await assertion(cookie, key, bend))
    expect(answer.status).toBe(403)
    const wrongCeremony = 'type' in bend ? { type: 'webauthn.get' } : bend
    const bent = { ...key, create: (options: Body) => pretendPasskey().create(options, wrongCeremony) }
    const made = await withPasskey((await server.newTenant()).cookie, bent)
    expect(made.answer.status).toBe(422)
  })

  test('answers a challenge once, for the session that asked, and not too late', async () => {
    const { key } = await withPasskey()
    const cookie = await server.signIn(acme.email)
    const answered = await assertion(cookie, key)
    const other = await server.signIn(acme.email)
    const reason = async (who: string, body: unknown) =>
      (await call(who, 'POST', '/mfa/verification/passkey', body)).body['reason']
    expect(await reason(other, answered)).toBe('invalid_challenge')
    const right = await call(cookie, 'POST', '/mfa/verification/passkey', answered)
    expect(right.status).toBe(200)
    expect(await reason(cookieIn(right), answered)).toBe('invalid_challenge')
    const late = await assertion(cookieIn(right), key)
    pass(6 * minute)
    expect(await reason(cookieIn(right), late)).toBe('invalid_challenge')
  })

  test('whose counter goes back is refused: it may be a copy', async () => {
    const { key } = await withPasskey()
    const cookie = await server.signIn(acme.email)
    const first = await call(cookie, 'POST', '/mfa/verification/passkey', await assertion(cookie, key, { counter: 5 }))
    const lifted = cookieIn(first)
    for (const counter of [5, 4]) {
      const copy = await call(lifted, 'POST', '/mfa/verification/passkey', await assertion(lifted, key, { counter }))
      expect(copy.body).toMatchObject({ code: 'mfa_verification_failed', reason: 'counter_regressed' })
    }
  })

  test('of somebody else is no proof', async () => {
    const { key } = await withPasskey()
    const globex = await server.newTenant()
    const own = await withPasskey(globex.cookie)
    const cookie = await server.signIn(globex.email)
    const answer = await call(cookie, 'POST', '/mfa/verification/passkey', await assertion(cookie, key))
    expect(answer.status).toBe(403)
    const taken = await withPasskey(own.cookie, key)
    expect(taken.answer.status).toBe(409)
  })

  test('and another one: several belong to one person, each removed by itself with a proof of its own', async () => {
    const first = await withPasskey()
    const { cookie } = await withPasskey(first.cookie)
    const { body } = await call(cookie, 'GET', '/mfa')
    const [one, two] = body['factors'] as { id: string }[]
    expect((await call(cookie, 'DELETE', `/mfa/factors/${one?.id}`)).status).toBe(200)
    expect(await call(cookie, 'DELETE', `/mfa/factors/${two?.id}`)).toMatchObject({
      status: 403,
      body: { code: 'mfa_step_up_required', level: 'always' },
    })
  })
})

describe('a Yubico key', () => {
  const otp = (identity: string, rest: string): string => identity + rest.repeat(32)

  test('is added and proven by what it types; the vendor is asked each time', async () => {
    const identity = 'ccccccbchvth'
    const added = await call(acme.cookie, 'POST', '/mfa/yubico', { otp: otp(identity, 'b'), label: 'key' })
    expect(added.status, added.text).toBe(201)
    const cookie = await server.signIn(acme.email)
    expect((await call(cookie, 'POST', '/mfa/verification', { code: otp(identity, 'b') })).status).toBe(403)
    expect((await call(cookie, 'POST', '/mfa/verification', { code: otp('ccccccbchvtt', 'd') })).status).toBe(403)
    expect((await call(cookie, 'POST', '/mfa/verification', { code: otp(identity, 'e') })).status).toBe(200)
  })

  test.each(['unsigned', 'other question', 'other password', 'silent'] as const)(
    'lets nobody in when the service’s answer is %s',
    async (lie) => {
      const identity = `ccccccbchv${{ unsigned: 'bb', 'other question': 'bc', 'other password': 'bd', silent: 'be' }[lie]}`
      expect((await call(acme.cookie, 'POST', '/mfa/yubico', { otp: otp(identity, 'f'), label: 'key' })).status).toBe(
        201,
      )
      const cookie = await server.signIn(acme.email)
      yubico.lie = lie
      const answer = await call(cookie, 'POST', '/mfa/verification', { code: otp(identity, 'g') })
      yubico.lie = undefined
      expect(answer).toMatchObject({ status: 503, body: { code: 'unavailable' } })
    },
  )
})

describe('guessing', () => {
  test('waits longer each time, then is locked for a while; the trail tells, and time or an administrator ends it', async () => {
    const { secret } = await withTotp()
    const cookie = await server.signIn(acme.email)
    const guess = (code = '000000') => call(cookie, 'POST', '/mfa/verification', { code })
    let failures = 0
    for (; failures < 4; failures += 1) expect((await guess()).status).toBe(403)
    const early = await guess(codeOf(secret))
    expect(early).toMatchObject({ status: 429, body: { code: 'too_many_requests', locked_until: null } })
    for (; failures < 10; failures += 1) {
      pass(waitAfter(failures).ms)
      await guess()
    }
    expect(await guess(codeOf(secret))).toMatchObject({
      status: 429,
      body: { locked_until: expect.any(String) as string },
    })
    expect(await acts()).toEqual(expect.arrayContaining(['factor.refused', 'factor.locked']))
    pass(15 * minute)
    const right = await guess(codeOf(secret))
    expect(right.status, right.text).toBe(200)
  })

  test('is ended by an administrator, and that is in the trail', async () => {
    const { secret, cookie } = await withTotp()
    await owner.query(`update factor_states set failures = 10, locked_until = $2 where person_id = $1`, [
      acme.person,
      new Date(clock.now().getTime() + 15 * minute),
    ])
    expect((await call(cookie, 'POST', '/mfa/verification', { code: codeOf(secret) })).status).toBe(429)
    expect((await call(cookie, 'POST', `/people/${acme.person}/factors/unlock`)).status).toBe(200)
    expect((await call(cookie, 'POST', '/mfa/verification', { code: codeOf(secret) })).status).toBe(200)
    expect(await acts()).toContain('factors.unlocked')
  })

  test('is all that counts: proving rightly many times locks nobody out', async () => {
    const { key, cookie } = await withPasskey()
    for (let proofs = 0; proofs < 12; proofs += 1) {
      const answer = await call(cookie, 'POST', '/mfa/verification/passkey', await assertion(cookie, key))
      expect(answer.status).toBe(200)
    }
  })

  test('in many requests at once gets no more than one at a time', async () => {
    await withTotp()
    const cookie = await server.signIn(acme.email)
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => call(cookie, 'POST', '/mfa/verification', { code: '000000' })),
    )
    expect(answers.filter(({ status }) => status === 403)).toHaveLength(4)
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(8)
  })
})

describe('a trusted browser', () => {
  const devicesOf = async (): Promise<number> => {
    const { rows } = await owner.query(`select id from trusted_devices where tenant_id = $1`, [acme.tenant])
    return rows.length
  }
  const agent = { 'user-agent': 'Browser of acme' }
  const trusted = async () => {
    const { secret } = await withTotp()
    const cookie = await server.signIn(acme.email)
    const body = { code: codeOf(secret), trust_device: true }
    return cookieIn(await call(cookie, 'POST', '/mfa/verification', body, agent), 'countersign_device')
  }
  const signIn = async (device: string, headers: Record<string, string>): Promise<string> =>
    cookieIn(await call(device, 'POST', '/session', { email: acme.email, password: server.password }, headers))

  test('skips the second step of the sign-in and nothing else', async () => {
    const cookie = await signIn(await trusted(), agent)
    expect((await call(cookie, 'GET', '/overview')).status).toBe(200)
    const sharp = await call(cookie, 'POST', '/keys', { environment: 'staging', label: 'x' })
    expect(sharp).toMatchObject({ status: 403, body: { code: 'mfa_step_up_required' } })
  })

  test('is one browser: its cookie in another, or of another person, is worth nothing', async () => {
    const device = await trusted()
    const elsewhere = await signIn(device, { 'user-agent': 'Another browser' })
    expect((await call(elsewhere, 'GET', '/overview')).status).toBe(403)
    acme = await server.newTenant()
    await withTotp()
    expect((await call(await signIn(device, agent), 'GET', '/overview')).status).toBe(403)
  })

  test('is forgotten for good once another browser shows its cookie, and that is in the trail', async () => {
    const device = await trusted()
    await signIn(device, { 'user-agent': 'Another browser' })
    expect((await call(await signIn(device, agent), 'GET', '/overview')).status).toBe(403)
    expect(await acts()).toContain('device.forgotten')
  })

  test('is forgotten with the password it was trusted beside', async () => {
    const { secret } = await withTotp()
    const fresh = async () => {
      pass(minute)
      const cookie = await server.signIn(acme.email)
      const proven = await call(
        cookie,
        'POST',
        '/mfa/verification',
        { code: codeOf(secret), trust_device: true },
        agent,
      )
      return { cookie: cookieIn(proven), device: cookieIn(proven, 'countersign_device') }
    }
    const { cookie, device } = await fresh()
    expect((await call(await signIn(device, agent), 'GET', '/overview')).status).toBe(200)
    const change = { current_password: server.password, new_password: `${server.password} again` }
    const changed = await call(cookie, 'PUT', '/session/password', change)
    expect(changed.status, changed.text).toBe(200)
    const body = { email: acme.email, password: change.new_password }
    const later = cookieIn(await call(device, 'POST', '/session', body, agent))
    expect((await call(later, 'GET', '/overview')).status).toBe(403)
    expect(await devicesOf()).toBe(0)
  })

  test('is forgotten with any factor that goes, though another stays', async () => {
    const { id, secret, cookie } = await withTotp()
    const first = await server.signIn(acme.email)
    const body = { code: codeOf(secret), trust_device: true }
    cookieIn(await call(first, 'POST', '/mfa/verification', body, agent), 'countersign_device')
    const started = (await call(cookie, 'POST', '/mfa/totp', {})).body as { id: string; secret: string }
    pass(minute)
    await call(cookie, 'POST', '/mfa/verification', { code: codeOf(secret) })
    // A step is used up for all apps of a person.
    pass(minute)
    const added = { code: codeOf(started.secret) }
    expect((await call(cookie, 'POST', `/mfa/totp/${started.id}/confirmation`, added)).status).toBe(200)
    expect(await devicesOf()).toBe(1)
    pass(minute)
    await call(cookie, 'POST', '/mfa/verification', { code: codeOf(started.secret) })
    expect((await call(cookie, 'DELETE', `/mfa/factors/${id}`)).status).toBe(200)
    expect(await devicesOf()).toBe(0)
  })

  test('is forgotten when it is told to be, and when its time is over', async () => {
    const device = await trusted()
    pass(31 * 24 * 60 * minute)
    expect((await call(await signIn(device, agent), 'GET', '/overview')).status).toBe(403)
  })
})

describe('the last factor', () => {
  test('stays while one is required, and takes codes and proofs along when it goes', async () => {
    const { id, cookie } = await withTotp()
    await owner.query(
      `insert into settings (tenant_id, name, value, changed_by, changed_at) values ($1, 'mfa.required', 'true', $2, now())`,
      [acme.tenant, acme.person],
    )
    pass(6_000)
    expect((await call(cookie, 'DELETE', `/mfa/factors/${id}`)).status).toBe(409)
    await owner.query(`delete from settings where tenant_id = $1`, [acme.tenant])
    const { rows } = await owner.query<{ unspent: Date | null }>(
      `select unspent_at as unspent from sessions where tenant_id = $1 and verified_at is not null`,
      [acme.tenant],
    )
    // The refusal used the proof up: the next removal needs another.
    expect(rows[0]?.unspent).toBeNull()
  })

  test('of somebody who lost it is removed by an administrator, with every session of theirs', async () => {
    const { cookie } = await withTotp()
    const answer = await call(cookie, 'POST', `/people/${acme.person}/factors/reset`)
    expect(answer.body).toMatchObject({ removed: 1 })
    expect((await call(cookie, 'GET', '/session')).status).toBe(401)
    const fresh = await server.signIn(acme.email)
    expect((await call(fresh, 'GET', '/mfa')).body).toMatchObject({ is_enrolled: false })
    expect(await acts()).toContain('factors.reset')
    // And the person is told, until they have taken note.
    const told = async () =>
      ((await call(fresh, 'GET', '/session')).body as { factors: { was_reset: unknown } }).factors.was_reset
    expect(await told()).toEqual({ at: expect.any(String) as string, by: acme.email })
    expect((await call(fresh, 'DELETE', '/mfa/reset-notice')).status).toBe(200)
    expect(await told()).toBeNull()
  })

  test('of somebody who holds more is neither reset nor unlocked by who holds less', async () => {
    const { cookie } = await withTotp()
    const hr = { name: 'hr', permissions: ['people:read', 'people:write'] }
    expect((await call(cookie, 'POST', '/roles', hr)).status).toBe(201)
    const clerk = await server.newPerson({ ...acme, cookie }, [{ role: 'hr', environment: null }])
    for (const act of ['reset', 'unlock'])
      expect((await call(clerk.cookie, 'POST', `/people/${acme.person}/factors/${act}`)).status, act).toBe(403)
    expect((await call(cookie, 'GET', '/mfa')).body).toMatchObject({ is_enrolled: true })
  })

  test('is told of by kind and age to whoever reads people, and by its name to nobody else', async () => {
    const { cookie } = await withTotp()
    const { body } = await call(cookie, 'GET', `/people/${acme.person}`)
    expect(body).toMatchObject({ factors: [{ kind: 'totp', since: expect.any(String) as string }] })
    expect(JSON.stringify(body['factors'])).not.toMatch(/label|secret|id"/)
  })

  test('is not for an administrator of another tenant to remove', async () => {
    await withTotp()
    const globex = await server.newTenant()
    for (const act of ['reset', 'unlock'])
      expect((await call(globex.cookie, 'POST', `/people/${acme.person}/factors/${act}`)).status).toBe(404)
    expect((await call(await server.signIn(acme.email), 'GET', '/mfa')).body).toMatchObject({ is_enrolled: true })
  })
})
