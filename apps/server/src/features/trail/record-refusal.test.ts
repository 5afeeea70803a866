import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openTrail, type TrailScene } from '../../../test/trail-scene.ts'
import { recordRefusals } from './record-refusal.ts'

let scene: TrailScene
let refusals: ReturnType<typeof recordRefusals>
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

beforeAll(async () => {
  scene = await openTrail()
})
afterAll(() => scene.close())
beforeEach(async () => {
  // Nothing of one test is in the minute of another.
  await scene.clock.moveBy(600_000)
  refusals = recordRefusals({ db: scene.db, record: scene.record, log: quiet, clock: scene.clock, strangersMax: 60 })
})

type Told = { readonly subject: string; readonly repeated: number | null; readonly addresses: number | null }

/** Entries since the test began, with what they say of repeats. */
async function told(since: Date): Promise<readonly Told[]> {
  const rows = await scene.db.query<{ subject: string; bytes: Uint8Array }>(
    `select e.subject_id as subject, e.bytes from trail_entries as e
      where e.act = 'route.refused' and e.at >= $1 order by e.arrival, e.id`,
    [since],
  )
  return rows.map(({ subject, bytes }) => {
    const { details } = JSON.parse(Buffer.from(bytes).toString()) as { details: Record<string, number | undefined> }
    return { subject, repeated: details['repeated'] ?? null, addresses: details['addresses'] ?? null }
  })
}

const refuse = (address = '192.0.2.1', path = '/keys', code = 'not_signed_in') =>
  refusals.record({
    who: undefined,
    route: { does: 'List the keys', method: 'GET', path },
    code,
    facts: { id: 'r1', address, userAgent: 'curl' },
  })
const one = (subject: string) => ({ subject, repeated: null, addresses: null })
const mentioned = (entries: readonly Told[]): number => entries.reduce((sum, { repeated }) => sum + (repeated ?? 1), 0)

test('the first refusal is in the trail before its caller is answered, a thousand repeats become one count', async () => {
  const since = scene.clock.now()
  await refuse()
  expect(await told(since)).toEqual([one('GET /keys')])
  for (let n = 0; n < 1_000; n += 1) await refuse()
  await refusals.settle()
  expect(await told(since)).toEqual([one('GET /keys')])
  await scene.clock.moveBy(60_000)
  await refusals.settle()
  await refusals.settle()
  expect(await told(since)).toEqual([one('GET /keys'), { subject: 'GET /keys', repeated: 1_000, addresses: null }])
})

test('a flood that goes on costs two entries a minute, and every one of it is mentioned', async () => {
  const since = scene.clock.now()
  for (let second = 0; second < 300; second += 1) {
    for (let n = 0; n < 3; n += 1) await refuse()
    if (second % 5 === 0) await refusals.settle()
    await scene.clock.moveBy(1_000)
  }
  await refusals.close()
  const entries = await told(since)
  expect(entries.length).toBeLessThanOrEqual(10)
  expect(mentioned(entries)).toBe(900)
})

test('another route, another reason and another address are told apart', async () => {
  const since = scene.clock.now()
  for (let n = 0; n < 3; n += 1) {
    await refuse()
    await refuse('192.0.2.2')
    await refuse('192.0.2.1', '/roles')
    await refuse('192.0.2.1', '/keys', 'forbidden')
  }
  expect(await told(since)).toHaveLength(4)
  await refusals.close()
  expect((await told(since)).slice(4).map(({ repeated }) => repeated)).toEqual([2, 2, 2, 2])
})

test('a flood from everywhere is bounded as a whole, and the trail says from how many addresses', async () => {
  const since = scene.clock.now()
  for (let n = 0; n < 500; n += 1) await refuse(`2001:db8::${n.toString(16)}`)
  await scene.clock.moveBy(60_000)
  await refusals.settle()
  const entries = await told(since)
  expect(entries).toHaveLength(61)
  expect(entries.at(-1)).toEqual({ subject: 'many', repeated: 440, addresses: 440 })
  // Whoever is known is not lost in such a crowd.
  const who = { is: 'agent', tenant: null, keyId: 'k1', environment: 'production' } as never
  for (let n = 0; n < 100; n += 1) await refuse(`2001:db8:1::${n.toString(16)}`)
  await refusals.record({
    who,
    route: { does: 'List the keys', method: 'GET', path: '/mine' },
    code: 'forbidden',
    facts: { id: 'r2', address: '192.0.2.9', userAgent: 'curl' },
  })
  expect((await told(since)).at(-1)).toEqual(one('GET /mine'))
})

test('what could not be written at its time is written as soon as anything can be', async () => {
  const since = scene.clock.now()
  let isFull = true
  const failing = recordRefusals({
    db: scene.db,
    record: async (...given) => {
      if (isFull) throw new Error('disk full')
      await scene.record(...given)
    },
    log: quiet,
    clock: scene.clock,
    strangersMax: 60,
  })
  refusals = failing
  await refuse()
  await refuse()
  for (let n = 0; n < 100; n += 1) await refuse(`2001:db8:2::${n.toString(16)}`)
  await scene.clock.moveBy(60_000)
  await expect(failing.settle()).rejects.toThrow('disk full')
  expect(await told(since)).toEqual([])
  isFull = false
  await failing.settle()
  expect(mentioned(await told(since))).toBe(102)
})
