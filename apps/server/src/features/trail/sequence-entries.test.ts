import { type RecordedEntry, readEntry, verifyEntries } from '@countersign/trail'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import type { Sql } from '../../kernel/db.ts'
import { recordAct } from './record-act.ts'
import { makeSequencer } from './sequence-entries.ts'
import { trailHealth } from './trail-health.ts'

const clock = { now: () => new Date('2026-02-28T10:00:00.123Z') }
const databases: TestDatabase[] = []
const pools: pg.Pool[] = []
let counter = 0
const newId = () => `0190f5a0-0000-7000-8000-${(++counter).toString(16).padStart(12, '0')}`
// The sealing at rest is the kernel's and tested there; here a key is kept as it is.
const sealing = { seal: (_name: string, key: Uint8Array) => key, open: (_name: string, sealed: Uint8Array) => sealed }
const record = recordAct({ clock, newId, sealing })

const sqlOf = (client: pg.Pool | pg.PoolClient): Sql => ({
  query: async (text: string, values: readonly unknown[] = []) => (await client.query(text, [...values])).rows,
})

type Opened = {
  pool: pg.Pool
  db: Sql
  inTx: <Value>(work: (tx: Sql) => Promise<Value>) => Promise<Value>
  database: TestDatabase
}

async function open(): Promise<Opened> {
  const database = await testDatabase()
  databases.push(database)
  return { ...connect(database.url), database }
}

function connect(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 20 })
  pool.on('error', () => undefined)
  pools.push(pool)
  const inTx = async <Value>(work: (tx: Sql) => Promise<Value>): Promise<Value> => {
    const client = await pool.connect()
    client.on('error', () => undefined)
    try {
      await client.query('begin')
      const value = await work(sqlOf(client))
      await client.query('commit')
      return value
    } catch (cause) {
      await client.query('rollback')
      throw cause
    } finally {
      client.release()
    }
  }
  return { pool, db: sqlOf(pool), inTx }
}

afterAll(async () => {
  for (const pool of pools) await pool.end()
  for (const database of databases) await database.drop()
})

const act = (n: number) =>
  ({
    tenant: '0190f5a0-0000-7000-9000-000000000001',
    act: 'key.created',
    actor: { kind: 'person', id: 'p1' },
    subject: { kind: 'key', id: `k${n}` },
  }) as const

async function readLog(db: Sql): Promise<readonly RecordedEntry[]> {
  const rows = await db.query<{ number: string; bytes: Uint8Array; leafHash: Uint8Array }>(
    `select s.number::text, e.bytes, e.leaf_hash as "leafHash" from trail_sequence as s join trail_entries as e on e.id = s.entry_id order by s.number`,
  )
  return rows.map((row) => ({ ...row, number: Number(row.number) }))
}

async function readHeads(db: Sql) {
  const rows = await db.query<{ size: string; root: Uint8Array }>(
    'select h.size::text, h.root from trail_heads as h order by h.size',
  )
  return rows.map((row) => ({ ...row, size: Number(row.size) }))
}

async function expectWhole(db: Sql, count: number): Promise<void> {
  const found = verifyEntries(await readLog(db), { heads: await readHeads(db) })
  expect(found.faults).toEqual([])
  expect(found.entries).toBe(count)
  expect((await readHeads(db)).at(-1)?.size ?? 0).toBe(count)
}

test('committed entries get numbers from 0 without gaps, in the order they were written, and each batch a head', async () => {
  const { db, inTx } = await open()
  const pass = makeSequencer({ db, inTx, clock })
  expect(await pass()).toBe(0)
  for (let i = 0; i < 5; i++) await record(db, act(i))
  expect(await pass()).toBe(5)
  for (let i = 5; i < 8; i++) await record(db, act(i))
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
  const { db, inTx } = await open()
  const pass = makeSequencer({ db, inTx, clock })
  await record(db, act(0))
  await expect(
    inTx(async (tx) => {
      await record(tx, act(1))
      throw new Error('undo')
    }),
  ).rejects.toThrow('undo')
  await record(db, act(2))
  expect(await pass()).toBe(2)
  await expectWhole(db, 2)
})

test('an entry whose transaction commits long after later ones is numbered then, however many passes went by', async () => {
  const { db, inTx } = await open()
  const pass = makeSequencer({ db, inTx, clock })
  const fresh = makeSequencer({ db, inTx, clock })
  await inTx(async (slow) => {
    await record(slow, act(0))
    for (let i = 1; i <= 200; i++) {
      await record(db, act(i))
      expect(await pass()).toBe(1)
    }
    for (let i = 0; i < 10; i++) expect(await pass()).toBe(0)
    await expectWhole(db, 200)
  })
  expect(await fresh()).toBe(1)
  expect(await pass()).toBe(0)
  await record(db, act(201))
  expect(await pass()).toBe(1)
  await expectWhole(db, 202)
})

