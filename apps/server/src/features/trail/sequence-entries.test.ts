import { readEntry, verifyEntries } from '@countersign/trail'
import { afterAll, expect, test } from 'vitest'
import { keyCreated, openTrail, readHeads, readLog, type TrailScene } from '../../../test/trail-scene.ts'
import type { Db } from '../../kernel/db.ts'
import { makeSequencer } from './sequence-entries.ts'
import { trailHealth } from './trail-health.ts'

const scenes: TrailScene[] = []

async function open(): Promise<TrailScene> {
  const scene = await openTrail()
  scenes.push(scene)
  return scene
}

afterAll(async () => {
  for (const scene of scenes) await scene.close()
})

async function expectWhole(db: Db, count: number): Promise<void> {
  const found = verifyEntries(await readLog(db), { heads: await readHeads(db) })
  expect(found.faults).toEqual([])
  expect(found.entries).toBe(count)
  expect((await readHeads(db)).at(-1)?.size ?? 0).toBe(count)
}

test('committed entries get numbers from 0 without gaps, in the order they were written, and each batch a head', async () => {
  const { db, record, clock } = await open()
  const pass = makeSequencer({ db, clock })
  expect(await pass()).toBe(0)
  for (let i = 0; i < 5; i++) await record(db, keyCreated(i))
  expect(await pass()).toBe(5)
  for (let i = 5; i < 8; i++) await record(db, keyCreated(i))
  expect(await pass()).toBe(3)
  expect(await pass()).toBe(0)
  expect((await readLog(db)).map(({ bytes }) => readEntry(bytes ?? new Uint8Array()).subject.id)).toEqual([
    'k0',
    'k1',
    'k2',
    'k3',
    'k4',
    'k5',
    'k6',
    'k7',
  ])
  await expectWhole(db, 8)
})

test('an entry whose transaction is undone was never there', async () => {
  const { db, record, clock } = await open()
  const pass = makeSequencer({ db, clock })
  await record(db, keyCreated(0))
  await expect(
    db.inTx(async (tx) => {
      await record(tx, keyCreated(1))
      throw new Error('undo')
    }),
  ).rejects.toThrow('undo')
  await record(db, keyCreated(2))
  expect(await pass()).toBe(2)
  await expectWhole(db, 2)
})

test('an entry whose transaction commits long after later ones is numbered then, however many passes went by', async () => {
  const { db, record, clock } = await open()
  const pass = makeSequencer({ db, clock })
  const fresh = makeSequencer({ db, clock })
  await db.inTx(async (slow) => {
    await record(slow, keyCreated(0))
    for (let i = 1; i <= 80; i++) {
      await record(db, keyCreated(i))
      expect(await pass()).toBe(1)
    }
    for (let i = 0; i < 10; i++) expect(await pass()).toBe(0)
    await expectWhole(db, 80)
  })
  expect(await fresh()).toBe(1)
  expect(await pass()).toBe(0)
  await record(db, keyCreated(81))
  expect(await pass()).toBe(1)
  await expectWhole(db, 82)
})

test('an arrival handed out long before its entry is inserted does not slip below the floor', async () => {
  const { db, record, clock } = await open()
  const pass = makeSequencer({ db, clock })
  await db.inTx(async (slow) => {
    // The worst moment to be interrupted: the number is taken, the row is not there yet.
    const [taken] = await slow.query<{ arrival: number }>('select trail_next_arrival() as arrival')
    expect(taken?.arrival).toBe(1)
    for (let i = 0; i < 5; i++) {
      await record(db, keyCreated(i))
      await pass()
    }
    const before = await readHeads(db)
    const [head] = await db.query<{ floor: number }>('select max(h.floor) as floor from trail_heads as h')
    expect(head?.floor).toBe(0)
    expect(before).toHaveLength(5)
  })
  // Transactions of other databases on this server hold the floor back too, so it takes as long as they take.
  const floor = async () => (await db.query<{ n: number }>('select max(h.floor) as n from trail_heads as h'))[0]?.n ?? 0
  for (let i = 5; (await floor()) <= 5; i++) {
    await record(db, keyCreated(i))
    await pass()
  }
})

