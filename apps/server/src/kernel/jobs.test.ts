import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type TestDatabase, testDatabase } from '../../test/database.ts'
import { createJobs, defineQueue, type Jobs } from './jobs.ts'

let database: TestDatabase
let client: pg.Client
let now = new Date('2026-03-01T12:00:00Z')
const opened: Jobs[] = []
const errors: string[] = []

beforeAll(async () => {
  database = await testDatabase()
  client = new pg.Client(database.url)
  await client.connect()
})

afterEach(async () => {
  await Promise.all(opened.splice(0).map((jobs) => jobs.stop()))
  errors.length = 0
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

const letters = defineQueue<{ readonly to: string }>('letters', { retries: 2, retrySeconds: 0 })

test('a job enqueued in a transaction that commits is done once', async () => {
  const got: string[] = []
  const jobs = open()
  jobs.work(letters, async ({ to }) => void got.push(to))
  await jobs.start()
  await inTransaction('commit', () => jobs.enqueue(sql, letters, { to: 'Ada' }))
  await vi.waitFor(() => expect(got).toEqual(['Ada']))
  await jobs.stop()
  expect(await states()).toEqual([{ state: 'completed' }])
})

test('a job enqueued in a transaction that rolls back never existed', async () => {
  const jobs = open()
  await inTransaction('rollback', () => jobs.enqueue(sql, letters, { to: 'nobody' }))
  expect(await states(`where data->>'to' = 'nobody'`)).toEqual([])
})

test('a replica that only enqueues needs no start and no worker', async () => {
  const jobs = open()
  await inTransaction('commit', () => jobs.enqueue(sql, defineQueue<{ a: number }>('elsewhere'), { a: 1 }))
  expect(await states(`where name = 'elsewhere'`)).toEqual([{ state: 'created' }])
})

test('a failing job is tried again, counted, and reported as an error when it failed for good', async () => {
  const flaky = defineQueue<{ a: number }>('flaky', { retries: 1, retrySeconds: 0 })
  const attempts: number[] = []
  const jobs = open()
  jobs.work(flaky, async (_payload, { attempt }) => {
    attempts.push(attempt)
    throw new Error('Slack is away')
  })
  await jobs.start()
  await inTransaction('commit', () => jobs.enqueue(sql, flaky, { a: 1 }))
  await vi.waitFor(() => expect(attempts).toEqual([1, 2]), 15_000)
  await vi.waitFor(async () =>
    expect(await jobs.health()).toContainEqual({
      queue: 'flaky',
      lastSuccessAt: null,
      lastFailureAt: now,
      consecutiveFailures: 2,
    }),
  )
  expect(errors).toEqual(['A job failed and will be tried again', 'A job failed for good'])
})

test('one success ends a row of failures, and every replica knows', async () => {
  const mended = defineQueue<{ a: number }>('mended', { retries: 3, retrySeconds: 0 })
  const jobs = open()
  jobs.work(mended, async (_payload, { attempt }) => {
    if (attempt === 1) throw new Error('not yet')
    now = new Date('2026-03-01T12:00:07Z')
  })
  await jobs.start()
  await inTransaction('commit', () => jobs.enqueue(sql, mended, { a: 1 }))
  const other = open()
  await vi.waitFor(
    async () =>
      expect(await other.health()).toContainEqual(
        expect.objectContaining({ queue: 'mended', lastSuccessAt: now, consecutiveFailures: 0 }),
      ),
    15_000,
  )
})

test('of a sweep no second one waits', async () => {
  const sweep = defineQueue<{ a: number }>('sweep', { isSweep: true })
  const jobs = open()
  for (const a of [1, 2, 3]) await inTransaction('commit', () => jobs.enqueue(sql, sweep, { a }))
  expect(await states(`where name = 'sweep'`)).toEqual([{ state: 'created' }])
})

test('stopping waits for the job that runs', async () => {
  const slow = defineQueue<{ a: number }>('slow')
  let isRunning = false
  let finish = (): void => {}
  const jobs = open()
  jobs.work(slow, async () => {
    isRunning = true
    await new Promise<void>((settle) => (finish = settle))
  })
  await jobs.start()
  await inTransaction('commit', () => jobs.enqueue(sql, slow, { a: 1 }))
  await vi.waitFor(() => expect(isRunning).toBe(true))
  const stopping = jobs.stop()
  finish()
  await stopping
  expect(await states(`where name = 'slow'`)).toEqual([{ state: 'completed' }])
  await expect(jobs.enqueue(sql, slow, { a: 2 })).rejects.toThrow('Jobs were stopped')
})

test('a schedule is kept in the database, in UTC, and changes with the release', async () => {
  const nightly = defineQueue<{ days: number }>('nightly', { isSweep: true })
  const first = open()
  first.schedule(nightly, '15 3 * * *', { days: 30 })
  await first.start()
  const second = open()
  second.schedule(nightly, '45 4 * * *', { days: 60 })
  await second.start()
  const { rows } = await client.query(`select cron, timezone, data from pgboss.schedule where name = 'nightly'`)
  expect(rows).toEqual([{ cron: '45 4 * * *', timezone: 'UTC', data: { days: 60 } }])
})

test('a start that fails says why, and the next one is a new try', async () => {
  const away = createJobs({ ...needs(), url: database.url.replace(/:\d+\//, ':1/') })
  await expect(away.health()).rejects.toThrow(/ECONNREFUSED/)
  await expect(away.health()).rejects.toThrow(/ECONNREFUSED/)
})

function open(): Jobs {
  const jobs = createJobs({ ...needs(), url: database.url })
  opened.push(jobs)
  return jobs
}

function needs() {
  const told = (_fields: object, text: string) => void errors.push(text)
  return { clock: { now: () => now }, log: { warn: told, error: told } }
}

const sql = {
  query: async <Row extends object>(text: string, values?: readonly unknown[]): Promise<Row[]> =>
    (await client.query<Row>(text, values ? [...values] : [])).rows,
}

async function inTransaction(end: 'commit' | 'rollback', work: () => Promise<void>): Promise<void> {
  await client.query('begin')
  await work()
  await client.query(end)
}

async function states(where = ''): Promise<object[]> {
  return (await client.query(`select state from pgboss.job ${where}`)).rows
}
