import { afterAll, beforeAll, expect, test } from 'vitest'
import { testClock } from '../../src/kernel/clock.ts'
import { eventually } from '../agent-stream.ts'
import { type ServerApart, serverApart } from '../server.ts'

const clock = testClock(new Date().toISOString())
let server: ServerApart
beforeAll(async () => {
  server = await serverApart({ clock, environment: { COUNTERSIGN_DRAIN_SECONDS: '30' } })
})
afterAll(() => server.stop())

/** On a connection of its own, as a load balancer asks and as a client comes that it still sends here. */
const ask = async (path: string): Promise<{ status: number; body: unknown } | 'refused'> => {
  try {
    const response = await fetch(`${server.url}${path}`, { headers: { connection: 'close' } })
    return { status: response.status, body: await response.json() }
  } catch {
    return 'refused'
  }
}

test('told to stop, a server says first that it is not ready, and takes what still comes until others have noticed', async () => {
  expect(await ask('/api/v1/health/ready')).toMatchObject({ status: 200 })
  let hasStopped = false
  const stopped = server.app.stop().then(() => {
    hasStopped = true
  })
  expect(await ask('/api/v1/health/ready')).toMatchObject({ status: 503, body: { reason: 'draining' } })
  expect(await ask('/api/v1/health')).toMatchObject({ status: 200 })
  const tenant = await server.newTenant()
  const { status } = await server.call('GET', '/api/v2/overview', { cookie: tenant.cookie })
  expect(status).toBe(200)

  await clock.jumpBy(29_000)
  expect(await ask('/api/v1/health/ready')).toMatchObject({ status: 503 })
  expect(hasStopped).toBe(false)
  await clock.jumpBy(1_000)
  await stopped
  expect(
    await eventually(
      () => ask('/api/v1/health/live'),
      (answer) => answer === 'refused',
    ),
  ).toBe('refused')
})
