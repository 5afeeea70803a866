import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { eventually, openStream } from '../agent-stream.ts'
import { fetchRuleset, rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../server.ts'
import { type OwnPostgres, ownPostgres } from './own-postgres.ts'

/** The real time for which there is no PostgreSQL at all: 10 s unless DATABASE_AWAY_SECONDS says otherwise. */
const awaySeconds = Number(process.env['DATABASE_AWAY_SECONDS'] ?? 10)
vi.setConfig({ testTimeout: 120_000 + awaySeconds * 2_000 })

let postgres: OwnPostgres
let server: TestServer
let tenant: TestTenant
let key: string
/** Whatever was answered 500. */
const bugs: string[] = []

beforeAll(async () => {
  postgres = await ownPostgres()
  server = await testServer({
    databaseUrl: postgres.url,
    onLog: (line) => {
      if (line.includes('bug of ours')) bugs.push(line)
    },
  })
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  await rollOutYaml(server, tenant, rulesetYaml('base'))
})
afterAll(async () => {
  await server.stop()
  await postgres.remove()
})

type Told = { readonly what: string; readonly status: number }

/** One who asks again and again, as SDKs do, and notes every answer. */
async function untilOver(isOver: () => boolean, told: Told[], what: string, ask: (n: number) => Promise<Answer>) {
  for (let n = 0; !isOver(); n += 1) {
    const { status } = await ask(n)
    told.push({ what, status })
    if (status !== 200) await pause(50)
  }
}

test(`PostgreSQL is stopped for ${awaySeconds} s under load and started again: what was acknowledged is stored once, agents keep their revision, readiness tells, all recovers by itself`, async () => {
  const agent = { key, agent: 'a1' }
  const told: Told[] = []
  const delivered = new Set<string>()
  let counted = 0
  let uncertain = 0
  let isOver = false
  const isDone = (): boolean => isOver
  const asked = { tool_name: 'deploy', message: 'May I?', timeout: 3600 }
  const held = (await server.call('POST', '/v1/approvals', { ...agent, body: asked })).body as { id: string }
  const stream = await openStream(server.url, '/v1/stream?bundle_name=base', agent)
  await stream.next(1, 'contract_update')

  const report = (who: number) =>
    untilOver(isDone, told, 'events', async () => {
      const callId = `call-${who}-${delivered.size}`
      const events = [{ call_id: callId, agent_id: 'a1', tool_name: 'shell', verdict: 'call_allowed' }]
      for (;;) {
        const answer = await server.call('POST', '/v1/events', { ...agent, body: { events } })
        if (answer.status === 200) delivered.add(callId)
        if (answer.status === 200 || isOver) return answer
        told.push({ what: 'events', status: answer.status })
        await pause(50)
      }
    })
  const load = [
    ...[0, 1, 2].map(report),
    untilOver(isDone, told, 'ruleset', () => server.call('GET', '/v1/rulesets/base/current', agent)),
    untilOver(isDone, told, 'approval', () => server.call('GET', `/v1/approvals/${held.id}`, agent)),
    untilOver(isDone, told, 'counter', async () => {
      const answer = await server.call('POST', '/v1/sessions/calls/increment', { ...agent, body: { amount: 1 } })
      if (answer.status === 200) counted += 1
      else uncertain += 1
      return answer
    }),
  ]
  await eventually(
    () => delivered.size,
    (count) => count > 50,
  )

  await postgres.halt()
  const begun = performance.now()
  const health = async (end = ''): Promise<Answer> => server.call('GET', `/api/v1/health${end}`)
  await eventually(
    () => health('/ready'),
    ({ status }) => status === 503,
  )
  const before = delivered.size
  while (performance.now() - begun < awaySeconds * 1_000) {
    expect(await health('/ready')).toMatchObject({ status: 503, body: { reason: 'database away' } })
    expect(await health()).toMatchObject({ status: 200, body: { status: 'degraded', database: { connected: false } } })
    expect((await health('/live')).status).toBe(200)
    await pause(250)
  }
  expect(delivered.size, 'nothing is acknowledged that cannot be stored').toBe(before)
  expect(stream.isClosed()).toBe(false)
  expect(stream.events().map(({ name }) => name)).toEqual(['contract_update'])

  await postgres.restart()
  await eventually(
    () => health('/ready'),
    ({ status }) => status === 200,
  )
  await eventually(
    () => delivered.size - before,
    (count) => count > 50,
  )
  isOver = true
  await Promise.all(load)

  expect(bugs).toEqual([])
  // Neither 401 nor 404: an agent that hears either would give up what it has.
  expect(new Set(told.map(({ status }) => status))).toEqual(new Set([200, 503]))
  for (const what of ['events', 'ruleset', 'approval', 'counter']) {
    const statuses = told.filter((one) => one.what === what).map(({ status }) => status)
    expect([statuses.includes(503), statuses.at(-1)], what).toEqual([true, 200])
  }
  const stored = await server.db.query<{ call: string }>(`select e.call_id as call from events as e`)
  const calls = stored.map(({ call }) => call)
  expect(new Set(calls).size).toBe(calls.length)
  expect([...delivered].filter((call) => !calls.includes(call))).toEqual([])
  const value = Number((await server.call('GET', '/v1/sessions/calls', agent)).text.replaceAll(/\D/g, ''))
  expect(value).toBeGreaterThanOrEqual(counted)
  expect(value).toBeLessThanOrEqual(counted + uncertain)

  const decide = { cookie: tenant.cookie, body: { approve: true } }
  expect((await server.call('POST', `/api/v2/approvals/${held.id}/decision`, decide)).status).toBe(200)
  expect((await server.call('GET', `/v1/approvals/${held.id}`, agent)).body).toMatchObject({ status: 'approved' })
  await rollOutYaml(server, tenant, rulesetYaml('base', 'afterwards'))
  expect((await stream.next(2, 'contract_update')).at(-1)?.data).toMatchObject({ version: 2 })
  expect((await fetchRuleset(server, key, '/v1/rulesets/base/current')).version).toBe(2)
  await eventually(health, ({ body }) => (body as { status: string }).status === 'ok')
  stream.close()
})
