import { expect, test } from 'vitest'
import { type HealthNeeds, readHealth, unreadiness } from './health.ts'

const well: HealthNeeds = {
  db: { query: () => Promise.resolve([]) },
  workers: { health: () => ({}) },
  redis: { isConfigured: false, ping: () => Promise.resolve() },
  connectedAgents: () => 0,
  isTrailHealthy: () => Promise.resolve(true),
  countPeople: () => Promise.resolve(1),
  pendingMigrations: () => Promise.resolve(0),
  isDraining: () => false,
}
const away = () => Promise.reject(new Error('away'))
const worker = (state: 'running' | 'stopped' | 'crashed') => ({
  health: () => ({
    sweeper: { state, everyMs: 1_000, lastSuccessAt: undefined, consecutiveFailures: 0, failuresInAll: 0, restarts: 0 },
  }),
})

const cases: readonly (readonly [string, Partial<HealthNeeds>, string | undefined, 'ok' | 'degraded'])[] = [
  ['all is well', {}, undefined, 'ok'],
  ['the server drains', { isDraining: () => true }, 'draining', 'ok'],
  ['PostgreSQL is away', { db: { query: away } }, 'database away', 'degraded'],
  ['PostgreSQL never answers', { db: { query: () => new Promise(() => undefined) } }, 'database away', 'degraded'],
  ['migrations are pending', { pendingMigrations: () => Promise.resolve(1) }, 'migrations pending', 'degraded'],
  ['a worker has crashed', { workers: worker('crashed') }, 'worker sweeper crashed', 'degraded'],
  ['a worker runs elsewhere', { workers: worker('stopped') }, undefined, 'ok'],
  ['a configured Redis is away', { redis: { isConfigured: true, ping: away } }, 'redis away', 'degraded'],
  ['the trail falls behind', { isTrailHealthy: () => Promise.resolve(false) }, undefined, 'degraded'],
  ['the trail cannot be asked', { isTrailHealthy: away }, undefined, 'degraded'],
]

test.each(cases)('when %s', async (_, needs, reason, status) => {
  const health = await readHealth({ ...well, ...needs })()
  expect({ status: health.status, reason: unreadiness(health, false) }).toEqual({ status, reason })
})

test('a server told to be ready without Redis is, and says all the same that it is away', async () => {
  const health = await readHealth({ ...well, redis: { isConfigured: true, ping: away } })()
  expect(unreadiness(health, true)).toBeUndefined()
  expect(health).toMatchObject({ status: 'degraded', redis: { configured: true, connected: false, latency_ms: null } })
})

test('once somebody exists, set-up stays done while the database is away', async () => {
  let isAway = false
  const read = readHealth({ ...well, db: { query: () => (isAway ? away() : Promise.resolve([])) } })
  expect((await read()).bootstrapComplete).toBe(true)
  isAway = true
  expect(await read()).toMatchObject({ bootstrapComplete: true, database: { connected: false, latency_ms: null } })
})
