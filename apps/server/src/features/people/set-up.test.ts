import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type TestServer, testServer } from '../../../test/server.ts'
import { Secret } from '../../kernel/crypto.ts'

const token = 'the set-up token of the tests'
const password = 'correct horse battery staple'
const headers = { 'x-requested-with': 'countersign' }

let database: TestDatabase
let servers: readonly TestServer[]

beforeEach(async () => {
  database = await testDatabase()
  servers = await Promise.all([0, 1].map(() => testServer({ databaseUrl: database.url })))
})
afterEach(async () => {
  for (const server of servers) await server.stop()
  await database.drop()
})

const [native, older] = ['/api/v2/setup', '/api/v1/setup'] as const
/** Through either door of either server. */
const setUp = (nth: number, given: string, email = `admin-${nth}@example.com`) => {
  const path = nth % 2 === 0 ? native : older
  const body = { email, password, [path === native ? 'token' : 'setup_token']: given }
  return server(nth % 3 === 0 ? 0 : 1).call('POST', path, { body, headers })
}
const server = (nth = 0): TestServer => {
  const one = servers[nth]
  if (!one) throw new Error('two were started')
  return one
}
const counts = async () => {
  const [row] = await server().db.query<{ people: number; tenants: number; keys: number }>(
    `select (select count(*) from people) as people, (select count(*) from tenants) as tenants,
            (select count(*) from signing_keys) as keys`,
  )
  return row
}

test('of twelve who set the server up at once through every door one succeeds, and from then on it is locked', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, (_, nth) => setUp(nth, token)))
  const statuses = answers.map((answer) => answer.status).toSorted()
  expect(statuses).toEqual([201, ...Array.from({ length: 11 }, () => 409)])
  expect(await counts()).toEqual({ people: 1, tenants: 1, keys: 1 })
  for (const path of [native, older]) {
    const body = { email: 'late@example.com', password, token, setup_token: token }
    const { token: _, ...forOlder } = body
    const { setup_token: __, ...forNative } = body
    const late = await server().call('POST', path, { body: path === native ? forNative : forOlder, headers })
    expect(late).toMatchObject({ status: 409, body: { detail: 'Server is already set up.' } })
  }
  expect(await counts()).toEqual({ people: 1, tenants: 1, keys: 1 })
})

test('without the token nobody sets the server up, guessing is limited, and the trail has it', async () => {
  for (const given of ['', 'a guess', `${token} `]) {
    for (const nth of [0, 1]) {
      const refused = await setUp(nth, given)
      expect(refused.status).toBe(403)
      expect(refused.body).toMatchObject({
        detail: 'The set-up token is wrong. It is in the link the server printed when it started.',
      })
    }
  }
  const missing = await server().call('POST', older, { body: { email: 'a@example.com', password }, headers })
  expect(missing.status).toBe(403)
  const statuses: number[] = []
  for (let nth = 0; nth < 20; nth += 1) statuses.push((await setUp(nth, 'a guess')).status)
  expect(statuses.at(-1)).toBe(429)
  expect(await counts()).toEqual({ people: 0, tenants: 0, keys: 0 })
  const refusals = await server().db.query<{ subject: string }>(
    `select distinct t.subject_id as subject from trail_entries as t where t.act = 'route.refused' order by 1`,
  )
  expect(refusals.map(({ subject }) => subject)).toEqual([`POST ${older}`, `POST ${native}`])
})

test('a short or odd password makes nobody', async () => {
  for (const odd of ['eleven char', '', 'with a NUL \0 in it', 'x'.repeat(1025)]) {
    const body = { email: 'a@example.com', password: odd, token }
    expect((await server().call('POST', native, { body, headers })).status, odd.slice(0, 20)).toBe(422)
  }
  expect(await counts()).toEqual({ people: 0, tenants: 0, keys: 0 })
})

test('the administrator of the environment is made while there is nobody, and a short password is told by both names', async () => {
  const { bootstrap } = server().app
  await expect(bootstrap('a@example.com', new Secret('eleven char'))).rejects.toThrow(
    /COUNTERSIGN_ADMIN_PASSWORD \(for COUNTERSIGN_ADMIN_EMAIL\) needs at least 12 characters\. No administrator was made\./,
  )
  expect(await bootstrap(undefined, undefined)).toBe('not given')
  expect(await counts()).toMatchObject({ people: 0 })
  const both = await Promise.all(servers.map(({ app }) => app.bootstrap('a@example.com', new Secret(password))))
  expect(both.toSorted()).toEqual(['made', 'not needed'])
  expect(await bootstrap('b@example.com', new Secret('short'))).toBe('not needed')
  expect(await counts()).toMatchObject({ people: 1 })
})
