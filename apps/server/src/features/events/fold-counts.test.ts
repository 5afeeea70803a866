import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type Db, openDb } from '../../kernel/db.ts'
import { foldCounts } from './fold-counts.ts'

let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await testDatabase()
  db = openDb({
    url: database.url,
    applicationName: 'fold-counts',
    connectionsMax: 3,
    onBrokenConnection: () => undefined,
  })
})
afterAll(async () => {
  await db.end()
  await database.drop()
})

const tenant = '00000000-0000-7000-8000-000000000001'

/** Enough to fill more pages than are kept, all of one cell. */
const many = 150_000

async function wait(count: number): Promise<void> {
  await db.query(
    `insert into event_count_changes (tenant_id, minute, environment, agent, tool, verdict, mode, rule, count)
     select $1, timestamptz '2026-01-01 00:00Z', 1, 2, 3, 4, 5, 0, 1 from generate_series(1, $2::int)`,
    [tenant, count],
  )
}

async function kilobytes(): Promise<number> {
  const [row] = await db.query<{ size: number }>(`select (pg_relation_size('event_count_changes') / 1024)::int as size`)
  return row?.size ?? -1
}

async function counted(): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select sum(c.count)::int as count from event_counts as c where c.cube = 4 and c.level = 2`,
  )
  return row?.count ?? 0
}

test('what a long wait leaves empty is given back once all is folded and nobody reads it', async () => {
  const fold = foldCounts({ db, clock: { now: () => new Date(Date.UTC(2026, 0, 2)) } })
  await wait(many)
  const full = await kilobytes()
  expect(full).toBeGreaterThan(8 * 1024)

  const reader = await db.connect()
  await reader.query('begin')
  await reader.query('select count(*) from event_count_changes')
  await fold()
  expect(await counted()).toBe(many)
  await fold()
  expect(await kilobytes()).toBe(full)

  await reader.query('commit')
  await reader.end()
  await fold()
  expect(await kilobytes()).toBe(0)

  // What comes in again is counted as ever, and nothing that still waits is lost.
  await wait(many)
  await fold()
  await wait(1)
  await fold()
  expect(await kilobytes()).toBe(full)
  expect(await counted()).toBe(2 * many)
})

test('it is given back also where somebody reads it at every moment', async () => {
  const fold = foldCounts({ db, clock: { now: () => new Date(Date.UTC(2026, 0, 2)) } })
  await wait(many)
  await fold()
  await expect
    .poll(
      async () => {
        const reader = await db.connect()
        await reader.query('begin')
        await reader.query('select count(*) from event_count_changes')
        let isOver = false
        const folding = fold().finally(() => {
          isOver = true
        })
        // The count ends once somebody waits for it.
        for (;;) if (isOver || (await isAwaited())) break
        await reader.query('commit')
        await reader.end()
        await folding
        return kilobytes()
      },
      { timeout: 30_000, interval: 0 },
    )
    .toBe(0)
})

async function isAwaited(): Promise<boolean> {
  const [row] = await db.query<{ awaited: boolean }>(
    `select exists (select from pg_locks where relation = 'event_count_changes'::regclass and not granted) as awaited`,
  )
  return row?.awaited === true
}
