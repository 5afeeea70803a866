import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tokenOf } from './factors-scene.ts'
import { type Line, nameOf, routeMatrix } from './route-matrix.ts'
import { type ServerApart, serverApart, type TestTenant } from './server.ts'

// Every route of Rack Gateway's clients: it works, it refuses what does not fit, it asks who is there, and another
// tenant's things do not exist. Which role may what is asked in roles.test.ts. A route without its line fails: add one.

let server: ServerApart
let acme: TestTenant
let globex: TestTenant
let things: Things

type Things = {
  readonly colleague: string
  readonly leaver: string
  readonly session: string
  readonly token: string
  readonly spareToken: string
  readonly method: string
}

const ownThings = 'not about things' as const
const nobody = { params: { email: 'nobody@example.com' } }
const ofColleague = ({ colleague }: Things) => ({ email: colleague })
const ofLeaver = ({ leaver }: Things) => ({ email: leaver })
const code = { body: { code: '' } }

const lines: Readonly<Record<string, Line<Things>>> = {
  'GET /auth/web/logout': { status: 302, foreign: ownThings },
  'POST /auth/web/logout': { isLast: true, foreign: ownThings },
  'POST /auth/cli/start': { foreign: ownThings },
  'POST /auth/cli/complete': {
    body: () => ({ state: 'x', code_verifier: 'y' }),
    status: 400,
    bad: { body: { state: 7 } },
    foreign: ownThings,
  },
  'GET /auth/cli/callback': { query: 'code=c&state=s', status: 307, bad: { query: 'code=c' }, foreign: ownThings },
  'GET /auth/cli/mfa': { query: 'state=s', status: 307, foreign: ownThings },
  'POST /auth/cli/mfa': {
    body: () => ({ state: 's', code: '123456' }),
    status: 400,
    bad: { body: { state: 's', method: 'sms' } },
    foreign: ownThings,
  },
  'GET /info': { foreign: 'own list' },
  'GET /auth/mfa/status': { foreign: 'own list' },
  'POST /auth/mfa/enroll/totp/start': { foreign: ownThings },
  'POST /auth/mfa/enroll/totp/confirm': {
    body: () => ({ method_id: 999_999, code: '123456' }),
    status: 404,
    bad: { body: { method_id: 'x', code: '1' } },
  },
  'POST /auth/mfa/enroll/yubiotp/start': {
    body: () => ({ yubi_otp: 'c'.repeat(44) }),
    status: 503,
    bad: { body: { yubi_otp: 'c' } },
    foreign: ownThings,
  },
  'POST /auth/mfa/enroll/webauthn/start': { foreign: ownThings },
  'POST /auth/mfa/enroll/webauthn/confirm': {
    body: () => ({ method_id: 999_999, credential: {} }),
    status: 404,
    bad: { body: { method_id: 1, credential: 'x' } },
  },
  'POST /auth/mfa/verify': { body: () => ({ code: '123456' }), status: 400, bad: code, foreign: ownThings },
  'POST /auth/mfa/webauthn/assertion/start': { status: 409, foreign: ownThings },
  'POST /auth/mfa/webauthn/assertion/verify': {
    body: () => ({ session_data: '{}', assertion_response: '{}' }),
    status: 400,
    bad: { body: { session_data: 5 } },
    foreign: ownThings,
  },
  'PUT /auth/mfa/preferred-method': {
    body: () => ({ preferred_method: null }),
    bad: { body: { preferred_method: 'sms' } },
    foreign: ownThings,
  },
  'PUT /auth/mfa/methods/:methodID': {
    params: ({ method }) => ({ methodID: method }),
    body: () => ({ label: 'telephone' }),
    status: 404,
    bad: { body: { label: '' } },
  },
  'DELETE /auth/mfa/methods/:methodID': {
    params: ({ method }) => ({ methodID: method }),
    status: 404,
    bad: { params: { methodID: 'x' } },
  },
  'POST /auth/mfa/backup-codes/regenerate': { status: 409, foreign: ownThings },
  'POST /auth/mfa/trusted-devices/trust': { foreign: ownThings },
  'DELETE /auth/mfa/trusted-devices/:deviceID': {
    params: () => ({ deviceID: '999999' }),
    status: 404,
    bad: { params: { deviceID: '0' } },
  },
  'GET /roles': { foreign: 'own list' },
  'GET /users': { foreign: 'own list' },
  'GET /users/:email': { params: ofColleague, bad: nobody },
  'POST /users': {
    body: () => ({ email: 'acme-new@example.com', name: 'New', roles: ['viewer', 'ops in staging'] }),
    status: 201,
    bad: { body: { email: 'acme-bad@example.com', name: 'Bad', roles: ['emperor'] } },
    foreign: ownThings,
  },
  'PUT /users/:email': {
    params: ofColleague,
    body: () => ({ roles: ['viewer'] }),
    bad: { body: {} },
  },
  'PUT /users/:email/name': {
    params: ofColleague,
    body: () => ({ name: 'Acme Colleague' }),
    bad: { body: { name: '' } },
  },
  'DELETE /users/:email': { params: ofLeaver, status: 204, bad: nobody, isLast: true },
  'GET /users/:email/sessions': { params: ofColleague, bad: nobody },
  'POST /users/:email/sessions/:sessionID/revoke': {
    params: ({ colleague, session }) => ({ email: colleague, sessionID: session }),
    bad: { params: { email: 'acme-colleague@example.com', sessionID: 'x' } },
  },
  'POST /users/:email/sessions/revoke_all': { params: ofLeaver, bad: nobody },
  'POST /users/:email/lock': { params: ofLeaver, body: () => ({ reason: 'lost laptop' }), bad: { body: {} } },
  'POST /users/:email/unlock': { params: ofLeaver, bad: nobody },
  'GET /api-tokens': { foreign: 'own list' },
  'GET /api-tokens/permissions': { foreign: 'own list' },
  'GET /api-tokens/:tokenID': { params: ({ token }) => ({ tokenID: token }), bad: { params: { tokenID: 'x' } } },
  'POST /api-tokens': {
    body: () => ({ name: 'acme-ci', role: 'cicd', expires_at: '2099-01-01T00:00:00Z' }),
    status: 400,
    bad: { body: { name: 'acme-bad', permissions: ['people:write'] } },
    foreign: ownThings,
  },
  'PUT /api-tokens/:tokenID': {
    params: ({ token }) => ({ tokenID: token }),
    body: () => ({ name: 'acme-renamed' }),
    bad: { body: { permissions: ['everything'] } },
  },
  'DELETE /api-tokens/:tokenID': {
    params: ({ spareToken }) => ({ tokenID: spareToken }),
    status: 204,
    bad: { params: { tokenID: 'x' } },
  },
  'GET /audit-logs': { query: 'range=all&limit=5', bad: { query: 'start=yesterday' }, foreign: 'own list' },
  'GET /audit-logs/export': { query: 'range=all', bad: { query: 'range=century' }, foreign: 'own list' },
  'GET /settings': { foreign: 'own list' },
  'PUT /settings/mfa-configuration': {
    body: () => ({ mfa_step_up_window_minutes: 15 }),
    bad: { body: { session_timeout_minutes: 5 } },
    foreign: ownThings,
  },
  'DELETE /settings/mfa-configuration': {
    query: 'key=mfa_step_up_window_minutes&key=mfa_require_all_users',
    bad: { query: '' },
    foreign: ownThings,
  },
  'PUT /settings/session-configuration': {
    body: () => ({ session_timeout_minutes: 20 }),
    bad: { body: { session_timeout_minutes: 'soon' } },
    foreign: ownThings,
  },
  'DELETE /settings/session-configuration': {
    query: 'key=session_timeout_minutes',
    bad: { query: 'key=everything' },
    foreign: ownThings,
  },
}

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  globex = await server.newTenant('globex')
  things = await furnish()
})
afterAll(() => server.stop())

