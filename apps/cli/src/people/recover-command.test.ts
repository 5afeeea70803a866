import { startLyingIdp } from '@countersign/idp-sim'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { knowSecrets } from '../../../server/src/boot/known-secrets.ts'
import { makeKeyring } from '../../../server/src/kernel/crypto.ts'
import { type TestDatabase, testDatabase } from '../../../server/test/database.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../../../server/test/server.ts'
import { peopleCommand } from './people-command.ts'

const secretKey = 'a secret of the tests that is long enough'
const sealKey = '5'.repeat(64)
const client = { id: 'countersign', secret: 'a secret between us and the provider' }
const xrw = { 'x-requested-with': 'countersign' }
const password = 'a password chosen in an emergency'

let database: TestDatabase
/** As it runs once its provider was taken out of the configuration. */
let server: TestServer
let acme: TestTenant
let other: TestTenant
let member: TestTenant
const logged: string[] = []

beforeAll(async () => {
  database = await testDatabase()
  const idp = await startLyingIdp(client)
  const providers = [{ name: 'acme', issuer: idp.issuer, client_id: client.id, client_secret: client.secret }]
  const before = await testServer({
    databaseUrl: database.url,
    environment: { COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify(providers) },
  })
  // As a server does when it starts.
  await knowSecrets(before.db, new Date(), {
    COUNTERSIGN_SECRET_KEY: makeKeyring([secretKey]),
    COUNTERSIGN_SEAL_KEY: makeKeyring([sealKey]),
  })
  acme = await before.newTenant('acme')
  other = await before.newPerson(acme, [{ role: 'admin', environment: null }], 'other@example.com')
  member = await before.newPerson(acme, [{ role: 'viewer', environment: null }], 'member@example.com')
  const left = await before.call('GET', '/api/v2/sign-in/acme')
  const [errand = ''] = (left.headers.get('set-cookie') ?? '').split(';')
  const query = idp.signIn(left.headers.get('location') ?? '', { sub: 'ada', email: acme.email })
  await before.call('GET', `/api/v2/sign-in/acme/callback${query}`, { headers: { cookie: errand } })
  const off = await before.call('PUT', '/api/v2/settings/sign_in.password', {
    cookie: acme.cookie,
    body: { value: false },
  })
  if (off.status !== 200) throw new Error(`passwords are not off: ${off.text}`)
  await before.stop()
  await idp.stop()
  server = await testServer({ databaseUrl: database.url, onLog: (line) => logged.push(line) })
})
afterAll(async () => {
  await server.stop()
  await database.drop()
})

const right = { COUNTERSIGN_SECRET_KEY: secretKey, COUNTERSIGN_SEAL_KEY: sealKey }

async function run(args: readonly string[], env: Readonly<Record<string, string>> = right) {
  const out = { text: '', said: '', code: 0 }
  const command = peopleCommand({
    env: { COUNTERSIGN_DATABASE_URL: database.url, ...env },
    print: (more) => void (out.text += more),
    complain: (more) => void (out.said += more),
    fail: () => void (out.code = 1),
  })
  for (const one of [command, ...command.commands])
    one.configureOutput({ writeErr: (more) => void (out.said += more), writeOut: (more) => void (out.text += more) })
  await command.parseAsync(['recover', ...args], { from: 'user' })
  return out
}

const recover = async (email: string) => JSON.parse((await run([email, '--json'])).text) as { link: string }
const tokenOf = (link: string): string => link.split('#')[1] ?? ''
const accept = (link: string) =>
  server.call('POST', '/api/v2/links/acceptance', { body: { link: tokenOf(link), password }, headers: xrw })
const cookieIn = (answer: Answer): string => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
const noticesOf = async (cookie: string) =>
  ((await server.call('GET', '/api/v2/session', { cookie })).body as { recoveries: { id: string }[] }).recoveries
