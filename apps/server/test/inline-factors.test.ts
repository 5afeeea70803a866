import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../src/kernel/clock.ts'
import { type Body, basic, type FactorsScene, factorsScene } from './factors-scene.ts'
import { pretendPasskey } from './pretend-passkey.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from './server.ts'

// A factor that comes along with a request: in a header, or behind the session's token. It counts like one that was
// proven before the request, for that request alone.

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
  server.call(method, path, { headers, ...(body !== undefined && { body }) })
/** Needs a factor of its own. */
const sharp = (headers: Headers) => send('POST', '/api/v2/signing-keys/rotate', headers)
/** Needs a fresh proof. */
const fresh = (headers: Headers) => send('POST', '/api/v2/keys', headers, { environment: 'staging', label: 'made' })
const plain = (headers: Headers) => send('GET', '/api/v2/overview', headers)
const bearer = (text: string): Headers => ({ authorization: `Bearer ${text}` })

/** A command line of somebody with an authenticator app, whose last proof was long ago. */
async function lapsed() {
  const { secret, cookie, codes } = await scene.withTotp(acme.cookie)
  const token = await scene.commandLine(cookie)
  scene.pass(11 * minute)
  return { secret, token, codes, cookie }
}

describe('a code that comes along', () => {
  test('is taken from the header, and behind the token in Bearer and Basic alike', async () => {
    const { secret, token } = await lapsed()
    expect((await sharp(bearer(token))).status).toBe(403)
    const ways: ((code: string) => Headers)[] = [
      (code) => ({ ...bearer(token), 'x-mfa-totp': code }),
      (code) => bearer(`${token}.totp.${code}`),
      (code) => ({ authorization: basic(`${token}.totp.${code}`) }),
    ]
    for (const way of ways) {
      const answer = await sharp(way(scene.codeOf(secret)))
      expect.soft(answer.status, answer.text).toBe(201)
      scene.pass(minute)
    }
  })

  test('opens its own request and leaves nothing behind for another that needs one of its own', async () => {
    const { secret, token } = await lapsed()
    expect((await fresh({ ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) })).status).toBe(201)
    expect(await sharp(bearer(token))).toMatchObject({ status: 403, body: { code: 'mfa_step_up_required' } })
    // The window it opened holds for what needs no more than a fresh proof.
    expect((await fresh(bearer(token))).status).toBe(201)
  })

  test('works once: the same code again is refused, in whatever form it comes', async () => {
    const { secret, token } = await lapsed()
    const code = scene.codeOf(secret)
    expect((await sharp({ ...bearer(token), 'x-mfa-totp': code })).status).toBe(201)
    for (const again of [{ ...bearer(token), 'x-mfa-totp': code }, bearer(`${token}.totp.${code}`)])
      expect(await sharp(again)).toMatchObject({
        status: 403,
        body: { code: 'mfa_verification_failed', reason: 'replay_detected' },
      })
  })

  test('of requests that race with the same code opens one', async () => {
    const { secret, token } = await lapsed()
    const headers = { ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) }
    const answers = await Promise.all([1, 2, 3, 4].map(() => sharp(headers)))
    expect(answers.filter(({ status }) => status === 201).length).toBe(1)
  })

  test('is not used up where none is needed, nor by a request that does not fit', async () => {
    const { secret, token } = await lapsed()
    const headers = { ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) }
    expect((await plain(headers)).status).toBe(200)
    expect((await send('POST', '/api/v2/events/purge', headers, { surprise: true })).status).toBe(422)
    expect((await sharp(headers)).status).toBe(201)
  })

  test('in the header goes before one behind the token, and a code before a passkey', async () => {
    const { secret, token } = await lapsed()
    const right = scene.codeOf(secret)
    const both = { 'x-mfa-totp': right, 'x-mfa-webauthn': 'bm9uc2Vuc2U=' }
    expect((await sharp({ ...bearer(`${token}.totp.000000`), ...both })).status).toBe(201)
    scene.pass(minute)
    const wrong = { ...bearer(`${token}.totp.${scene.codeOf(secret)}`), 'x-mfa-totp': '000000' }
    expect((await sharp(wrong)).status).toBe(403)
  })

  test('may be a backup code, which then is gone', async () => {
    const { token, codes } = await lapsed()
    const [code = ''] = codes
    expect((await sharp({ ...bearer(token), 'x-mfa-totp': code })).status).toBe(201)
    expect((await sharp({ ...bearer(token), 'x-mfa-totp': code })).status).toBe(403)
  })

  test('completes the sign-in of a browser, whose session then has another token', async () => {
    const { secret } = await lapsed()
    const cookie = await server.signIn(acme.email)
    const own = { cookie, 'x-requested-with': 'countersign' }
    expect((await plain(own)).status).toBe(403)
    const answer = await plain({ ...own, 'x-mfa-totp': scene.codeOf(secret) })
    expect(answer.status, answer.text).toBe(200)
    const renewed = (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    expect(renewed).not.toBe(cookie)
    expect((await plain({ cookie: renewed })).status).toBe(200)
    expect((await plain(own)).status).toBe(401)
  })

  test('is refused when it is somebody else’s, old, or of the future', async () => {
    const { secret, token } = await lapsed()
    const globex = await server.newTenant()
    const other = await scene.withTotp(globex.cookie)
    for (const code of [scene.codeOf(other.secret), scene.codeOf(secret, -3), scene.codeOf(secret, 3)])
      expect((await sharp({ ...bearer(token), 'x-mfa-totp': code })).status).toBe(403)
  })

  test('counts when it is wrong: a wait that even the right one has to sit out, then a lock; each in the trail', async () => {
    const { secret, token } = await lapsed()
    for (let n = 0; n < 4; n += 1) await sharp(bearer(`${token}.totp.00000${n}`))
    const early = await sharp({ ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) })
    expect(early).toMatchObject({ status: 429 })
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0)
    for (let n = 0; n < 6; n += 1) {
      scene.pass(2 * minute)
      await sharp(bearer(`${token}.totp.00001${n}`))
    }
    scene.pass(2 * minute)
    const locked = await sharp({ ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) })
    expect(locked).toMatchObject({ status: 429, body: { locked_until: expect.any(String) as string } })
    const rows = await server.db.query<{ act: string }>(
      `select e.act from trail_entries as e where e.tenant_id = $1 and e.act like 'factor.%'`,
      [acme.tenant],
    )
    expect(rows.filter(({ act }) => act === 'factor.refused').length).toBe(10)
    expect(rows.some(({ act }) => act === 'factor.locked')).toBe(true)
  })

  test.each([
    ['an unknown kind', '.sms.123456', 400, 'invalid_mfa_type'],
    ['no kind', '..123456', 400, 'invalid_mfa_type'],
    ['a dot and nothing', '.', 400, 'invalid_mfa_type'],
    ['no value', '.totp.', 403, 'mfa_verification_failed'],
    ['no value and no dot', '.totp', 403, 'mfa_verification_failed'],
    ['more dots', '.totp.123.456', 403, 'mfa_verification_failed'],
    ['a passkey that is none', '.webauthn.123456', 403, 'mfa_verification_failed'],
  ])('with %s is refused with words that say so', async (_, suffix, status, code) => {
    const { token } = await lapsed()
    for (const authorization of [`Bearer ${token}${suffix}`, basic(`${token}${suffix}`)])
      expect(await sharp({ authorization })).toMatchObject({ status, body: { code } })
  })

  test('behind an API token belongs to the token, which then is none', async () => {
    const made = await server.call('POST', '/api/v2/tokens', {
      cookie: acme.cookie,
      body: { name: 'ci', permissions: ['overview:read'] },
    })
    const { token } = made.body as { token: string }
    expect((await plain(bearer(token))).status).toBe(200)
    expect((await plain(bearer(`${token}.totp.123456`))).status).toBe(401)
    // Nobody can be asked who is no person: the header says nothing about a token.
    expect((await plain({ ...bearer(token), 'x-mfa-totp': '123456' })).status).toBe(200)
    expect((await sharp({ ...bearer(token), 'x-mfa-totp': '123456' })).status).toBe(403)
  })

  test('of somebody without a factor proves nothing, and counts against nobody', async () => {
    const token = await scene.commandLine(acme.cookie)
    scene.pass(11 * minute)
    for (let n = 0; n < 5; n += 1)
      expect(await fresh({ ...bearer(token), 'x-mfa-totp': '123456' })).toMatchObject({
        status: 403,
        body: { code: 'mfa_step_up_required' },
      })
  })

  test('is asked for after the permission', async () => {
    const viewer = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
    const { secret, cookie } = await scene.withTotp(viewer.cookie)
    const token = await scene.commandLine(cookie)
    const code = scene.codeOf(secret)
    expect(await sharp({ ...bearer(token), 'x-mfa-totp': code })).toMatchObject({ body: { code: 'forbidden' } })
    scene.pass(11 * minute)
    const body = { label: 'telephone' }
    const { body: status } = await server.call('GET', '/api/v2/mfa', { headers: bearer(token) })
    const id = (status as { factors: { id: string }[] }).factors[0]?.id ?? ''
    const renamed = await send(
      'PATCH',
      `/api/v2/mfa/factors/${id}`,
      { ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) },
      body,
    )
    expect(renamed.status, renamed.text).toBe(200)
  })

  test('is proven for a setting of second factors although the window is open, and opens that change alone', async () => {
    const { secret, token } = await lapsed()
    expect((await fresh({ ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) })).status).toBe(201)
    scene.pass(minute)
    const path = '/api/v2/settings/mfa.step_up_minutes'
    const wanted = { value: 7 }
    expect(await send('PUT', path, bearer(token), wanted)).toMatchObject({
      status: 403,
      body: { code: 'mfa_step_up_required', level: 'always' },
    })
    const headers = { ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) }
    expect(await send('PUT', path, headers, wanted)).toMatchObject({ status: 200, body: { value: 7 } })
    expect((await send('PUT', path, headers, { value: 8 })).status).toBe(403)
    expect((await send('DELETE', path, bearer(token))).status).toBe(403)
    // However the name is written, it is the same setting.
    expect((await send('PUT', '/api/v2/settings/mfa%2Estep_up_minutes', bearer(token), wanted)).status).toBe(403)
    scene.pass(minute)
    const again = { ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) }
    expect((await send('DELETE', path, again)).status).toBe(200)
  })

  test('opens what finds out by itself that it needs a fresh proof', async () => {
    const yaml = `apiVersion: edictum/v1\nkind: Ruleset\nmetadata:\n  name: base\ndefaults:\n  mode: enforce\nrules:\n  - id: no-rm\n    type: pre\n    tool: Bash\n    when:\n      args.command: {contains: rm}\n    then:\n      action: block\n      message: no\n`
    const { secret, token } = await lapsed()
    await send('POST', '/api/v2/rulesets', bearer(token), { yaml })
    const body = { version: 1, environment: 'production' }
    expect((await send('POST', '/api/v2/rulesets/base/rollouts', bearer(token), body)).status).toBe(403)
    const headers = { ...bearer(token), 'x-mfa-totp': scene.codeOf(secret) }
    expect((await send('POST', '/api/v2/rulesets/base/rollouts', headers, body)).status).toBe(201)
  })
})

