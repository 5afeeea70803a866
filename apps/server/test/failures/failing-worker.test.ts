import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../agent-stream.ts'
import { type ServerApart, serverApart } from '../server.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

const metric = async (name: string): Promise<number> => {
  const { text } = await server.call('GET', '/metrics')
  return Number(new RegExp(`^countersign_worker_${name}\\{worker="approval_timeout"\\} (.+)$`, 'm').exec(text)?.[1])
}
const ready = () => server.call('GET', '/api/v1/health/ready')

test('a worker that fails again and again is told as crashed, makes the server unready, and recovers by itself', async () => {
  await eventually(
    () => metric('running'),
    (value) => value === 1,
  )
  const failuresBefore = await metric('failures')
  const superuser = new pg.Client({ connectionString: server.database.superuserUrl })
  await superuser.connect()
  await superuser.query('alter table approvals rename to gone')
  try {
    const answer = await eventually(
      ready,
      ({ body }) => (body as { reason?: string }).reason === 'worker approval_timeout crashed',
    )
    expect(answer).toMatchObject({ status: 503, body: { workers: { approval_timeout: 'crashed' } } })
    expect(await server.call('GET', '/api/v1/health')).toMatchObject({ status: 200, body: { status: 'degraded' } })
    expect(await metric('running')).toBe(0)
    expect(await metric('failures')).toBeGreaterThan(failuresBefore)
  } finally {
    await superuser.query('alter table gone rename to approvals')
    await superuser.end()
  }
  await eventually(ready, ({ status }) => status === 200)
  expect(await metric('running')).toBe(1)
  expect(await metric('last_success_seconds')).toBeGreaterThan(1_700_000_000)
})
