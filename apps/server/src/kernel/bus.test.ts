import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type TestDatabase, testDatabase } from '../../test/database.ts'
import { type Bus, type Message, makeBus } from './bus.ts'
import { systemClock } from './clock.ts'
import { type Db, openDb } from './db.ts'
import { makeLog } from './log.ts'

let database: TestDatabase
let db: Db
const log = makeLog('error', { write: () => undefined })
const clock = systemClock()

beforeAll(async () => {
  database = await testDatabase()
  db = openDb({ url: database.url, applicationName: 'test', connectionsMax: 6, onBrokenConnection: () => undefined })
})

afterAll(async () => {
  await db.end()
  await database.drop()
})

// A bus that starts sweeps from the oldest transaction still open anywhere on the server, another database's included,
// so what an earlier test left would be heard again.
beforeEach(async () => {
  await db.query(`delete from outbox`)
})

async function replica(): Promise<{ bus: Bus; heard: Message[] }> {
  const bus = makeBus({ db, clock, log })
  const heard: Message[] = []
  await bus.start()
  bus.on('*', (message) => heard.push(message))
  return { bus, heard }
}

const say = (bus: Bus, n: number) => db.inTx((tx) => bus.announce(tx, { topic: 'test', tenant: null, body: { n } }))
const numbers = (heard: readonly Message[]) => heard.map(({ body }) => body['n'])

describe('the bus', () => {
  test('every replica hears what was committed, once', async () => {
    const [one, two] = [await replica(), await replica()]
    for (const n of [1, 2, 3]) await say(one.bus, n)
    await vi.waitFor(() => {
      expect([...numbers(two.heard)].sort()).toEqual([1, 2, 3])
      expect([...numbers(one.heard)].sort()).toEqual([1, 2, 3])
    })
    await one.bus.stop()
    await two.bus.stop()
  })

  test('what was rolled back is never heard', async () => {
    const { bus, heard } = await replica()
    const failing = db.inTx(async (tx) => {
      await bus.announce(tx, { topic: 'test', tenant: null, body: { n: 'undone' } })
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    await say(bus, 9)
    await vi.waitFor(() => expect(numbers(heard)).toEqual([9]))
    await bus.stop()
  })

  test('a row whose notification was lost is swept up, also when it commits after younger ones', async () => {
    const { bus, heard } = await replica()
    const insert = `insert into outbox (topic, tenant_id, at, body) values ('test', null, now(), $1)`
    await db.withClient(async (late) => {
      await late.query('begin')
      await late.query(insert, [JSON.stringify({ n: 'late' })])
      await db.query(insert, [JSON.stringify({ n: 'young' })])
      await vi.waitFor(() => expect(numbers(heard)).toEqual(['young']), { timeout: 8000 })
      // Several sweeps pass while it is still open.
      await say(bus, 1)
      await vi.waitFor(() => expect(numbers(heard)).toContain(1))
      await late.query('commit')
    })
    await vi.waitFor(() => expect(numbers(heard)).toEqual(['young', 1, 'late']), { timeout: 8000 })
    await bus.stop()
  })

  test('losing the listening connection is noticed, nothing is missed, and it comes back by itself', async () => {
    const { bus, heard } = await replica()
    await vi.waitFor(() => expect(bus.isProven()).toBe(true))
    const superuser = openDb({
      url: database.superuserUrl,
      applicationName: 'test',
      connectionsMax: 1,
      onBrokenConnection: () => undefined,
    })
    await superuser.query(
      `select pg_terminate_backend(a.pid) from pg_stat_activity as a where (a.query like 'listen %' or a.query like 'select pg_notify(%') and a.datname = current_database() and a.pid <> pg_backend_pid()`,
    )
    await superuser.end()
    await say(bus, 5)
    await vi.waitFor(() => expect(numbers(heard)).toContain(5), { timeout: 8000 })
    await vi.waitFor(() => expect(bus.isProven()).toBe(true), { timeout: 8000 })
    await bus.stop()
  })
})