describe('a passkey that comes along', () => {
  async function withKey() {
    const { key, cookie } = await scene.withPasskey(acme.cookie)
    const token = await scene.commandLine(cookie)
    scene.pass(11 * minute)
    return { key, token, cookie }
  }
  const asked = async (headers: Headers) =>
    (await send('POST', '/api/v2/mfa/verification/challenge', headers)).body as { challenge_id: string; options: Body }
  const inline = (challengeId: string, response: unknown): string =>
    Buffer.from(
      JSON.stringify({
        session_data: JSON.stringify({ challenge_id: challengeId }),
        assertion_response: JSON.stringify(response),
      }),
    ).toString('base64')

  test('is taken from the header, and behind the token', async () => {
    const { key, token } = await withKey()
    const first = await asked(bearer(token))
    const value = inline(first.challenge_id, key.get(first.options))
    const answer = await sharp({ ...bearer(token), 'x-mfa-webauthn': value })
    expect(answer.status, answer.text).toBe(201)
    expect((await sharp({ ...bearer(token), 'x-mfa-webauthn': value })).status).toBe(403)
    const second = await asked(bearer(token))
    const appended = `${token}.webauthn.${inline(second.challenge_id, key.get(second.options))}`
    expect((await sharp({ authorization: basic(appended) })).status).toBe(201)
  })

  test('is refused when its challenge is another session’s, its key another person’s, or its challenge made up', async () => {
    const { key, token, cookie } = await withKey()
    const elsewhere = await asked(bearer(await scene.commandLine((await freshCookie(cookie, key)) ?? cookie)))
    const own = await asked(bearer(token))
    const invented = { ...own.options, challenge: 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }
    for (const value of [
      inline(elsewhere.challenge_id, key.get(elsewhere.options)),
      inline(own.challenge_id, pretendPasskey().get(own.options)),
      inline((await asked(bearer(token))).challenge_id, key.get(invented)),
      inline('018f0000-0000-7000-8000-000000000001', key.get(own.options)),
      Buffer.from('[]').toString('base64'),
      'not base64 of anything',
    ])
      expect(await sharp({ ...bearer(token), 'x-mfa-webauthn': value })).toMatchObject({
        status: 403,
        body: { code: 'mfa_verification_failed' },
      })
  })

  /** Whoever lets a command line in has proven a factor lately. */
  async function freshCookie(cookie: string, key: ReturnType<typeof pretendPasskey>): Promise<string | undefined> {
    const { challenge_id, options } = await asked({ cookie, 'x-requested-with': 'countersign' })
    const proof = { challenge_id, credential: key.get(options) }
    await server.call('POST', '/api/v2/mfa/verification/passkey', { cookie, body: proof })
    return undefined
  }
})

describe('what a caller says of himself', () => {
  test('in headers that gateways set is not heard', async () => {
    const viewer = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
    const forged = {
      'x-user-email': acme.email,
      'x-user-name': 'admin',
      'x-auth-source': 'header',
      'x-api-token-id': '1',
      'x-api-token-name': 'root',
    }
    expect((await plain(forged)).status).toBe(401)
    const seen = await send('GET', '/api/v2/session', { cookie: viewer.cookie, ...forged })
    expect(seen.body).toMatchObject({ person: { email: viewer.email } })
    expect((await send('GET', '/api/v2/people', { cookie: viewer.cookie, ...forged })).status).toBe(403)
  })

  test('in a bad Authorization header is not made good by a cookie', async () => {
    for (const authorization of ['Bearer x', 'Basic eDp5', 'Digest abc', 'Bearer', `Bearer ${'a'.repeat(43)}`, ''])
      expect((await plain({ cookie: acme.cookie, authorization })).status, authorization).toBe(401)
  })
})
