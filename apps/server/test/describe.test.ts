import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from './database.ts'
import { type TestServer, testServer } from './server.ts'

let database: TestDatabase
let server: TestServer

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
})

afterAll(async () => {
  await server.stop()
  await database.drop()
})

test('the API describes itself, every route of ours included', async () => {
  const { body } = await server.call('GET', '/api/v2/openapi.json')
  const { openapi, paths } = body as { openapi: string; paths: Record<string, Record<string, unknown>> }
  expect(openapi).toBe('3.1.0')
  for (const { method, path, answersItself } of server.app.routes.native) {
    if (answersItself) continue
    const described = paths[`/api/v2${path.replaceAll(/:(\w+)/g, '{$1}')}`]
    expect(described?.[method.toLowerCase()], `${method} ${path}`).toBeDefined()
  }
})

test('whatever must have a form says it in words too, since an error tells them', async () => {
  const { text } = await server.call('GET', '/api/v2/openapi.json')
  const wordless: string[] = []
  JSON.parse(text, (_name, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('pattern' in value)) return value
    if (typeof value.pattern === 'string' && !('title' in value)) wordless.push(value.pattern)
    return value
  })
  expect(wordless).toEqual([])
})

test('in production the description is there for whoever reads the settings, whole, and for nobody else', async () => {
  const other = await testServer({ databaseUrl: database.url, environment: { COUNTERSIGN_PROFILE: 'production' } })
  const acme = await other.newTenant()
  const made = (permissions: readonly string[]) =>
    other.call('POST', '/api/v2/tokens', { cookie: acme.cookie, body: { name: permissions.join(), permissions } })
  const [reader, stranger] = (await Promise.all([made(['settings:read']), made(['fleet:read'])])).map(
    ({ body }) => (body as { token: string }).token,
  )
  const viewer = await other.newPerson(acme, [{ role: 'viewer', environment: null }])
  const auditor = await other.newPerson(acme, [{ role: 'auditor', environment: null }])
  const key = (await other.newKey(acme)).key
  const ask = (sent: object, method = 'GET') =>
    other.call(method, '/api/v2/openapi.json', { headers: { 'x-requested-with': 'test' }, ...sent })

  for (const sent of [{ cookie: acme.cookie }, { cookie: auditor.cookie }, { key: reader }]) {
    const { status, body } = await ask(sent)
    expect(status).toBe(200)
    expect(Object.keys((body as { paths: object }).paths)).toContain('/api/v2/people')
  }
  const absent = await other.call('GET', '/api/v2/nothing')
  for (const sent of [{}, { cookie: viewer.cookie }, { key: stranger }, { key }, { key: 'rgw_made_up' }]) {
    const { status, body } = await ask(sent)
    expect(status).toBe(404)
    expect({ ...(body as object), request_id: '' }).toEqual({ ...(absent.body as object), request_id: '' })
  }
  expect((await ask({}, 'DELETE')).status).toBe(404)
  expect((await other.call('GET', '/api/v1/health')).body).not.toHaveProperty('version')
  await other.stop()
})

test('errors of every kind carry the security headers and a request id', async () => {
  const answers = [
    await server.call('GET', '/api/v2/nothing'),
    await server.call('GET', '/v1/nothing'),
    await server.call('GET', '/assets/nothing.js'),
    await server.call('POST', '/api/v2/session', { body: 'x'.repeat(5000), headers: { 'x-requested-with': 'test' } }),
    await server.call('GET', '/api/v2/keys'),
    await server.call('PUT', '/api/v2/setup'),
  ]
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 413, 401, 405])
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/)
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{12}$/)
  }
})

