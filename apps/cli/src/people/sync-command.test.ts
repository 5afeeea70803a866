import { afterAll, beforeAll, expect, test } from 'vitest'
import { knowSecrets } from '../../../server/src/boot/known-secrets.ts'
import { makeKeyring } from '../../../server/src/kernel/crypto.ts'
import { type TestDatabase, testDatabase } from '../../../server/test/database.ts'
import { type TestServer, type TestTenant, testServer } from '../../../server/test/server.ts'
import { peopleCommand } from './people-command.ts'

const sealKey = '5'.repeat(64)

let database: TestDatabase
let server: TestServer
let acme: TestTenant

beforeAll(async () => {
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
  await knowSecrets(server.db, new Date(), { COUNTERSIGN_SEAL_KEY: makeKeyring([sealKey]) })
  acme = await server.newTenant('acme')
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

type Lists = Readonly<Record<string, string>>

async function run(args: readonly string[], lists: Lists) {
  const out = { text: '', code: 0 }
  const command = peopleCommand({
    env: { COUNTERSIGN_SEAL_KEY: sealKey, ...lists },
    print: (text) => {
      out.text += text
    },
    complain: (text) => {
      out.text += text
    },
    fail: () => {
      out.code = 1
    },
  })
  await command.parseAsync(['sync', '--database', database.url, ...args], { from: 'user' })
  return out
}

const rolesOf = async (email: string): Promise<string> =>
  (
    await server.db.query<{ held: string }>(
      `select g.role || coalesce('@' || g.environment, '') as held
         from people as p join role_grants as g on g.tenant_id = p.tenant_id and g.person_id = p.id
        where p.email = $1 and p.removed_at is null order by 1`,
      [email],
    )
  )
    .map(({ held }) => held)
    .join(' ')

const entries = async (): Promise<number> =>
  (await server.db.query<{ count: number }>(`select count(*) as count from trail_entries`))[0]?.count ?? 0

test('whoever is named gets exactly the roles of the lists, whoever is not keeps theirs, and a dry run changes nothing', async () => {
  const eve = await server.newPerson(acme, [
    { role: 'viewer', environment: null },
    { role: 'approver', environment: 'production' },
  ])
  const bob = await server.newPerson(acme, [{ role: 'admin', environment: null }])
  const carl = await server.newPerson(acme, [{ role: 'deployer', environment: null }])
  const lists = {
    ADMIN_USERS: `${acme.email},${eve.email}`,
    OPERATIONS_USERS: eve.email,
    COUNTERSIGN_VIEWERS: `${bob.email},new@example.com`,
  }
  const before = await entries()
  const tried = await run(['--dry-run'], lists)
  expect(tried.code).toBe(0)
  expect(tried.text).toContain(`${eve.email}: viewer → admin, ops\n`)
  expect(tried.text).toContain('Nothing was done')
  expect([await rolesOf(eve.email), await rolesOf('new@example.com'), await entries()]).toEqual([
    'approver@production viewer',
    '',
    before,
  ])

  const done = await run(['--json'], lists)
  expect(done.code).toBe(0)
  const answer = JSON.parse(done.text) as { readonly people: readonly { email: string; outcome: string }[] }
  expect(Object.fromEntries(answer.people.map(({ email, outcome }) => [email, outcome]))).toEqual({
    [acme.email]: 'unchanged',
    [eve.email]: 'changed',
    [bob.email]: 'changed',
    'new@example.com': 'added',
  })
  expect(await rolesOf(eve.email)).toBe('admin approver@production ops')
  expect(await rolesOf(bob.email)).toBe('viewer')
  expect(await rolesOf(carl.email)).toBe('deployer')
  expect(await rolesOf('new@example.com')).toBe('viewer')
  // What one may do is asked anew with each request, so a session that was open may no more than the lists say.
  expect((await server.call('GET', '/api/v2/settings', { cookie: bob.cookie })).status).toBe(403)
  const recorded = await server.db.query<{ act: string; actor: string }>(
    `select e.act, convert_from(e.bytes, 'UTF8')::jsonb -> 'actor' ->> 'credential' as actor from trail_entries as e
      where e.act in ('person.changed', 'person.seeded') order by e.arrival desc limit 3`,
  )
  expect(recorded.map(({ act }) => act).toSorted()).toEqual(['person.changed', 'person.changed', 'person.seeded'])
  expect(new Set(recorded.map(({ actor }) => actor))).toEqual(new Set(['server_machine']))

  const again = await entries()
  expect((await run([], lists)).code).toBe(0)
  expect(await entries()).toBe(again)
})

test('the last administrator stays one, who was removed stays removed, and both are told with exit code 1', async () => {
  const gone = await server.newPerson(acme, [{ role: 'viewer', environment: null }])
  await server.call('DELETE', `/api/v2/people/${gone.person}`, { cookie: acme.cookie })
  for (const { email } of await server.db.query<{ email: string }>(
    `select p.email from people as p join role_grants as g on g.tenant_id = p.tenant_id and g.person_id = p.id
      where g.role = 'admin' and p.email <> $1`,
    [acme.email],
  )) {
    await run([], { COUNTERSIGN_VIEWERS: email })
  }
  const done = await run([], { COUNTERSIGN_VIEWERS: `${acme.email},${gone.email}` })
  expect(done.code).toBe(1)
  expect(done.text).toContain(`${acme.email}: stays admin, viewer: the last administrator keeps that role.`)
  expect(done.text).toContain(`${gone.email}: was removed by somebody, and stays removed.`)
  expect(await rolesOf(gone.email)).toBe('')
  await expect(run([], {})).rejects.toThrow('The environment names nobody.')
})
