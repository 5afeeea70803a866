import pg from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { testDatabase } from './database.ts'
import { ownerRole, prepareServer } from './test-server.ts'

// The harness keeps a promise too: every file has a database of its own, and killed runs leave nothing behind.

let superuser: pg.Client

beforeAll(async () => {
  superuser = new pg.Client(inject('testServer').superuserUrl)
  await superuser.connect()
})

afterAll(() => superuser.end())

test('two databases share nothing, and are gone when dropped, even while somebody is connected', async () => {
  const [one, two] = await Promise.all([testDatabase(), testDatabase()])
  const owner = new pg.Client(one.ownerUrl)
  owner.on('error', () => {})
  await owner.connect()
  await owner.query('create table only_here (id int)')
  const other = new pg.Client(two.ownerUrl)
  await other.connect()
  expect((await other.query(`select to_regclass('only_here') as found`)).rows).toEqual([{ found: null }])
  await other.end()
  const names = [one, two].map(({ url }) => new URL(url).pathname.slice(1))
  await Promise.all([one.drop(), two.drop()])
  expect(await existing(names)).toEqual([])
})

test('what a killed run left is dropped by the next one, and what a living run uses is not', async () => {
  // No process has this number: Linux and macOS stop below it.
  const dead = 'countersign_test_99999999_0badc0de'
  const alive = `countersign_test_${process.pid}_0badc0de`
  for (const name of [dead, alive]) await superuser.query(`create database ${name} owner ${ownerRole}`)
  const { template } = await prepareServer(inject('testServer').superuserUrl)
  expect(await existing([dead, alive, template])).toEqual([alive, template].toSorted())
  await superuser.query(`drop database ${alive}`)
})

test('a server of another version than the lane is for is refused', async () => {
  await expect(prepareServer(inject('testServer').superuserUrl, '9')).rejects.toThrow(
    /lane is for PostgreSQL 9; the server is/,
  )
})

async function existing(names: readonly string[]): Promise<string[]> {
  const { rows } = await superuser.query<{ name: string }>(
    'select d.datname as name from pg_database as d where d.datname = any($1) order by 1',
    [names],
  )
  return rows.map(({ name }) => name)
}