test('behind https every answer says so for the future, and none may be framed or sniffed', async () => {
  const other = await testServer({
    databaseUrl: database.url,
    environment: { COUNTERSIGN_BASE_URL: 'https://countersign.example.com', COUNTERSIGN_ALLOWED_HOSTS: '127.0.0.1' },
  })
  for (const path of ['/', '/sign-in', '/api/v2/setup', '/api/v2/nothing', '/trail/checkpoint', '/api/v1/health']) {
    const { headers } = await other.call('GET', path)
    expect.soft(headers.get('strict-transport-security'), path).toMatch(/max-age=\d{8}/)
    expect.soft(headers.get('x-content-type-options'), path).toBe('nosniff')
    expect.soft(headers.get('content-security-policy'), path).toContain("frame-ancestors 'none'")
    expect.soft(headers.get('referrer-policy'), path).toBe('strict-origin-when-cross-origin')
  }
  await other.stop()
})

test('what is at no address is not found in the words of whoever asked, whatever the method', async () => {
  for (const method of ['GET', 'POST', 'DELETE']) {
    const headers = { 'x-requested-with': 'test' }
    const older = await server.call(method, '/api/v1/nothing/here', { headers })
    expect(older).toMatchObject({ status: 404, body: { detail: 'Not Found' } })
    expect(await server.call(method, '/api/v2/nothing/here', { headers })).toMatchObject({
      status: 404,
      body: { code: 'not_found', detail: 'There is nothing at this address.' },
    })
  }
})

test('an id that a client invents for its request is neither repeated nor recorded', async () => {
  const { headers } = await server.call('GET', '/api/v2/keys', { headers: { 'x-request-id': 'invented-by-a-client' } })
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{12}$/)
})

test('a session’s token is in no row of the database, and a list of sessions tells nothing of a ceremony', async () => {
  const tenant = await server.newTenant()
  const token = tenant.cookie.split('=')[1] ?? ''
  await server.call('POST', '/api/v2/mfa/passkeys/challenge', { cookie: tenant.cookie })
  const rows = await server.db.query<{ text: string }>(`select s::text as text from sessions as s`)
  expect(rows.length).toBeGreaterThan(0)
  for (const { text } of rows) expect(text).not.toContain(token)
  const { body, text } = await server.call('GET', '/api/v2/sessions', { cookie: tenant.cookie })
  expect((body as { items: unknown[] }).items).toHaveLength(1)
  expect(text).not.toMatch(/challenge|state|verifier|token|digest/)
})

test('a browser that reached us under a foreign name is turned away; probes and bearers are not', async () => {
  const { request } = await import('node:http')
  const askUnder = (host: string, path: string, headers: Record<string, string> = {}): Promise<[number, string]> =>
    new Promise((resolve, reject) => {
      request(`${server.url}${path}`, { headers: { ...headers, host } }, (response) => {
        response.setEncoding('utf8')
        let text = ''
        response.on('data', (part: string) => {
          text += part
        })
        response.on('end', () => resolve([response.statusCode ?? 0, text]))
      })
        .on('error', reject)
        .end()
    })
  const under = async (...asked: Parameters<typeof askUnder>): Promise<number> => (await askUnder(...asked))[0]
  expect(await under('rebound.example', '/api/v2/setup')).toBe(421)
  for (const path of [
    '/',
    '/events?tool=shell',
    '/assets/nothing.js',
    '/api/nowhere',
    '/v1/nowhere',
    '/metrics',
    '/trail/checkpoint',
  ]) {
    const [status, text] = await askUnder('rebound.example', path)
    expect(status, path).toBe(421)
    expect(text, path).toContain('COUNTERSIGN_ALLOWED_HOSTS')
    expect(text, path).not.toContain('statusCode')
  }
  expect((await askUnder('rebound.example', '/'))[1]).toMatch(
    /^This server does not answer to the name "rebound.example"/,
  )
  // What a caller calls itself makes it no probe: those are told by what they ask for.
  for (const agent of ['ELB-HealthChecker/2.0', 'kube-probe/1.30', 'GoogleHC/1.0'])
    expect(await under('rebound.example', '/api/v2/setup', { 'user-agent': agent })).toBe(421)
  expect(await under('localhost:1', '/api/v2/setup')).toBe(200)
  expect(await under('10.1.2.3', '/api/v1/health/live')).toBe(200)
  expect(await under('countersign.internal', '/v1/rulesets/x/current', { authorization: 'Bearer edk_x' })).toBe(401)
})
