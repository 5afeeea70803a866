import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { tokenOf } from './factors-scene.ts'
import { entriesIn, type Line, nameOf, routeMatrix } from './route-matrix.ts'
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
  'POST /auth/web/logout': { leaves: 'session.ended', isLast: true, foreign: ownThings },
  'POST /auth/cli/start': { leaves: { nothing: 'only begins' }, foreign: ownThings },
  'POST /auth/cli/complete': {
    leaves: 'elsewhere',
    body: () => ({ state: 'x', code_verifier: 'y' }),
    status: 400,
    bad: { body: { state: 7 } },
    foreign: ownThings,
  },
  'GET /auth/cli/callback': { query: 'code=c&state=s', status: 307, bad: { query: 'code=c' }, foreign: ownThings },
  'GET /auth/cli/mfa': { query: 'state=s', status: 307, foreign: ownThings },
  'POST /auth/cli/mfa': {
    leaves: { nothing: 'always refused: the factor is proven on the page' },
    body: () => ({ state: 's', code: '123456' }),
    status: 400,
    bad: { body: { state: 's', method: 'sms' } },
    foreign: ownThings,
  },
  'GET /info': { foreign: 'own list' },
  'GET /auth/mfa/status': { foreign: 'own list' },
  'POST /auth/mfa/enroll/totp/start': { leaves: { nothing: 'only begins' }, foreign: ownThings },
  'POST /auth/mfa/enroll/totp/confirm': {
    leaves: 'elsewhere',
    body: () => ({ method_id: 999_999, code: '123456' }),
    status: 404,
    bad: { body: { method_id: 'x', code: '1' } },
  },
  'POST /auth/mfa/enroll/yubiotp/start': {
    leaves: 'elsewhere',
    body: () => ({ yubi_otp: 'c'.repeat(44) }),
    status: 503,
    bad: { body: { yubi_otp: 'c' } },
    foreign: ownThings,
  },
  'POST /auth/mfa/enroll/webauthn/start': { leaves: { nothing: 'only begins' }, foreign: ownThings },
  'POST /auth/mfa/enroll/webauthn/confirm': {
    leaves: 'elsewhere',
    body: () => ({ method_id: 999_999, credential: {} }),
    status: 404,
    bad: { body: { method_id: 1, credential: 'x' } },
  },
  'POST /auth/mfa/verify': {
    leaves: 'elsewhere',
    body: () => ({ code: '123456' }),
    status: 400,
    bad: code,
    foreign: ownThings,
  },
  'POST /auth/mfa/webauthn/assertion/start': { leaves: { nothing: 'only begins' }, status: 409, foreign: ownThings },
  'POST /auth/mfa/webauthn/assertion/verify': {
    leaves: 'elsewhere',
    body: () => ({ session_data: '{}', assertion_response: '{}' }),
    status: 400,
    bad: { body: { session_data: 5 } },
    foreign: ownThings,
  },
  'PUT /auth/mfa/preferred-method': {
    leaves: 'factor.preferred',
    body: () => ({ preferred_method: null }),
    bad: { body: { preferred_method: 'sms' } },
    foreign: ownThings,
  },
  'PUT /auth/mfa/methods/:methodID': {
    leaves: 'elsewhere',
    params: ({ method }) => ({ methodID: method }),
    body: () => ({ label: 'telephone' }),
    status: 404,
    bad: { body: { label: '' } },
  },
  'DELETE /auth/mfa/methods/:methodID': {
    leaves: 'elsewhere',
    params: ({ method }) => ({ methodID: method }),
    status: 404,
    bad: { params: { methodID: 'x' } },
  },
  'POST /auth/mfa/backup-codes/regenerate': { leaves: 'elsewhere', status: 409, foreign: ownThings },
  'POST /auth/mfa/trusted-devices/trust': { leaves: 'device.trusted', foreign: ownThings },
  'DELETE /auth/mfa/trusted-devices/:deviceID': {
    leaves: 'elsewhere',
    params: () => ({ deviceID: '999999' }),
    status: 404,
    bad: { params: { deviceID: '0' } },
  },
  'GET /roles': { foreign: 'own list' },
  'GET /users': { foreign: 'own list' },
  'GET /users/:email': { params: ofColleague, bad: nobody },
  'POST /users': {
    leaves: 'person.invited',
    body: () => ({ email: 'acme-new@example.com', name: 'New', roles: ['viewer', 'ops in staging'] }),
    status: 201,
    bad: { body: { email: 'acme-bad@example.com', name: 'Bad', roles: ['emperor'] } },
    foreign: ownThings,
  },
  'PUT /users/:email': {
    leaves: 'person.changed',
    params: ofColleague,
    body: () => ({ roles: ['viewer'] }),
    bad: { body: {} },
  },
  'PUT /users/:email/name': {
    leaves: 'person.changed',
    params: ofColleague,
    body: () => ({ name: 'Acme Colleague' }),
    bad: { body: { name: '' } },
  },
  'DELETE /users/:email': { leaves: 'person.removed', params: ofLeaver, status: 204, bad: nobody, isLast: true },
  'GET /users/:email/sessions': { params: ofColleague, bad: nobody },
  'POST /users/:email/sessions/:sessionID/revoke': {
    leaves: 'session.revoked',
    params: ({ colleague, session }) => ({ email: colleague, sessionID: session }),
    bad: { params: { email: 'acme-colleague@example.com', sessionID: 'x' } },
  },
  'POST /users/:email/sessions/revoke_all': { leaves: 'session.revoked', params: ofLeaver, bad: nobody },
  'POST /users/:email/lock': {
    leaves: 'person.locked',
    params: ofLeaver,
    body: () => ({ reason: 'lost laptop' }),
    bad: { body: {} },
  },
  'POST /users/:email/unlock': { leaves: 'person.unlocked', params: ofLeaver, bad: nobody },
  'GET /api-tokens': { foreign: 'own list' },
  'GET /api-tokens/permissions': { foreign: 'own list' },
  'GET /api-tokens/:tokenID': { params: ({ token }) => ({ tokenID: token }), bad: { params: { tokenID: 'x' } } },
  'POST /api-tokens': {
    leaves: 'token.created',
    body: () => ({ name: 'acme-ci', role: 'cicd' }),
    bad: { body: { name: 'acme-bad', permissions: ['people:write'] } },
    foreign: ownThings,
  },
  'PUT /api-tokens/:tokenID': {
    leaves: 'token.changed',
    params: ({ token }) => ({ tokenID: token }),
    body: () => ({ name: 'acme-renamed' }),
    bad: { body: { permissions: ['everything'] } },
  },
  'DELETE /api-tokens/:tokenID': {
    leaves: 'token.revoked',
    params: ({ spareToken }) => ({ tokenID: spareToken }),
    status: 204,
    bad: { params: { tokenID: 'x' } },
  },
  'GET /audit-logs': { query: 'range=all&limit=5', bad: { query: 'start=yesterday' }, foreign: 'own list' },
  'GET /audit-logs/export': {
    leaves: 'trail.exported',
    query: 'range=all',
    bad: { query: 'range=century' },
    foreign: 'own list',
  },
  'GET /settings': { foreign: 'own list' },
  'PUT /settings/mfa-configuration': {
    leaves: 'setting.changed',
    body: () => ({ mfa_step_up_window_minutes: 15 }),
    bad: { body: { session_timeout_minutes: 5 } },
    foreign: ownThings,
  },
  'DELETE /settings/mfa-configuration': {
    leaves: ['setting.changed', 'setting.changed'],
    query: 'key=mfa_step_up_window_minutes&key=mfa_require_all_users',
    bad: { query: '' },
    foreign: ownThings,
  },
  'PUT /settings/session-configuration': {
    leaves: 'setting.changed',
    body: () => ({ session_timeout_minutes: 20 }),
    bad: { body: { session_timeout_minutes: 'soon' } },
    foreign: ownThings,
  },
  'DELETE /settings/session-configuration': {
    leaves: 'setting.changed',
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
  me: () => acme.person,
  entriesOf: (request) => entriesIn(server)(request),
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
