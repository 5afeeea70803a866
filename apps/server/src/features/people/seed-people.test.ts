import { afterEach, beforeEach, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type TestServer, testServer } from '../../../test/server.ts'

let database: TestDatabase
let servers: TestServer[]

beforeEach(async () => {
  database = await testDatabase()
  servers = []
})
afterEach(async () => {
  for (const server of servers) await server.stop()
  await database.drop()
})

const provider = JSON.stringify([
  { name: 'idp', issuer: 'http://127.0.0.1:9', client_id: 'countersign', client_secret: 'a secret between us' },
])

/** A server with this environment, after what it does when it starts. */
async function started(environment: Readonly<Record<string, string>>): Promise<TestServer> {
  const server = await testServer({ databaseUrl: database.url, environment })
  servers.push(server)
  await server.app.bootstrap(undefined, undefined)
  return server
}

const people = async (server: TestServer) =>
  server.db.query<{ email: string; roles: string; joined: boolean }>(
    `select p.email, string_agg(g.role, ' ' order by g.role) as roles, p.joined_at is not null as joined
       from people as p left join role_grants as g on g.tenant_id = p.tenant_id and g.person_id = p.id
      where p.removed_at is null group by p.tenant_id, p.id order by p.email`,
  )
const acts = async (server: TestServer) =>
  (
    await server.db.query<{ act: string }>(
      `select e.act from trail_entries as e where e.act like 'person.%' or e.act = 'tenant.created' order by e.at, e.id`,
    )
  ).map(({ act }) => act)

test('with a provider to sign in at, the first administrator named makes the tenant and needs no set-up by hand', async () => {
  const server = await started({
    ADMIN_USERS: 'Ada@example.com, bob@example.com',
    OPERATIONS_USERS: 'bob@example.com',
    COUNTERSIGN_OIDC_PROVIDERS: provider,
  })
  expect(await people(server)).toEqual([
    { email: 'ada@example.com', roles: 'admin', joined: true },
    { email: 'bob@example.com', roles: 'admin ops', joined: false },
  ])
  expect(await acts(server)).toEqual(['tenant.created', 'person.seeded'])
  expect(await server.app.bootstrap(undefined, undefined)).toBe('not needed')
})

test('without a provider nobody could sign in, so nothing is made and setting up is asked for', async () => {
  const server = await started({ ADMIN_USERS: 'ada@example.com' })
  expect(await people(server)).toEqual([])
  expect(await server.app.bootstrap(undefined, undefined)).toBe('not given')
})

test('nobody is changed: other roles stay and are on record, who was removed stays removed, two servers add each once', async () => {
  const first = await started({})
  const acme = await first.newTenant('acme')
  const viewer = await first.newPerson(acme, [{ role: 'viewer', environment: null }])
  const gone = await first.newPerson(acme, [{ role: 'viewer', environment: null }])
  expect((await first.call('DELETE', `/api/v2/people/${gone.person}`, { cookie: acme.cookie })).status).toBeLessThan(
    300,
  )
  const environment = {
    COUNTERSIGN_ADMINS: `${viewer.email},new@example.com`,
    VIEWER_USERS: gone.email,
    COUNTERSIGN_OIDC_PROVIDERS: provider,
  }
  await Promise.all([started(environment), started(environment)])
  const now = await people(first)
  expect(now.find(({ email }) => email === viewer.email)?.roles).toBe('viewer')
  expect(now.filter(({ email }) => email === 'new@example.com')).toEqual([
    { email: 'new@example.com', roles: 'admin', joined: false },
  ])
  expect(now.some(({ email }) => email === gone.email)).toBe(false)
  const seen = await acts(first)
  expect(seen.filter((act) => act === 'person.seeded')).toHaveLength(1)
  expect(seen.filter((act) => act === 'person.differs_from_seed').length).toBeGreaterThan(0)
})
