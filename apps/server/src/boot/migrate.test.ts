import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { emptyDatabase, type TestDatabase, testDatabase } from '../../test/database.ts'
import { migrate, pendingMigrations } from './migrate.ts'

let database: TestDatabase
let folder: string
let warnings: string[]

beforeEach(async () => {
  database = await emptyDatabase()
  folder = await mkdtemp(join(tmpdir(), 'countersign-migrations-'))
  warnings = []
  await file('grants.sql', 'grant select, insert on all tables in schema public to :"app_role";')
  await file('0001_people.sql', 'create table people (id int primary key);')
})

afterEach(async () => {
  await database.drop()
  await rm(folder, { recursive: true })
})

test('each file runs once, in the order of its number', async () => {
  await file('0002_names.sql', `alter table people add name text; insert into people values (1, 'Ada');`)
  expect(await run()).toEqual(['0001_people.sql', '0002_names.sql'])
  expect(await run()).toEqual([])
  expect(await query('select name from people')).toEqual([{ name: 'Ada' }])
})

test('of three replicas that start at once one migrates and the others find it done', async () => {
  const ran = await Promise.all([run(), run(), run()])
  expect(ran.flat()).toEqual(['0001_people.sql'])
})

test('a file that fails leaves nothing behind, is named with its line, and runs when it is mended', async () => {
  await file('0002_half.sql', 'create table half (id int);\n\ncreate table half_of (id nonsense);')
  await expect(run()).rejects.toThrow(/0002_half\.sql failed and was undone: .*nonsense.*\(line 3\)/)
  expect(await query(`select to_regclass('half') as half, to_regclass('people') as people`)).toEqual([
    { half: null, people: 'people' },
  ])
  await file('0002_half.sql', 'create table half (id int);')
  expect(await run()).toEqual(['0002_half.sql'])
})

test('a file changed after it ran is refused by name and the database stays as it was', async () => {
  await run()
  await file('0001_people.sql', 'create table people (id int primary key); -- changed')
  await file('0002_more.sql', 'create table more (id int);')
  await expect(run()).rejects.toThrow(/0001_people\.sql was changed/)
  expect(await query(`select to_regclass('more') as more`)).toEqual([{ more: null }])
})

test('a checkout with other line ends is the same migration', async () => {
  await file('0002_lines.sql', 'create table a (\nid int\n);\n')
  await run()
  await file('0002_lines.sql', 'create table a (\r\nid int\r\n);\r\n')
  expect(await run()).toEqual([])
})

test('a file that ends its own transaction is refused', async () => {
  await file('0002_commits.sql', 'create table early (id int); commit; create table late (id int);')
  await expect(run()).rejects.toThrow(/0002_commits\.sql .*ends the transaction/)
})

test('a new file below the last one that ran is refused', async () => {
  await file('0003_third.sql', 'select 1;')
  await run()
  await file('0002_second.sql', 'select 1;')
  await expect(run()).rejects.toThrow(/0002_second\.sql is new, but this database has already run 0003_third\.sql/)
})

test('an older release starts on a newer database, says so, and changes nobody’s rights', async () => {
  await file('0002_newer.sql', 'create table only_grows (id int);')
  await file('grants.sql', 'grant select, insert on only_grows to :"app_role"; grant update on people to :"app_role";')
  await run()
  await rm(join(folder, '0002_newer.sql'))
  await file(
    'grants.sql',
    'revoke all on people from :"app_role"; grant select, delete on all tables in schema public to :"app_role";',
  )
  expect(await run()).toEqual([])
  expect(warnings).toEqual(['The database was migrated by a newer release than this one'])
  await query('insert into only_grows values (1); update people set id = 1', database.url)
  await expect(query('delete from only_grows', database.url)).rejects.toThrow(/permission denied/)
})

test('a database of another line of releases is refused', async () => {
  await file('0002_theirs.sql', 'select 1;')
  await file('0003_third.sql', 'select 1;')
  await run()
  await rm(join(folder, '0002_theirs.sql'))
  await expect(run()).rejects.toThrow(/0002_theirs\.sql, which this release does not have/)
})

test('two files with one number and files with odd names are refused', async () => {
  await file('0001_places.sql', 'select 1;')
  await expect(run()).rejects.toThrow(/number of 0001_places\.sql/)
  await rm(join(folder, '0001_places.sql'))
  await file('2_short.sql', 'select 1;')
  await expect(run()).rejects.toThrow(/2_short\.sql is not named like a migration/)
})

test('pending migrations are those the database has not seen', async () => {
  await run()
  await file('0002_next.sql', 'select 1;')
  const asServer = (text: string) => query<{ name: string; checksum: string }>(text, database.superuserUrl)
  expect(await pendingMigrations(asServer, folder)).toEqual(['0002_next.sql'])
})

test('the server may do what grants.sql says and nothing else, also with a table made later', async () => {
  await run()
  await file('0002_later.sql', 'create table later (id int);')
  await run()
  await query('insert into later values (1)', database.url)
  for (const attack of [
    'update later set id = 2',
    'delete from later',
    'truncate later',
    'drop table later',
    'alter table later add x int',
    'create table mine (id int)',
    'set role countersign_test_owner',
  ]) {
    await expect(query(attack, database.url), attack).rejects.toThrow(/permission denied|must be owner/)
  }
})

test('a server that is its own owner is told what that means', async () => {
  await migrate({ ownerUrl: database.ownerUrl, appUrl: database.ownerUrl, folder, log: log() })
  expect(warnings.join()).toMatch(/runs as the owner .*COUNTERSIGN_MIGRATE_DATABASE_URL/)
})

test('a role the database does not know is named before anything is changed', async () => {
  const appUrl = database.url.replace('countersign_test_app', 'countersign_test_unknown')
  await expect(migrate({ ownerUrl: database.ownerUrl, appUrl, folder, log: log() })).rejects.toThrow(
    /does not let the server in: .*countersign_test_unknown/,
  )
  expect(await query(`select to_regclass('people') as people`)).toEqual([{ people: null }])
})

test('a database that is not there is told with the variable that names it, without its password', async () => {
  for (const host of ['127.0.0.1', 'localhost']) {
    const nowhere = `postgres://app:a-password@${host}:1/x`
    const refused = await migrate({ ownerUrl: nowhere, appUrl: nowhere, folder, log: log() }).catch(String)
    expect(refused).toMatch(/cannot be reached for the server: .*ECONNREFUSED.*port of COUNTERSIGN_DATABASE_URL/)
    expect(refused).not.toContain('a-password')
  }
})

test('with the real migrations the server can write neither the bookkeeping nor any table definition', async () => {
  const real = await testDatabase()
  try {
    expect(await pendingMigrations((text) => query(text, real.url))).toEqual([])
    for (const attack of [
      `insert into schema_migrations values ('9999_x.sql', 'x')`,
      'delete from schema_migrations',
      'drop table schema_migrations',
      'create table pgboss.mine (id int)',
      'delete from pgboss.version',
    ]) {
      await expect(query(attack, real.url), attack).rejects.toThrow(/permission denied|must be owner/)
    }
  } finally {
    await real.drop()
  }
})

function file(name: string, text: string): Promise<void> {
  return writeFile(join(folder, name), text)
}

function run(): Promise<readonly string[]> {
  return migrate({ ownerUrl: database.ownerUrl, appUrl: database.url, folder, log: log() })
}

function log() {
  return { info: () => {}, warn: (_fields: object, text: string) => void warnings.push(text) }
}

async function query<Row extends object>(text: string, url = database.superuserUrl): Promise<Row[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}
