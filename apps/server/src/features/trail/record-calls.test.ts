import { readEntry, verifyEntries } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyCreated, openTrail, readHeads, readLog, type TrailScene } from '../../../test/trail-scene.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { idMaker } from '../../kernel/ids.ts'
import type { Act } from './act.ts'
import { callRecorder } from './record-calls.ts'
import { erasePersonalFacts, openPersonalFacts } from './subject-keys.ts'

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

function recorder(db: Pick<Db, 'query' | 'inTx'>, more: { batchMax?: number; waitingMax?: number } = {}) {
  return callRecorder({ db, clock: scene.clock, newId: idMaker(scene.clock.now), keyring: scene.keyring, ...more })
}

/** Counts what is written; `before` runs first in each transaction that writes entries and may throw. */
function watched(before: (tx: Tx, n: number) => Promise<unknown> = async () => undefined) {
  const seen = { writes: 0, reads: 0 }
  const query: Db['query'] = (text, values) =>
    scene.db.inTx(async (tx) => {
      await before(tx, ++seen.writes)
      return tx.query(text, values)
    })
  const inTx: Db['inTx'] = (work) => {
    seen.reads++
    return scene.db.inTx(work)
  }
  return { seen, db: { query, inTx } }
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
  expect(seen.writes).toBeLessThan(100)
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

const factsOf = async (subject: string) => {
  const entries = (await readLog(scene.db)).map(({ bytes }) => readEntry(bytes ?? new Uint8Array()))
  const entry = entries.findLast((one) => one.subject.id === subject)
  if (!entry) throw new Error('The entry is not there.')
  return (await openPersonalFacts(scene.db, scene.keyring, entry.tenant, [entry])).get(entry.id)?.facts
}

test('the key of somebody who calls often is read once, and again after a minute', async () => {
  const { seen, db } = watched()
  const calls = recorder(db)
  for (let i = 0; i < 5; i++) await calls.record(call(7000 + i))
  expect(seen).toEqual({ writes: 5, reads: 1 })
  await scene.clock.moveBy(60_000)
  await calls.record(call(7010))
  expect(seen).toEqual({ writes: 6, reads: 2 })
  await calls.close()
})

test('nothing is sealed under a key that was erased meanwhile', async () => {
  const { seen, db } = watched()
  const calls = recorder(db)
  await calls.record(call(8000))
  const { tenant, actor } = call(0)
  expect(await erasePersonalFacts(scene.db, tenant, `person:${actor.id}`, scene.clock.now())).toBe(1)
  await Promise.all([calls.record(call(8001)), calls.record(call(8002))])
  expect(seen.reads).toBeLessThanOrEqual(3)
  await scene.sequence()
  expect(await factsOf('k8000')).toEqual({})
  expect(await factsOf('k8001')).toEqual({ request: { address: '192.0.2.1' } })
  expect(await factsOf('k8002')).toEqual({ request: { address: '192.0.2.1' } })
  await calls.close()
})

test('keys that are erased faster than they can be read stop the entry, not the record', async () => {
  const calls = recorder({
    inTx: scene.db.inTx,
    query: async (text, values) => {
      await erasePersonalFacts(scene.db, call(0).tenant, `person:${call(0).actor.id}`, scene.clock.now())
      return scene.db.query(text, values)
    },
  })
  const before = await count()
  await expect(calls.record(call(9000))).rejects.toThrow('cannot be written')
  expect(await count()).toBe(before)
  await calls.close()
})