const entriesOf = async (act: string) => {
  const rows = await server.db.query<{ text: string }>(
    `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.act = $1 order by e.at`,
    [act],
  )
  return rows.map(({ text }) => text)
}
const linkCount = async (): Promise<number> =>
  (await server.db.query<{ id: string }>(`select l.id from person_links as l`)).length

test('with passwords off and every provider gone nobody gets in; the link lets one administrator in, once, and all are told', async () => {
  // Locked out: by password, and at the provider that is no longer there.
  const shut = await server.call('POST', '/api/v2/session', {
    body: { email: acme.email, password: server.password },
    headers: xrw,
  })
  expect(shut.status).toBe(401)
  expect((await server.call('GET', '/api/v2/sign-in/providers')).body).toEqual({ password: false, providers: [] })
  expect((await server.call('GET', '/api/v2/sign-in/acme')).status).toBe(404)

  await server.app.bootstrap(undefined, undefined)
  expect(logged.join()).toContain('Nobody can sign in')

  const { code, text } = await run([acme.email.toUpperCase(), '--json'])
  expect(code).toBe(0)
  const made = JSON.parse(text) as { email: string; link: string; expires_at: string }
  expect(made.email).toBe(acme.email)
  expect(made.link).toMatch(/^http:\/\/localhost:8000\/join#[\w-]{43}$/)
  const minutes = (new Date(made.expires_at).getTime() - server.clock.now().getTime()) / 60_000
  expect(minutes).toBeGreaterThan(25)
  expect(minutes).toBeLessThanOrEqual(30.1)
  const state = await server.call('POST', '/api/v2/links/state', { body: { link: tokenOf(made.link) }, headers: xrw })
  expect(state.body).toMatchObject({ purpose: 'recovery', email: acme.email, tenant: 'acme' })
  // Whoever was signed in all the time is told while it is still unused.
  expect(await noticesOf(other.cookie)).toMatchObject([{ stage: 'made', person: { email: acme.email } }])
  expect(await noticesOf(member.cookie)).toEqual([])

  const inside = await accept(made.link)
  expect(inside.status).toBe(200)
  const cookie = cookieIn(inside)
  const session = await server.call('GET', '/api/v2/session', { cookie })
  expect(session.body).toMatchObject({ person: { email: acme.email, role: 'admin' } })
  expect((await server.call('GET', '/api/v2/session', { cookie: acme.cookie })).status).toBe(401)
  expect((await accept(made.link)).status).toBe(404)

  for (const told of [cookie, other.cookie])
    expect(await noticesOf(told)).toMatchObject([{ stage: 'made' }, { stage: 'used', person: { id: acme.person } }])

  // What was shut stays shut until the administrator opens it, which they can at once.
  expect((await server.call('GET', '/api/v2/sign-in/providers')).body).toMatchObject({ password: false })
  const open = await server.call('PUT', '/api/v2/settings/sign_in.password', { cookie, body: { value: true } })
  expect(open.status).toBe(200)
  const again = await server.call('POST', '/api/v2/session', { body: { email: acme.email, password }, headers: xrw })
  expect(again.status).toBe(200)
  const shutAgain = await server.call('PUT', '/api/v2/settings/sign_in.password', { cookie, body: { value: false } })
  expect(shutAgain.status).toBe(200)

  const [link] = await entriesOf('person.recovery_link_made')
  expect(JSON.parse(link ?? '')).toMatchObject({
    actor: { kind: 'system', id: 'command_line', credential: 'server_machine' },
    subject: { kind: 'person', id: acme.person },
    details: { administrators_told: 2, expires_at: made.expires_at },
  })
  const [used] = await entriesOf('person.recovered')
  expect(JSON.parse(used ?? '')).toMatchObject({ actor: { kind: 'person', id: acme.person, credential: 'recovery' } })
  for (const entry of [link, used]) {
    expect(entry).not.toContain(acme.email)
    expect(entry).not.toContain(tokenOf(made.link))
  }
})

test('an administrator takes note of what they were told, and of nothing that others were told', async () => {
  await recover(other.email)
  const [mine] = (await noticesOf(other.cookie)).slice(-1)
  const path = `/api/v2/recovery-notices/${mine?.id ?? ''}`
  expect((await server.call('DELETE', path, { cookie: member.cookie })).status).toBe(404)
  expect((await server.call('DELETE', path, { cookie: other.cookie })).status).toBe(200)
  expect((await server.call('DELETE', path, { cookie: other.cookie })).status).toBe(404)
  expect((await noticesOf(other.cookie)).map(({ id }) => id)).not.toContain(mine?.id)
})

test('who is unknown, no administrator, suspended or locked is refused with the reason, and nothing is made', async () => {
  const before = [await linkCount(), await entriesOf('person.recovery_link_made')]
  const refused = async (email: string, says: RegExp) => {
    const { code, said, text } = await run([email])
    expect({ code, text }, email).toEqual({ code: 1, text: '' })
    expect(said).toMatch(says)
    expect(said).toMatch(/Administrators: .*other@example\.com.*\. Nothing was made\.\n$/)
  }
  await refused('nobody@example.com', /nobody with the address nobody@example\.com/)
  await refused(member.email, /is not an administrator/)
  for (const [column, says] of [
    ['suspended_at', /is suspended/],
    ['locked_at', /is locked/],
  ] as const) {
    await server.db.query(`update people set ${column} = now() where id = $1`, [acme.person])
    await refused(acme.email, says)
    await server.db.query(`update people set ${column} = null where id = $1`, [acme.person])
  }
  expect([await linkCount(), await entriesOf('person.recovery_link_made')]).toEqual(before)
})

test('a link is worth nothing once it has expired, was replaced, or its person is no administrator any more', async () => {
  const first = await recover(other.email)
  const second = await recover(other.email)
  expect((await accept(first.link)).status).toBe(404)
  await server.db.query(`update person_links as l set expires_at = now() where l.person_id = $1`, [other.person])
  expect((await accept(second.link)).status).toBe(404)
  const third = await recover(other.email)
  await server.db.query(`update role_grants as g set role = 'viewer' where g.person_id = $1`, [other.person])
  expect((await accept(third.link)).status).toBe(404)
  await server.db.query(`update role_grants as g set role = 'admin' where g.person_id = $1`, [other.person])
  expect((await accept(third.link)).status).toBe(200)
})

test('of many who open one link at once, one gets in', async () => {
  const { link } = await recover(acme.email)
  const answers = await Promise.all(Array.from({ length: 6 }, () => accept(link)))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 404, 404, 404, 404, 404])
})