async function furnish(): Promise<Things> {
  const colleague = await server.newPerson(acme, [{ role: 'viewer', environment: null }], 'acme-colleague@example.com')
  const leaver = await server.newPerson(acme, [{ role: 'ops', environment: 'staging' }], 'acme-leaver@example.com')
  const key = tokenOf(acme)
  const must = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await server.call(method, `/api/v1${path}`, { key, ...(body !== undefined && { body }) })
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`)
    return answer.body
  }
  const [session] = (await must('GET', `/users/${colleague.email}/sessions`)) as { id: number }[]
  const newToken = async (name: string): Promise<string> => {
    const { api_token: made } = (await must('POST', '/api-tokens', { name, permissions: ['fleet:read'] })) as {
      api_token: { public_id: string }
    }
    return made.public_id
  }
  return {
    colleague: colleague.email,
    leaver: leaver.email,
    session: String(session?.id),
    token: await newToken('acme-token'),
    spareToken: await newToken('acme-spare'),
    method: '999999',
  }
}

const matrix = routeMatrix({
  routes: () => server.app.routes.rack,
  lines,
  things: () => things,
  ask: (who, method, path, body) =>
    server.call(method, `/api/v1${path}`, {
      key: tokenOf(who === 'own' ? acme : globex),
      ...(body !== undefined && { body }),
    }),
})

describe('every route for Rack Gateway’s clients', () => {
  test('has its line in this table, and every line its route', () => matrix.expectEveryLine())

  test('answers 401 with an error to whoever shows nothing, but where anyone may come', async () => {
    for (const route of server.app.routes.rack) {
      if (route.needs === 'anyone') continue
      const answer = await server.call(route.method, `/api/v1${route.path.replaceAll(/:\w+/g, 'missing')}`)
      expect.soft(answer, nameOf(route)).toMatchObject({ status: 401, body: { error: 'missing authorization' } })
    }
  })

  test('refuses what does not fit with an error, and never fails', () =>
    matrix.refuseBad([400, 404], ({ body }, { route, seen }) => {
      // A browser is told on a page.
      if (route.path !== '/auth/cli/callback') expect.soft((body as { error: string }).error, seen).toMatch(/\w/)
    }))

  test('shows another tenant nothing and lets it change nothing', () =>
    matrix.hideFromForeign([acme.email, things.colleague, things.token]))

  test('does what it says', async () => {
    await matrix.succeed({ skips: ({ method, path }) => method === 'POST' && path === '/auth/web/logout' })
    const ended = await server.call('POST', '/api/v1/auth/web/logout', { key: tokenOf(acme) })
    expect(ended.status).toBe(200)
    expect((await server.call('GET', '/api/v1/info', { key: tokenOf(acme) })).status).toBe(401)
  })
})
