import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStream } from '../../../test/agent-stream.ts'
import { type ServerApart, serverApart } from '../../../test/server.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

test('an agent gets headers at once and its stream ends when its key is revoked', async () => {
  const tenant = await server.newTenant()
  const { id, key } = await server.newKey(tenant)
  const stream = await openStream(server.url, '/v1/stream', { key, agent: 'a1' })
  expect(stream.status).toBe(200)
  expect(stream.headers['content-type']).toBe('text/event-stream')
  const revoked = await server.call('POST', `/api/v2/keys/${id}/revoke`, { cookie: tenant.cookie })
  expect(revoked.status).toBe(200)
  await stream.closed
  expect(stream.isClosed()).toBe(true)
})
