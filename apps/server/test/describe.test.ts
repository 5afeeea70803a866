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

test('in production the description is not there', async () => {
  const other = await testServer({ databaseUrl: database.url, environment: { COUNTERSIGN_PROFILE: 'production' } })
  expect((await other.call('GET', '/api/v2/openapi.json')).status).toBe(404)
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

test('a browser that reached us under a foreign name is turned away; probes and bearers are not', async () => {
  const { request } = await import('node:http')
  const under = (host: string, path: string, headers: Record<string, string> = {}): Promise<number> =>
    new Promise((resolve, reject) => {
      request(`${server.url}${path}`, { headers: { ...headers, host } }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
        .on('error', reject)
        .end()
    })
  expect(await under('rebound.example', '/api/v2/setup')).toBe(421)
  expect(await under('localhost:1', '/api/v2/setup')).toBe(200)
  expect(await under('10.1.2.3', '/api/v1/health/live')).toBe(200)
  expect(await under('countersign.internal', '/v1/rulesets/x/current', { authorization: 'Bearer edk_x' })).toBe(401)
})
