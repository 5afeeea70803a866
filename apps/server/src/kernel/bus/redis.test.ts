import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../../test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { makeBus } from '../bus.ts'
import { systemClock } from '../clock.ts'
import { Secret } from '../crypto.ts'
import { type Db, openDb } from '../db.ts'
import { makeRedisRelay } from './redis.ts'

const hasRedis = spawnSync('redis-server', ['--version']).status === 0
const isRequired = (process.env['TEST_REQUIRE'] ?? '').split(',').includes('redis')
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

let database: TestDatabase
let port = 0
let redis: ChildProcess | undefined
const opened: Db[] = []

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

async function startRedis(): Promise<void> {
  redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'])
  for await (const chunk of redis.stdout ?? []) if (String(chunk).includes('Ready to accept connections')) break
}

async function killRedis(): Promise<void> {
  if (!redis || redis.exitCode !== null || redis.signalCode !== null) return
  const exited = once(redis, 'exit')
  redis.kill('SIGKILL')
  await exited
}

beforeAll(async () => {
  database = await testDatabase()
  port = await freePort()
})
afterAll(async () => {
  await killRedis()
  for (const db of opened) await db.end()
  await database.drop()
})

function replica() {
  const clock = systemClock()
  const options = { url: database.url, applicationName: 'redis test', connectionsMax: 3 }
  const db = openDb({ ...options, onBrokenConnection: () => undefined })
  opened.push(db)
  const relay = makeRedisRelay({ url: new Secret(`redis://127.0.0.1:${port}`), log: quiet })
  const bus = makeBus({ db, clock, log: quiet, relay })
  const heard: unknown[] = []
  bus.on('told', ({ body }) => heard.push(body['n']))
  const say = (n: number) => db.inTx((tx) => bus.announce(tx, { topic: 'told', tenant: null, body: { n } }))
  return { db, bus, relay, heard, say }
}

test('Redis is there where it is required', () => {
  expect(hasRedis || !isRequired).toBe(true)
})

test.skipIf(!hasRedis)(
  'nothing is lost, and nothing told twice, when Redis dies in the middle and comes back',
  async () => {
    await startRedis()
    const [one, other] = [replica(), replica()]
    await Promise.all([one.bus.start(), other.bus.start()])
    await eventually(
      () => one.relay.isAlive() && other.relay.isAlive(),
      (alive) => alive,
    )
    let said = 0
    const sayMany = async (count: number): Promise<void> => {
      for (let n = 0; n < count; n += 1) {
        said += 1
        await one.say(said)
      }
    }
    const allHeard = () =>
      eventually(
        () => [one.heard.length, other.heard.length],
        ([mine = 0, theirs = 0]) => mine >= said && theirs >= said,
      )
    await sayMany(50)
    await allHeard()
    // Said while it dies: some carried, some lost on the way, the later ones by PostgreSQL.
    await Promise.all([sayMany(100), killRedis()])
    await allHeard()
    expect(one.relay.isAlive()).toBe(false)
    await expect(one.relay.ping()).rejects.toThrow()
    await sayMany(20)
    await allHeard()
    await startRedis()
    await eventually(
      () => one.relay.isAlive() && other.relay.isAlive(),
      (alive) => alive,
    )
    await one.relay.ping()
    await sayMany(20)
    await allHeard()
    const expected = Array.from({ length: said }, (_, n) => n + 1)
    for (const { heard } of [one, other]) expect(heard.toSorted((a, b) => Number(a) - Number(b))).toEqual(expected)
    await Promise.all([one.bus.stop(), other.bus.stop()])
  },
)

test.skipIf(!hasRedis)('a Redis that is away at the start holds nobody up', async () => {
  await killRedis()
  const alone = replica()
  await alone.bus.start()
  await alone.say(1)
  await eventually(
    () => alone.heard,
    (heard) => heard.length === 1,
  )
  await alone.bus.stop()
})
