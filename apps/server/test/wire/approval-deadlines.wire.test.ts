import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { testClock } from '../../src/kernel/clock.ts'
import { type TestDatabase, testDatabase } from '../database.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let database: TestDatabase
let server: TestServer
let tenant: TestTenant
let key: string
const clock = testClock()

beforeAll(async () => {
  database = await testDatabase()
  // No worker runs: nothing but reading and deciding can know that a deadline has passed.
  server = await testServer({ databaseUrl: database.url, clock, environment: { COUNTERSIGN_ROLES: 'api' } })
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
})
afterAll(async () => {
  await server.stop()
  await expectWholeTrail(database.url)
  await database.drop()
})

describe.each(['/v1', '/api/v1'])('under %s', (prefix) => {
  const ask = async (more: object): Promise<string> => {
    const body = { tool_name: 'deploy', message: 'May I?', ...more }
    const answer = await server.call('POST', `${prefix}/approvals`, { key, agent: 'a1', body })
    return (answer.body as { id: string }).id
  }
  const poll = (id: string, query = ''): Promise<Answer> =>
    server.call('GET', `${prefix}/approvals/${id}${query}`, { key, agent: 'a1' })

  test('wire 40: past its deadline it is exactly timeout although no worker ran, and a decision then is refused', async () => {
    const id = await ask({ timeout: 1 })
    await clock.moveBy(999)
    expect((await poll(id)).body).toMatchObject({ status: 'pending' })
    await clock.moveBy(1)
    expect((await poll(id)).body).toMatchObject({ status: 'timeout', decided_by: null, decided_via: 'system' })
    const late = await server.call('PUT', `/api/v1/approvals/${id}`, {
      cookie: tenant.cookie,
      body: { approved: true },
    })
    expect(late.status).toBe(409)
    expect(late.body).toEqual({ detail: 'Approval not found or already decided.' })
    expect((await poll(id)).body).toMatchObject({ status: 'timeout' })
  })

  test('wire 40: an agent that waits with ?wait= is told of the timeout at the deadline', async () => {
    const id = await ask({ timeout: 3 })
    const waiting = poll(id, '?wait=20')
    await expect
      .poll(() => server.db.query('select from approvals as a where a.id = $1 and a.last_polled_at is not null', [id]))
      .toHaveLength(1)
    let answer: Answer | undefined
    void waiting.then((told) => {
      answer = told
    })
    // The wait begins after the note of it was written; moving the clock on until it ends needs no sleep.
    await expect
      .poll(async () => {
        await clock.moveBy(3_000)
        return answer?.body
      })
      .toMatchObject({ id, status: 'timeout' })
  })
})