test('several replicas that sequence while many write make one log without gaps, forks or losses', async () => {
  const { db, record, clock, connect } = await open()
  const replicas = [1, 2, 3].map(() => connect())
  let isWriting = true
  const sequencers = replicas.map(async (replica) => {
    const pass = makeSequencer({ db: replica, clock, batchMax: 7 })
    while (isWriting) await pass()
  })
  const writers = Array.from({ length: 12 }, async (_, w) => {
    for (let i = 0; i < 40; i++) {
      const replica = replicas[w % 3] ?? never()
      const isUndone = (w + i) % 5 === 0
      await replica
        .inTx(async (tx) => {
          await record(tx, keyCreated(w * 100 + i))
          if (i % 7 === 0) await tx.query('select pg_sleep(0.01)')
          if (isUndone) throw new Error('undo')
        })
        .catch((cause: unknown) => {
          if (!isUndone) throw cause
        })
    }
  })
  await Promise.all(writers)
  isWriting = false
  await Promise.all(sequencers)
  const last = makeSequencer({ db: connect(), clock })
  await last()
  await expectWhole(db, (12 * 40 * 4) / 5)
})

test('a sequencer killed in the middle of a batch loses nothing', async () => {
  const { db, record, clock, connect, asSuperuser } = await open()
  for (let i = 0; i < 50; i++) await record(db, keyCreated(i))
  const doomed = connect()
  const pass = makeSequencer({
    db: {
      query: doomed.query,
      inTx: (work) =>
        doomed.inTx(async (tx) => {
          const value = await work(tx)
          await asSuperuser(
            `select pg_terminate_backend(a.pid) from pg_stat_activity as a
              where a.state = 'idle in transaction' and a.datname = current_database()`,
          )
          return value
        }),
    },
    clock,
  })
  await expect(pass()).rejects.toThrow()
  expect(await readLog(db)).toEqual([])
  expect(await makeSequencer({ db, clock })()).toBe(50)
  await expectWhole(db, 50)
})

test('numbers put in or taken out by hand stop the sequencer with an explanation instead of a fork', async () => {
  const { db, record, clock, asSuperuser } = await open()
  const pass = makeSequencer({ db, clock })
  await record(db, keyCreated(0))
  await record(db, keyCreated(1))
  await pass()
  await asSuperuser('alter table trail_sequence disable trigger all; delete from trail_sequence where number = 1')
  await record(db, keyCreated(2))
  await expect(pass()).rejects.toThrow('The trail has 1 numbers but its head counts 2')
})

test('a sequencer goes on when the database was set back to an older state under it', async () => {
  const { db, record, clock, asSuperuser } = await open()
  const pass = makeSequencer({ db, clock })
  for (let i = 0; i < 10; i++) {
    await record(db, keyCreated(i))
    await pass()
  }
  for (const table of ['trail_sequence', 'trail_heads', 'trail_entries'])
    await asSuperuser(
      `alter table ${table} disable trigger all; truncate ${table}; alter table ${table} enable trigger all`,
    )
  await asSuperuser("select setval('trail_arrival', 1, false)")
  await record(db, keyCreated(0))
  expect(await pass()).toBe(1)
  await expectWhole(db, 1)
})

test('health: an entry that waits five seconds for its number is told, and told no more once it has it', async () => {
  const { db, record, clock } = await open()
  const later = (ms: number) => ({ now: () => new Date(clock.now().getTime() + ms) })
  expect(await trailHealth({ db, clock })).toEqual({ isHealthy: true, unsequencedSeconds: 0 })
  await record(db, keyCreated(0))
  expect(await trailHealth({ db, clock: later(4999) })).toEqual({ isHealthy: true, unsequencedSeconds: 4.999 })
  expect(await trailHealth({ db, clock: later(5000) })).toEqual({ isHealthy: false, unsequencedSeconds: 5 })
  await makeSequencer({ db, clock })()
  expect(await trailHealth({ db, clock: later(60_000) })).toEqual({ isHealthy: true, unsequencedSeconds: 0 })
})

function never(): never {
  throw new Error('unreachable')
}
