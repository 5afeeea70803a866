import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { type Body, basic, cookieIn, type FactorsScene, factorsScene, tokenOf } from '../factors-scene.ts'
import { pretendPasskey } from '../pretend-passkey.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../server.ts'

// What Rack Gateway's clients are told about who they are: the answers of gateway §2 and the records of §3, to the byte
// where a client reads them.

const clock = systemClock()
const minute = 60_000
let server: ServerApart
let scene: FactorsScene
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart({ clock })
  scene = factorsScene(server, clock)
})
afterAll(() => server.stop())
beforeEach(async () => {
  acme = await server.newTenant()
})

type Headers = Readonly<Record<string, string>>
const send = (method: string, path: string, headers: Headers, body?: unknown): Promise<Answer> =>
  server.call(method, `/api/v1${path}`, { headers, ...(body !== undefined && { body }) })
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` })
const draft = { name: 'ci', role: 'cicd' }

async function lapsed() {
  const { secret, cookie } = await scene.withTotp(acme.cookie)
  const token = await scene.commandLine(cookie)
  scene.pass(11 * minute)
  return { secret, token, cookie: await verified(secret) }
}

/** A browser of the same person, signed in again, whose proof lapsed too. */
async function verified(secret: string): Promise<string> {
  const cookie = await server.signIn(acme.email)
  const proven = await server.call('POST', '/api/v2/mfa/verification', { cookie, body: { code: scene.codeOf(secret) } })
  scene.pass(11 * minute)
  return cookieIn(proven)
}

async function csrfOf(cookie: string): Promise<Headers> {
  const token = (await send('GET', '/info', { cookie })).headers.get('x-csrf-token') ?? ''
  return { cookie, 'x-csrf-token': token }
}

describe('the gate of the second factor tells', () => {
  test('a command line mfa_required at every level, so that its one retry works', async () => {
    const { secret, token } = await lapsed()
    const sharp = await send('POST', '/api-tokens', bearer(token), draft)
    expect(sharp).toMatchObject({ status: 401, body: { error: 'mfa_required' } })
    expect(sharp.headers.get('x-mfa-required')).toBe('always')
    const fresh = await send('POST', '/auth/mfa/backup-codes/regenerate', bearer(token))
    expect(fresh).toMatchObject({ status: 401, body: { error: 'mfa_required' } })
    expect(fresh.headers.get('x-mfa-required')).toBe('step-up')
    const retried = await send('POST', '/api-tokens', { ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) }, draft)
    expect(retried.status, retried.text).toBe(200)
  })

  test('a browser which of the two it is', async () => {
    const { cookie } = await lapsed()
    const own = await csrfOf(cookie)
    const fresh = await send('POST', '/auth/mfa/backup-codes/regenerate', own)
    expect(fresh).toMatchObject({
      status: 401,
      body: { error: 'mfa_step_up_required', message: expect.any(String) as string },
    })
    expect(fresh.headers.get('x-mfa-required')).toBe('step-up')
    const sharp = await send('POST', '/api-tokens', own, draft)
    expect(sharp).toMatchObject({ status: 401, body: { error: 'mfa_required' } })
    expect(sharp.headers.get('x-mfa-required')).toBe('always')
  })

  test('a session whose second step is missing that it is, also where nothing sharp is asked for', async () => {
    const { secret } = await scene.withTotp(acme.cookie)
    const cookie = await server.signIn(acme.email)
    const read = await send('GET', '/users', { cookie })
    expect(read).toMatchObject({ status: 401, body: { error: 'mfa_step_up_required' } })
    expect(read.headers.get('x-mfa-required')).toBe('step-up')
    const byHeader = await send('GET', '/users', bearer(tokenOf({ cookie })))
    expect(byHeader).toMatchObject({ status: 401, body: { error: 'mfa_required' } })
    for (const path of ['/info', '/auth/mfa/status']) expect((await send('GET', path, { cookie })).status).toBe(200)
    const along = await send('GET', '/users', { cookie, 'x-mfa-totp': scene.codeOf(secret) })
    expect(along.status, along.text).toBe(200)
  })

  test('somebody who must add a factor so: 403 and "enrollment" for all but the way there', async () => {
    await send('PUT', '/settings/mfa-configuration', bearer(tokenOf(acme)), { mfa_require_all_users: true })
    const cookie = await server.signIn(acme.email)
    for (const headers of [{ cookie }, bearer(tokenOf({ cookie }))]) {
      const refused = await send('GET', '/users', headers)
      expect(refused).toMatchObject({ status: 403, body: { error: 'mfa_enrollment_required' } })
      expect(refused.headers.get('x-mfa-required')).toBe('enrollment')
      expect((await send('GET', '/info', headers)).body).toMatchObject({
        user: { mfa_enrolled: false, mfa_required: true },
      })
    }
  })

  test('a wrong factor 401, one of an unknown kind 400, neither with the header', async () => {
    const { token } = await lapsed()
    const wrong = await send('POST', '/api-tokens', { ...bearer(token), 'x-mfa-totp': '000000' }, draft)
    expect(wrong).toMatchObject({ status: 401, body: { error: 'mfa_verification_failed' } })
    expect(wrong.headers.has('x-mfa-required')).toBe(false)
    const unknown = await send('POST', '/api-tokens', { authorization: basic(`${token}.sms.1`) }, draft)
    expect(unknown).toMatchObject({ status: 400, body: { error: 'invalid_mfa_type' } })
  })
})

describe('whoever is not let in is told', () => {
  test.each([
    ['nothing was shown', {}, 'missing authorization'],
    ['a scheme alone', { authorization: 'Bearer' }, 'invalid authorization header format'],
    ['a bare text', { authorization: 'abc' }, 'invalid authorization header format'],
    ['another scheme', { authorization: 'Digest abc' }, 'unsupported authorization type'],
    ['an ended session', bearer('a'.repeat(43)), 'authentication failed: session expired or invalid'],
    ['something of no form', bearer('x'), 'authentication failed: session not found'],
    ['no token', bearer('rgw_x'), 'authentication failed: invalid API token: invalid or revoked token'],
  ])('of %s in the words their client looks for', async (_, headers: Headers, error) => {
    expect(await send('GET', '/info', headers)).toMatchObject({ status: 401, body: { error } })
  })

  test('that an API token has expired, and that it is none for a person’s own affairs', async () => {
    const expires_at = new Date(clock.now().getTime() + 5 * minute).toISOString()
    const made = await send('POST', '/api-tokens', bearer(tokenOf(acme)), { ...draft, expires_at })
    const { token } = made.body as { token: string }
    expect((await send('GET', '/info', { authorization: basic(token, 'x') })).body).toMatchObject({
      user: { name: 'ci', roles: [] },
      rack: { name: '', alias: '', host: '' },
    })
    expect(await send('GET', '/auth/mfa/status', bearer(token))).toMatchObject({
      status: 403,
      body: { error: 'mfa requires user session' },
    })
    scene.pass(6 * minute)
    const error = 'authentication failed: invalid API token: token has expired'
    expect(await send('GET', '/info', bearer(token))).toMatchObject({ status: 401, body: { error } })
  })
})

describe('a cookie', () => {
  test('needs the session’s own token beside it for what changes something; a header needs none', async () => {
    const own = await csrfOf(acme.cookie)
    const globex = await csrfOf((await server.newTenant()).cookie)
    const body = { name: 'Ada' }
    const path = `/users/${acme.email}/name`
    for (const headers of [
      { cookie: acme.cookie },
      { cookie: acme.cookie, 'x-requested-with': 'countersign' },
      { cookie: acme.cookie, 'x-csrf-token': '' },
      { cookie: acme.cookie, 'x-csrf-token': globex['x-csrf-token'] ?? '' },
      { ...own, origin: 'https://evil.example' },
      { ...own, 'sec-fetch-site': 'cross-site' },
    ])
      expect(await send('PUT', path, headers, body)).toMatchObject({
        status: 403,
        body: { error: 'invalid CSRF token' },
      })
    expect((await send('PUT', path, own, body)).status).toBe(200)
    expect((await send('PUT', path, bearer(tokenOf(acme)), body)).status).toBe(200)
  })

  test('under the gateway’s name is read, and cleared by signing out, which a link cannot do', async () => {
    const cookie = `session_token=${tokenOf(acme)}`
    const link = await send('GET', '/auth/web/logout', { cookie })
    expect([link.status, link.headers.get('location')]).toEqual([302, '/account'])
    expect((await send('GET', '/info', { cookie })).body).toMatchObject({ user: { email: acme.email } })
    const out = await send('POST', '/auth/web/logout', await csrfOf(cookie))
    expect(out.status).toBe(200)
    expect(out.headers.getSetCookie().join(' ')).toContain('session_token=;')
    expect((await send('GET', '/info', { cookie })).status).toBe(401)
  })
})

describe('the pages of a waiting command line', () => {
  test('lead to where a person decides; its state alone lets nobody in', async () => {
    const begun = (await send('POST', '/auth/cli/start', {})).body as Record<string, string>
    const state = begun['state'] ?? ''
    const where = async (path: string) => (await send('GET', path, {})).headers.get('location')
    expect(await where(`/auth/cli/callback?code=c&state=${state}`)).toBe(`/api/v1/auth/cli/mfa?state=${state}`)
    expect(await where(`/auth/cli/mfa?state=${state}`)).toBe(begun['auth_url'])
    expect(await where('/auth/cli/mfa')).toBe('/app/auth/mfa/challenge?error=missing_state')
    expect(await where('/auth/cli/mfa?state=invented')).toBe('/app/auth/mfa/challenge?error=expired')
    const prove = (body: Body) => send('POST', '/auth/cli/mfa', {}, body)
    expect((await prove({})).body).toEqual({ error: 'state_required' })
    expect((await prove({ state })).body).toEqual({ error: 'code_required' })
    expect((await prove({ state, code: '123456' })).body).toEqual({ error: 'session_incomplete' })
    expect((await prove({ state: 'invented', code: '123456' })).body).toEqual({ error: 'session_expired' })
    const code = new URL(begun['auth_url'] ?? '').searchParams.get('code')
    await server.call('POST', '/api/v2/cli-sign-ins/decision', { cookie: acme.cookie, body: { code, approve: true } })
    expect(await where(`/auth/cli/mfa?state=${state}`)).toBe('/app/cli/auth/success')
    expect((await prove({ state, code: '123456' })).body).toEqual({ redirect: '/app/cli/auth/success' })
  })
})

describe('second factors', () => {
  test('are added, told, proven and removed by their numbers', async () => {
    const own = bearer(await scene.commandLine(acme.cookie))
    const started = (await send('POST', '/auth/mfa/enroll/totp/start', own)).body as Record<string, string | number>
    expect(started).toMatchObject({ method_id: expect.any(Number) as number, backup_codes: [] })
    const secret = String(started['secret'])
    const wrong = await send('POST', '/auth/mfa/enroll/totp/confirm', own, {
      method_id: started['method_id'],
      code: '000000',
    })
    expect(wrong).toMatchObject({ status: 400, body: { error: 'verification failed' } })
    const confirmed = await send('POST', '/auth/mfa/enroll/totp/confirm', own, {
      method_id: started['method_id'],
      code: scene.codeOf(secret),
      label: 'phone',
    })
    expect(confirmed).toMatchObject({ status: 200, body: { trusted_device_cookie: false } })
    expect((confirmed.body as { backup_codes: string[] }).backup_codes).toHaveLength(10)

    const key = pretendPasskey()
    const asked = (await send('POST', '/auth/mfa/enroll/webauthn/start', own)).body as {
      method_id: number
      public_key_options: { publicKey: Body }
    }
    const credential = key.create(asked.public_key_options.publicKey)
    const added = await send('POST', '/auth/mfa/enroll/webauthn/confirm', own, {
      method_id: asked.method_id,
      credential,
    })
    expect(added).toMatchObject({ status: 200, body: { status: 'enrolled' } })
    const { method_id: no } = added.body as { method_id: number }
    const again = { method_id: asked.method_id, credential }
    expect((await send('POST', '/auth/mfa/enroll/webauthn/confirm', own, again)).status).toBe(404)

    const types = async (headers: Headers) => {
      const { methods } = (await send('GET', '/auth/mfa/status', headers)).body as { methods: { type: string }[] }
      return methods.map(({ type }) => type)
    }
    // A passkey that only a browser can reach is nothing for a command line.
    expect(await types(own)).toEqual(['totp'])
    expect((await send('POST', '/auth/mfa/webauthn/assertion/start', own)).status).toBe(409)
    const capable = { label: 'stick', cli_capable: true }
    expect((await send('PUT', `/auth/mfa/methods/${no}`, own, capable)).body).toEqual({ status: 'updated' })
    expect(await types(own)).toEqual(['totp', 'webauthn'])
    expect((await send('PUT', '/auth/mfa/preferred-method', own, { preferred_method: 'webauthn' })).status).toBe(200)
    const status = (await send('GET', '/auth/mfa/status', own)).body
    expect(status).toMatchObject({
      enrolled: true,
      required: false,
      webauthn_available: true,
      preferred_method: 'webauthn',
      backup_codes: { total: 10, unused: 10 },
      recent_step_up_expires_at: expect.any(String) as string,
      methods: [{ label: 'phone' }, { id: no, label: 'stick', cli_capable: true }],
    })

    const challenge = (await send('POST', '/auth/mfa/webauthn/assertion/start', own)).body as {
      options: { publicKey: Body }
      session_data: string
    }
    expect(challenge.options.publicKey).toMatchObject({ rpId: 'localhost', userVerification: 'required' })
    const proof = {
      session_data: challenge.session_data,
      assertion_response: JSON.stringify(key.get(challenge.options.publicKey)),
    }
    expect((await send('POST', '/auth/mfa/webauthn/assertion/verify', own, proof)).status).toBe(200)
    expect(await send('POST', '/auth/mfa/webauthn/assertion/verify', own, proof)).toMatchObject({ status: 400 })
    scene.pass(minute)
    expect((await send('POST', '/auth/mfa/verify', own, { code: scene.codeOf(secret) })).status).toBe(200)
    expect((await send('DELETE', `/auth/mfa/methods/${no}`, own)).body).toEqual({ status: 'deleted' })
    expect(await types(own)).toEqual(['totp'])
  })

  test('of somebody else have no number', async () => {
    const other = await server.newTenant()
    await scene.withTotp(other.cookie)
    const [row] = await server.db.query<{ no: number }>(
      `select f.wire_no as no from factors as f where f.person_id = $1`,
      [other.person],
    )
    const own = bearer(tokenOf(acme))
    for (const [method, body] of [
      ['PUT', { label: 'mine' }],
      ['DELETE', undefined],
    ] as const)
      expect(await send(method, `/auth/mfa/methods/${row?.no ?? 0}`, own, body)).toMatchObject({
        status: 404,
        body: { error: 'mfa method not found' },
      })
  })

  test('make a browser trusted, and that is taken back by its number', async () => {
    const own = await csrfOf(acme.cookie)
    const trusted = await send('POST', '/auth/mfa/trusted-devices/trust', own)
    expect(trusted).toMatchObject({ status: 200, body: { trusted_device_cookie: true } })
    const listed = async () =>
      ((await send('GET', '/auth/mfa/status', own)).body as { trusted_devices: { id: number }[] }).trusted_devices
    const [device] = await listed()
    const path = `/auth/mfa/trusted-devices/${device?.id ?? 0}`
    expect((await send('DELETE', path, own)).body).toEqual({ status: 'revoked' })
    expect(await listed()).toEqual([])
    expect((await send('DELETE', path, own)).body).toEqual({ error: 'trusted device not found' })
  })
})

describe('people and tokens', () => {
  test('have the fields the gateway’s clients read, and no others', async () => {
    const own = bearer(tokenOf(acme))
    const person = await server.newPerson(acme, [
      { role: 'viewer', environment: null },
      { role: 'ops', environment: 'staging' },
    ])
    const shown = (await send('GET', `/users/${person.email}`, own)).body as Body
    expect(shown).toMatchObject({
      email: person.email,
      roles: ['ops in staging', 'viewer'],
      suspended: false,
      mfa_enrolled: false,
      created_by_email: acme.email,
    })
    expect(Number.isInteger(shown['id'])).toBe(true)
    await send('POST', `/users/${person.email}/lock`, own, { reason: 'lost' })
    const locked = (await send('GET', `/users/${person.email}`, own)).body
    expect(locked).toMatchObject({ locked_reason: 'lost', locked_by_email: acme.email })
    const made = await send('POST', '/api-tokens', own, { name: 'bot', permissions: ['fleet:read'] })
    const { token, api_token: shownToken } = made.body as { token: string; api_token: Body }
    expect(token).toMatch(/^rgw_[\w-]{43}=$/)
    expect(Object.keys(shownToken).sort()).toEqual(
      ['id', 'public_id', 'name', 'user_id', 'created_by_user_id', 'created_by_email', 'created_by_name']
        .concat(['permissions', 'created_at', 'expires_at', 'last_used_at'])
        .sort(),
    )
    expect(made.text.split(token)).toHaveLength(2)
  })

  test('whom older clients invite comes in by the link that is answered this once', async () => {
    const own = bearer(tokenOf(acme))
    const draft = { email: 'grace@example.com', name: 'Grace', roles: ['viewer', 'ops on rack east in staging'] }
    const made = await send('POST', '/users', own, draft)
    expect(made).toMatchObject({ status: 201, body: { ...draft, created_by_email: acme.email } })
    expect(made.headers.get('cache-control')).toBe('no-store')
    const { invitation_link: link } = made.body as { invitation_link: string }
    const accept = () =>
      server.call('POST', '/api/v2/links/acceptance', {
        body: { link: link.split('#')[1], password: 'correct horse battery' },
        headers: { 'x-requested-with': 'countersign' },
      })
    expect((await accept()).status).toBe(200)
    expect((await accept()).status).toBe(404)
    expect((await send('GET', '/users/grace@example.com', own)).text).not.toContain(link.split('#')[1])
    expect((await send('GET', '/users/grace@example.com', own)).body).toMatchObject({
      roles: ['ops on rack east in staging', 'viewer'],
    })
  })

  test('are refused in the gateway’s words', async () => {
    const own = bearer(tokenOf(acme))
    const error = async (method: string, path: string, body?: unknown) => {
      const answer = await send(method, path, own, body)
      return [answer.status, (answer.body as { error: string }).error]
    }
    const other = await server.newTenant()
    const me = `/users/${acme.email}`
    expect(await error('PUT', me, {})).toEqual([400, 'no fields provided'])
    expect(await error('PUT', me, { email: '' })).toEqual([400, 'email cannot be empty'])
    expect(await error('PUT', me, { roles: [] })).toEqual([400, 'roles cannot be empty'])
    expect(await error('PUT', me, { roles: ['viewer'] })).toEqual([400, 'cannot change your own roles'])
    expect(await error('PUT', me, { email: other.email })).toEqual([409, 'email already in use'])
    expect(await error('DELETE', me)).toEqual([400, 'cannot delete yourself'])
    const again = { email: other.email, name: 'x', roles: ['viewer'] }
    expect(await error('POST', '/users', again)).toEqual([409, 'user already exists'])
    expect(await error('GET', `/users/${other.email}`)).toEqual([404, 'user not found'])
    expect(await error('POST', '/api-tokens', { name: ' ' })).toEqual([400, 'token name is required'])
    expect(await error('POST', '/api-tokens', { name: 'x', role: 'emperor' })).toEqual([400, 'invalid role: emperor'])
    expect(await error('POST', '/api-tokens', { name: 'x' })).toMatchObject([400, expect.stringContaining('required')])
    await send('POST', '/api-tokens', own, draft)
    expect(await error('POST', '/api-tokens', draft)).toEqual([400, 'token name already exists'])
    const theirs = { ...draft, name: 'y', user_email: other.email }
    expect(await error('POST', '/api-tokens', theirs)).toEqual([404, 'user not found'])
    expect(await error('PUT', '/settings/mfa-configuration', {})).toEqual([400, 'no settings provided'])
    const minutes = { mfa_step_up_window_minutes: 0 }
    expect(await error('PUT', '/settings/mfa-configuration', minutes)).toMatchObject([
      400,
      expect.stringContaining('mfa_step_up_window_minutes'),
    ])
  })

  test('of a group of settings change together or not at all', async () => {
    const own = bearer(tokenOf(acme))
    const both = { mfa_trusted_device_ttl_days: 7, mfa_step_up_window_minutes: 1000 }
    expect((await send('PUT', '/settings/mfa-configuration', own, both)).status).toBe(400)
    expect((await send('GET', '/settings', own)).body).toMatchObject({
      mfa_trusted_device_ttl_days: { value: 30, source: 'default' },
    })
    const good = { ...both, mfa_step_up_window_minutes: 5 }
    expect((await send('PUT', '/settings/mfa-configuration', own, good)).body).toMatchObject({
      mfa_trusted_device_ttl_days: { value: 7, source: 'database' },
      mfa_step_up_window_minutes: { value: 5, source: 'database' },
    })
  })
})

describe('the audit log', () => {
  test('is filtered, turned by pages with a total, and downloaded whole, each download on record', async () => {
    const own = bearer(tokenOf(acme))
    for (let n = 0; n < 5; n += 1) await send('POST', '/api-tokens', own, { name: `=bot${n}`, role: 'cicd' })
    type Page = { logs: Body[]; total: number; page: number; limit: number }
    const ask = async (query: string) => (await send('GET', `/audit-logs?${query}`, own)).body as Page
    await expect.poll(async () => (await ask('action_type=tokens')).total, { timeout: 10_000 }).toBe(5)
    const first = await ask('action_type=tokens&limit=2')
    const third = await ask('action_type=tokens&limit=2&page=3')
    expect([first.logs.length, third.logs.length, third.page, third.limit]).toEqual([2, 1, 3, 2])
    expect(first.logs[0]).toMatchObject({
      action: 'api_token.create',
      action_type: 'tokens',
      resource_type: 'api_token',
      status: 'success',
      user_email: acme.email,
      ip_address: '127.0.0.1',
      http_status: null,
    })
    const ids = [...first.logs, ...(await ask('action_type=tokens&limit=2&page=2')).logs, ...third.logs]
    expect(new Set(ids.map(({ id }) => id)).size).toBe(5)
    expect((await ask(`user=${acme.email}&search=bot3`)).total).toBe(1)
    expect((await ask('user=nobody@example.com')).total).toBe(0)
    expect((await ask('status=denied&range=all')).logs.every(({ status }) => status === 'denied')).toBe(true)
    expect((await ask('limit=999999')).limit).toBe(1000)
    const errorOf = async (query: string) => ((await ask(query)) as unknown as { error: string }).error
    expect(await errorOf('start=x')).toBe('invalid start time')
    expect(await errorOf('end=2026-13-01T00:00')).toBe('invalid end time')
    expect(await errorOf('start=2026-01-02T00:00&end=2026-01-01T00:00:00Z')).toBe('end time must be after start time')
    const exported = await send('GET', '/audit-logs/export?range=all&action_type=tokens', own)
    expect(exported.headers.get('content-disposition')).toMatch(/audit-logs-\d{4}-\d\d-\d\d\.csv/)
    const [head, ...rows] = exported.text.trim().split('\r\n')
    expect(head).toBe(
      'first_seen,last_seen,user_email,user_name,action_type,action,command,resource,status,event_count,min_response_ms,max_response_ms,avg_response_ms,ip_address,user_agent',
    )
    expect(rows).toHaveLength(5)
    await expect.poll(async () => (await ask('search=trail.exported')).total, { timeout: 10_000 }).toBe(1)
  })
})