test('an arrival handed out long before its entry is inserted does not slip below the floor', async () => {
  const { db, inTx } = await open()
  const pass = makeSequencer({ db, inTx, clock })
  await inTx(async (slow) => {
    // The worst moment to be interrupted: the number is taken, the row is not there yet.
    const [taken] = await slow.query<{ arrival: string }>('select trail_next_arrival()::text as arrival')
    expect(taken?.arrival).toBe('1')
    for (let i = 0; i < 5; i++) {
      await record(db, act(i))
      await pass()
    }
    const before = await readHeads(db)
    const [head] = await db.query<{ floor: string }>('select max(h.floor)::text as floor from trail_heads as h')
    expect(head?.floor).toBe('0')
    expect(before).toHaveLength(5)
  })
  for (let i = 5; i < 9; i++) {
    await record(db, act(i))
    await pass()
  }
  const [head] = await db.query<{ floor: string }>('select max(h.floor)::text as floor from trail_heads as h')
  expect(Number(head?.floor)).toBeGreaterThan(5)
})

test('several replicas that sequence while many write make one log without gaps, forks or losses', async () => {
  const { db, database } = await open()
  const replicas = [1, 2, 3].map(() => connect(database.url))
  let isWriting = true
  const sequencers = replicas.map(async (replica) => {
    const pass = makeSequencer({ ...replica, clock, batchMax: 7 })
    while (isWriting) await pass()
  })
  const writers = Array.from({ length: 12 }, async (_, w) => {
    for (let i = 0; i < 40; i++) {
      const { inTx } = replicas[w % 3] ?? replicas[0] ?? never()
      const isUndone = (w + i) % 5 === 0
      await inTx(async (tx) => {
        await record(tx, act(w * 100 + i))
        if (i % 7 === 0) await tx.query('select pg_sleep(0.01)')
        if (isUndone) throw new Error('undo')
      }).catch((cause: unknown) => {
        if (!isUndone) throw cause
      })
    }
  })
  await Promise.all(writers)
  isWriting = false
  await Promise.all(sequencers)
  const last = makeSequencer({ ...connect(database.url), clock })
  await last()
  await expectWhole(db, (12 * 40 * 4) / 5)
})

test('a sequencer killed in the middle of a batch loses nothing', async () => {
  const { db, inTx, database } = await open()
  for (let i = 0; i < 50; i++) await record(db, act(i))
  const doomed = connect(database.url)
  const superuser = new pg.Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  const pass = makeSequencer({
    db: doomed.db,
    clock,
    inTx: (work) =>
      doomed.inTx(async (tx) => {
        const value = await work(tx)
        await superuser.query(
          'select pg_terminate_backend(a.pid) from pg_stat_activity as a where a.state = $1 and a.datname = current_database()',
          ['idle in transaction'],
        )
        return value
      }),
  })
  await expect(pass()).rejects.toThrow()
  await superuser.end()
  expect(await readLog(db)).toEqual([])
  expect(await makeSequencer({ db, inTx, clock })()).toBe(50)
  await expectWhole(db, 50)
})

test('numbers put in or taken out by hand stop the sequencer with an explanation instead of a fork', async () => {
  const { db, inTx, database } = await open()
  const pass = makeSequencer({ db, inTx, clock })
  await record(db, act(0))
  await record(db, act(1))
  await pass()
  const superuser = new pg.Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  await superuser.query('alter table trail_sequence disable trigger all; delete from trail_sequence where number = 1')
  await superuser.end()
  await record(db, act(2))
  await expect(pass()).rejects.toThrow('The trail has 1 numbers but its head counts 2')
})

test('a sequencer goes on when the database was set back to an older state under it', async () => {
  const { db, inTx, database } = await open()
  const pass = makeSequencer({ db, inTx, clock })
  for (let i = 0; i < 10; i++) {
    await record(db, act(i))
    await pass()
  }
  const superuser = new pg.Client({ connectionString: database.superuserUrl })
  await superuser.connect()
  for (const table of ['trail_sequence', 'trail_heads', 'trail_entries'])
    await superuser.query(
      `alter table ${table} disable trigger all; truncate ${table}; alter table ${table} enable trigger all`,
    )
  await superuser.query("select setval('trail_arrival', 1, false)")
  await superuser.end()
  await record(db, act(0))
  expect(await pass()).toBe(1)
  await expectWhole(db, 1)
})

test('health: an entry that waits five seconds for its number is told, and told no more once it has it', async () => {
  const { db, inTx } = await open()
  const later = (ms: number) => ({ now: () => new Date(clock.now().getTime() + ms) })
  expect(await trailHealth({ db, clock })).toEqual({ isHealthy: true, unsequencedSeconds: 0 })
  await record(db, act(0))
  expect(await trailHealth({ db, clock: later(4999) })).toEqual({ isHealthy: true, unsequencedSeconds: 4.999 })
  expect(await trailHealth({ db, clock: later(5000) })).toEqual({ isHealthy: false, unsequencedSeconds: 5 })
  await makeSequencer({ db, inTx, clock })()
  expect(await trailHealth({ db, clock: later(60_000) })).toEqual({ isHealthy: true, unsequencedSeconds: 0 })
})

function never(): never {
  throw new Error('unreachable')
}
