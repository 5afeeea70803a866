import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/kernel/clock.ts'
import { type Body, basic, type FactorsScene, factorsScene } from '../factors-scene.ts'
import { type Answer, type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

// The exchange of Rack Gateway's command line with its server (gateway §16, §23), request by request, as it sends them.

const clock = systemClock()
const minute = 60_000
let server: ServerApart
let scene: FactorsScene
let acme: TestTenant

beforeAll(async () => {
  server = await serverApart({ clock })
  scene = factorsScene(server, clock)
  acme = await server.newTenant()
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
})

type Sent = {
  readonly method: string
  readonly path: string
  readonly headers: Record<string, string>
  readonly body?: unknown
}

const userAgent = 'rack-gateway/1.4.2 (linux; amd64)'

/** What the command line does with a request: its headers, and one retry with a factor when it is told so. */
function commandLine(token: () => string, factorOf: (kind: 'header' | 'basic') => Record<string, string>) {
  const sent: Sent[] = []
  const once = async (
    method: string,
    path: string,
    headers: Record<string, string>,
    body?: unknown,
  ): Promise<Answer> => {
    sent.push({ method, path, headers, body })
    return server.call(method, `/api/v1${path}`, {
      headers: { accept: 'application/json', 'user-agent': userAgent, ...headers },
      ...(body !== undefined && { body }),
    })
  }
  return {
    sent,
    ask: async (
      method: string,
      path: string,
      body?: unknown,
      retry: 'header' | 'basic' = 'header',
    ): Promise<Answer> => {
      const own = { authorization: `Bearer ${token()}` }
      const first = await once(method, path, own, body)
      if ((first.body as { error?: string } | undefined)?.error !== 'mfa_required') return first
      return once(method, path, { ...own, ...factorOf(retry) }, body)
    },
    open: (method: string, path: string, body?: unknown) => once(method, path, {}, body),
  }
}

describe('Rack Gateway’s command line', () => {
  test('signs in, finds out what it has to know, and does what needs a factor with its one retry', async () => {
    const { secret, cookie } = await scene.withTotp(acme.cookie)
    let token = ''
    const cli = commandLine(
      () => token,
      (kind) => {
        const code = scene.codeOf(secret)
        return kind === 'header' ? { 'x-mfa-totp': code } : { authorization: basic(`${token}.totp.${code}`) }
      },
    )

    // login: start, open the page, poll until a person has decided.
    const started = await cli.open('POST', '/auth/cli/start')
    expect(started.status).toBe(200)
    const begun = started.body as { auth_url: string; state: string; code_verifier: string }
    expect(Object.keys(begun).sort()).toEqual(['auth_url', 'code_verifier', 'state'])
    const completion = {
      state: begun.state,
      code_verifier: begun.code_verifier,
      device_id: '6f3c0e5a-8f5d-4b0e-9a53-3b8f1c2d4e5f',
      device_name: 'ada-laptop',
      device_os: 'linux',
      client_version: '1.4.2',
    }
    expect(await cli.open('POST', '/auth/cli/complete', completion)).toMatchObject({
      status: 202,
      body: { status: 'pending' },
    })
    const code = new URL(begun.auth_url).searchParams.get('code')
    await server.call('POST', '/api/v2/cli-sign-ins/decision', { cookie, body: { code, approve: true } })
    const login = await cli.open('POST', '/auth/cli/complete', completion)
    expect(login).toMatchObject({
      status: 200,
      body: {
        email: acme.email,
        channel: 'cli',
        session_id: expect.any(Number) as number,
        device_id: completion.device_id,
        device_name: 'ada-laptop',
        mfa_verified: true,
        mfa_required: false,
        enrollment_required: false,
      },
    })
    token = (login.body as { token: string }).token
    expect(token).toMatch(/^[\w-]{43}$/)

    // version and preferences: info; choice of a method: the status.
    expect(await cli.ask('GET', '/info')).toMatchObject({
      status: 200,
      body: {
        user: { email: acme.email, roles: ['admin'], mfa_enrolled: true, mfa_required: false },
        rack: { name: expect.any(String) as string, alias: expect.any(String) as string },
        integrations: { slack: false, github: false, circleci: false },
        version: { version: 'test' },
      },
    })
    const status = (await cli.ask('GET', '/auth/mfa/status')).body as {
      methods: Body[]
      recent_step_up_expires_at: string
    }
    expect(status.methods).toMatchObject([{ type: 'totp' }])
    expect(new Date(status.recent_step_up_expires_at).getTime()).toBeGreaterThan(clock.now().getTime())

    // api-token create: refused once, tried again with a code in the header.
    scene.pass(11 * minute)
    const before = cli.sent.length
    const made = await cli.ask('POST', '/api-tokens', {
      name: 'pipeline',
      user_email: acme.email,
      role: 'cicd',
      expires_at: new Date(clock.now().getTime() + 90 * 86_400_000).toISOString(),
    })
    expect(made.status, made.text).toBe(200)
    expect(cli.sent.length - before).toBe(2)
    const { token: machine, id, api_token: record } = made.body as { token: string; id: string; api_token: Body }
    expect(machine).toMatch(/^rgw_[\w-]{43}=$/)
    expect(record).toMatchObject({ public_id: id, name: 'pipeline', created_by_email: acme.email, last_used_at: null })
    expect(Date.parse(String(record['expires_at']))).toBeGreaterThan(clock.now().getTime() + 89 * 86_400_000)

    // The machine uses it, in both forms.
    for (const authorization of [`Bearer ${machine}`, basic(machine)])
      expect((await server.call('GET', '/api/v1/info', { headers: { authorization } })).body).toMatchObject({
        user: { name: 'pipeline' },
      })

    // api-token list and get; then delete, this time with the code behind the token in Basic.
    expect((await cli.ask('GET', '/api-tokens')).body).toMatchObject([{ public_id: id, name: 'pipeline' }])
    expect((await cli.ask('GET', `/api-tokens/${id}`)).body).toMatchObject({ permissions: record['permissions'] })
    scene.pass(minute)
    expect((await cli.ask('DELETE', `/api-tokens/${id}`, undefined, 'basic')).status).toBe(204)
    expect((await cli.ask('GET', `/api-tokens/${id}`)).status).toBe(404)
    await expect.poll(async () => (await server.call('GET', '/api/v1/info', { key: machine })).status).toBe(401)

    const acts = await server.db.query<{ act: string }>(`select e.act from trail_entries as e where e.tenant_id = $1`, [
      acme.tenant,
    ])
    const seen = new Set(acts.map(({ act }) => act))
    for (const act of [
      'cli.approved',
      'session.started',
      'factor.proven',
      'token.created',
      'token.revoked',
      'route.refused',
    ])
      expect(seen, act).toContain(act)
  })

  test('reads from a 401 that its login is over', async () => {
    const cli = commandLine(
      () => 'b'.repeat(43),
      () => ({}),
    )
    const refused = await cli.ask('GET', '/info')
    expect(refused.status).toBe(401)
    expect((refused.body as { error: string }).error.toLowerCase()).toMatch(/(?=.*expired)(?=.*session)/)
  })
})
