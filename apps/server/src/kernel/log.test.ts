import pg from 'pg'
import { expect, test } from 'vitest'
import { testDatabase } from '../../test/database.ts'
import { makeLog } from './log.ts'

async function logged(cause: unknown): Promise<string> {
  const lines: string[] = []
  makeLog('debug', { write: (line) => lines.push(line) }).warn({ err: cause }, 'Something failed')
  return lines.join('')
}

test('of an error of the database the log has what failed where, and no value of any row', async () => {
  const database = await testDatabase()
  const client = new pg.Client(database.superuserUrl)
  await client.connect()
  try {
    await client.query('create table pets (name text primary key, age int check (age > 0))')
    await client.query(`insert into pets values ('a-private-name', 1)`)
    for (const text of [
      `insert into pets values ('a-private-name', 2)`,
      `insert into pets values ('a-private-name', -1)`,
    ]) {
      const line = await logged(await client.query(text).catch((cause: unknown) => cause))
      expect(JSON.parse(line)).toMatchObject({
        text: 'Something failed',
        err: { table: 'pets', code: expect.stringMatching(/^23/), message: expect.stringContaining('pets') },
      })
      expect(line).not.toContain('a-private-name')
    }
  } finally {
    await client.end()
    await database.drop()
  }
})

test('of a connection that broke the log has the reason, and neither the connection nor the key that cancels its queries', async () => {
  const database = await testDatabase()
  const pool = new pg.Pool({ connectionString: database.superuserUrl, max: 1 })
  const broken = new Promise<Error>((settle) => pool.once('error', settle))
  const { rows } = await pool.query<{ pid: number }>('select pg_backend_pid() as pid')
  const other = new pg.Client(database.superuserUrl)
  await other.connect()
  try {
    await other.query('select pg_terminate_backend($1)', [rows[0]?.pid])
    const cause = await broken
    expect(cause).toHaveProperty('client.secretKey')
    const line = await logged(cause)
    expect(JSON.parse(line)).toMatchObject({ level: 'warn', err: { message: expect.stringMatching(/terminat/) } })
    expect(line).not.toMatch(/secretKey|connectionParameters|password/)
  } finally {
    await other.end()
    await pool.end()
    await database.drop()
  }
})

test('what is no error is logged as it is', async () => {
  expect(JSON.parse(await logged('no room'))).toMatchObject({ err: 'no room' })
})
