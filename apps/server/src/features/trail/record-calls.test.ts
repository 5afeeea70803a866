import { readEntry, verifyEntries } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyCreated, openTrail, readHeads, readLog, type TrailScene } from '../../../test/trail-scene.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { idMaker } from '../../kernel/ids.ts'
import type { Act } from './act.ts'
import { callRecorder } from './record-calls.ts'

let scene: TrailScene
beforeAll(async () => {
  scene = await openTrail()
})
afterAll(() => scene.close())

const call = (n: number): Act => ({
  ...keyCreated(n),
  act: 'call.intended',
  outcome: 'intended',
  request: { address: '192.0.2.1' },
})

function recorder(db: Pick<Db, 'inTx'>, more: { batchMax?: number; waitingMax?: number } = {}) {
  return callRecorder({ db, clock: scene.clock, newId: idMaker(scene.clock.now), keyring: scene.keyring, ...more })
}

/** Counts transactions; `before` runs in each and may throw. */
function watched(before: (tx: Tx, n: number) => Promise<unknown> = async () => undefined) {
  const seen = { transactions: 0 }
  const inTx: Db['inTx'] = (work) =>
    scene.db.inTx(async (tx) => {
      await before(tx, ++seen.transactions)
      return work(tx)
    })
  return { seen, db: { inTx } }
}

const count = async () => (await scene.db.query<{ n: number }>('select count(*) as n from trail_entries'))[0]?.n ?? 0

test('what is answered is durable, many are written together, and the log they make verifies', async () => {
  const { seen, db } = watched()
  const calls = recorder(db)
  const before = await count()
  await Promise.all(
    Array.from({ length: 200 }, async (_, caller) => {
      for (let i = 0; i < 5; i++) await calls.record(call(caller * 10 + i))
    }),
  )
  expect(await count()).toBe(before + 1000)
  expect(seen.transactions).toBeLessThan(100)
  await scene.sequence()
  const found = verifyEntries(await readLog(scene.db), { heads: await readHeads(scene.db) })
  expect(found).toMatchObject({ ok: true, entries: before + 1000 })
})

test('one caller’s entries keep their order', async () => {
  const calls = recorder(scene.db)
  const before = (await readLog(scene.db)).length
  for (let i = 0; i < 20; i++) await calls.record(call(5000 + i))
  await scene.sequence()
  const subjects = (await readLog(scene.db))
    .slice(before)
    .map(({ bytes }) => readEntry(bytes ?? new Uint8Array()).subject.id)
  expect(subjects).toEqual(Array.from({ length: 20 }, (_, i) => `k${5000 + i}`))
})

test('an entry that cannot be made fails alone', async () => {
  const calls = recorder(scene.db)
  const before = await count()
  const bad: Act = { ...call(1), act: 'not an act' }
  const results = await Promise.allSettled([
    calls.record(call(1)),
    calls.record(bad),
    calls.record(call(2)),
    calls.record(call(3)),
  ])
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(await count()).toBe(before + 3)
})

test('when the database is gone every waiting caller is told that nothing was recorded, and the next succeed', async () => {
  let isGone = true
  const { db } = watched(async (tx) => {
    if (isGone) await tx.query('select pg_terminate_backend(pg_backend_pid())')
  })
  const calls = recorder(db)
  const before = await count()
  const results = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => calls.record(call(i))))
  for (const result of results)
    expect(result).toMatchObject({ status: 'rejected', reason: { kind: { code: 'trail_unavailable' } } })
  expect(await count()).toBe(before)
  isGone = false
  await calls.record(call(1))
  expect(await count()).toBe(before + 1)
})

test('a full queue refuses at once instead of growing', async () => {
  let open = (): void => undefined
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { db } = watched(() => gate)
  const calls = recorder(db, { batchMax: 1, waitingMax: 3 })
  const first = Array.from({ length: 5 }, (_, i) => calls.record(call(i)))
  // Two are on their way, each in its lane, three wait.
  const [taken] = first
  await Promise.race([taken, Promise.resolve()])
  const results = Promise.allSettled([...first, ...Array.from({ length: 5 }, (_, i) => calls.record(call(i)))])
  open()
  const refused = (await results).filter((result) => result.status === 'rejected')
  expect(refused.length).toBeGreaterThanOrEqual(5)
  for (const result of refused) expect(result).toMatchObject({ reason: { kind: { code: 'trail_unavailable' } } })
  await calls.record(call(1))
})

test('closing finishes what was taken and takes nothing more', async () => {
  const calls = recorder(scene.db)
  const before = await count()
  const taken = Promise.all(Array.from({ length: 100 }, (_, i) => calls.record(call(i))))
  await calls.close()
  await taken
  expect(await count()).toBe(before + 100)
  await expect(calls.record(call(1))).rejects.toThrow('cannot be written')
})
