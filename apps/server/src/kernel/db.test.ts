import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../test/database.ts'
import { type Db, openDb } from './db.ts'

let database: TestDatabase
let db: Db

beforeAll(async () => {
  database = await testDatabase()
  db = openDb({ url: database.url, applicationName: 'db test', connectionsMax: 2, onBrokenConnection: () => undefined })
})

afterAll(async () => {
  await db.end()
  await database.drop()
})

test('whatever the database’s own settings, no statement is compiled before it runs, and none runs for ever', async () => {
  const rows = await db.query<{ jit: string; timeout: string }>(
    `select current_setting('jit') as jit, current_setting('statement_timeout') as timeout`,
  )
  expect(rows).toEqual([{ jit: 'off', timeout: '1min' }])
})

test('what a transaction did is undone when it fails, and the connection serves the next', async () => {
  const failing = db.inTx(async (tx) => {
    await tx.query('create temporary table things (name text)')
    await tx.query(`insert into things values ('a')`)
    throw new Error('stop')
  })
  await expect(failing).rejects.toThrow('stop')
  expect(await db.query<{ is: boolean }>(`select to_regclass('things') is not null as is`)).toEqual([{ is: false }])
})