test('without the keys of this installation nothing is made', async () => {
  const before = await linkCount()
  await expect(run([acme.email], { COUNTERSIGN_SEAL_KEY: sealKey })).rejects.toThrow(
    /Give the server's COUNTERSIGN_SECRET_KEY/,
  )
  await expect(run([acme.email], { ...right, COUNTERSIGN_SECRET_KEY: 'x'.repeat(40) })).rejects.toThrow(
    /is not the one this database/,
  )
  await expect(run([acme.email], { ...right, COUNTERSIGN_SEAL_KEY: '6'.repeat(64) })).rejects.toThrow(
    /is not the one this database/,
  )
  expect(await linkCount()).toBe(before)
})

test('it prints the link for people, with the address people open, and help teaches', async () => {
  const { text } = await run([acme.email], { ...right, COUNTERSIGN_BASE_URL: 'https://countersign.example.com' })
  expect(text).toMatch(
    /^https:\/\/countersign\.example\.com\/join#[\w-]{43}\n\nLets acme@example\.com in, once, until /,
  )
  const help = { text: '' }
  const command = peopleCommand({ env: {}, print: () => {}, complain: () => {}, fail: () => {} })
  for (const one of command.commands) one.configureOutput({ writeOut: (more) => void (help.text += more) })
  await command.parseAsync(['recover', '--help'], { from: 'user' }).catch(() => undefined)
  expect(help.text).toMatch(/When to use it[^]*Exit code[^]*countersign people recover ada@example\.com/)
})
