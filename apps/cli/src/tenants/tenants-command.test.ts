import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { knowSecrets } from '../../../server/src/boot/known-secrets.ts'
import { makeKeyring } from '../../../server/src/kernel/crypto.ts'
import { type TestDatabase, testDatabase } from '../../../server/test/database.ts'
import { type TestServer, type TestTenant, testServer } from '../../../server/test/server.ts'
import { tenantsCommand } from './tenants-command.ts'

const sealKey = '5'.repeat(64)

let database: TestDatabase
let server: TestServer
let first: TestTenant
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-tenants-'))
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
  // As a server does when it starts.
  await knowSecrets(server.db, new Date(), { COUNTERSIGN_SEAL_KEY: makeKeyring([sealKey]) })
  first = await server.newTenant('first')
})
afterAll(async () => {
  await server.stop()
  await database.drop()
  await rm(folder, { recursive: true })
})

type Env = Readonly<Record<string, string>>
const right: Env = { COUNTERSIGN_SEAL_KEY: sealKey }

/** Runs the command as the shell would; answers what it printed and its exit code. */
async function run(args: readonly string[], env: Env = right) {
  const out = { text: '', said: '', code: 0 }
  const command = tenantsCommand({
    env: { COUNTERSIGN_DATABASE_URL: database.url, ...env },
    print: (more) => void (out.text += more),
    complain: (more) => void (out.said += more),
    fail: () => void (out.code = 1),
  })
  for (const one of [command, ...command.commands])
    one.configureOutput({ writeErr: (more) => void (out.said += more), writeOut: (more) => void (out.text += more) })
  await command.parseAsync([...args], { from: 'user' })
  return out
}

const listed = async () =>
  (JSON.parse((await run(['list', '--json'])).text) as { tenants: { id: string; name: string; people: number }[] })
    .tenants
const answerOf = (method: string, path: string, options: object) => server.call(method, path, options)

test('a tenant that was made has an administrator who signs in with the password printed once, and sees nothing of others', async () => {
  await server.newKey(first)
  const { text, code } = await run(['create', 'Payments', '--admin', 'Ada@example.com', '--json'])
  expect(code).toBe(0)
  const made = JSON.parse(text) as {
    tenant: { id: string; name: string }
    administrator: { id: string }
    password: string
  }
  expect(made).toMatchObject({ tenant: { name: 'Payments' }, administrator: { email: 'Ada@example.com' } })
  expect(made.password.length).toBeGreaterThanOrEqual(20)
  const signedIn = await answerOf('POST', '/api/v2/session', {
    body: { email: 'ada@example.com', password: made.password },
    headers: { 'x-requested-with': 'countersign' },
  })
  expect(signedIn.status).toBe(200)
  const [cookie = ''] = (signedIn.headers.get('set-cookie') ?? '').split(';')
  const session = await answerOf('GET', '/api/v2/session', { cookie })
  expect(session.body).toMatchObject({
    tenant: made.tenant,
    person: { id: made.administrator.id, role: 'admin' },
    environments: [{ name: 'production' }, { name: 'staging' }, { name: 'development' }],
  })
  expect((await answerOf('GET', '/api/v2/keys', { cookie })).body).toMatchObject({ items: [] })
  expect((await answerOf('GET', '/api/v2/signing-keys', { cookie })).body).toMatchObject({
    items: [{ state: 'current' }],
  })
  const mine = { ...first, cookie, tenant: made.tenant.id }
  await server.newKey(mine)
  const trail = (await answerOf('GET', '/api/v2/trail', { cookie })).body as { items: { act: string }[] }
  const [entry] = trail.items.filter(({ act }) => act === 'tenant.created')
  expect(entry).toMatchObject({
    actor: { kind: 'system', id: 'command_line' },
    subject: { kind: 'tenant', id: made.tenant.id },
  })
  expect(await listed()).toEqual([
    expect.objectContaining({ id: first.tenant, name: 'first', people: 1 }),
    expect.objectContaining({ id: made.tenant.id, name: 'Payments', people: 1 }),
  ])
})

test('the password can come from a file, and is then not printed', async () => {
  const path = join(folder, 'password')
  await writeFile(path, 'a password out of a file\nand what is below it\n')
  const { text } = await run(['create', 'From a file', '--admin', 'file@example.com', '--password-file', path])
  expect(text).toMatch(/^Tenant From a file was made: [0-9a-f-]{36}\nAdministrator: file@example\.com\n$/)
  const body = { email: 'file@example.com', password: 'a password out of a file' }
  const headers = { 'x-requested-with': 'countersign' }
  expect((await answerOf('POST', '/api/v2/session', { body, headers })).status).toBe(200)
})

test('what is refused is said with exit code 1, and nothing was made', async () => {
  const weak = join(folder, 'weak')
  await writeFile(weak, 'short')
  const before = await listed()
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['Twice', '--admin', first.email.toUpperCase()], /already belongs to somebody/],
    [['Odd', '--admin', 'not an address'], /is not an e-mail address/],
    [['Odd', '--admin', `${'a'.repeat(300)}@example.com`], /is not an e-mail address/],
    [[' ', '--admin', 'b@example.com'], /1 to 120 characters/],
    [['line\nbreak', '--admin', 'b@example.com'], /no control characters/],
    [['Weak', '--admin', 'b@example.com', '--password-file', weak], /at least 12 characters/],
  ]
  for (const [args, says] of cases) {
    const { code, said, text } = await run(['create', ...args])
    expect({ code, text }, args.join(' ')).toEqual({ code: 1, text: '' })
    expect(said).toMatch(says)
    expect(said).toMatch(/Nothing was made\.\n$/)
  }
  expect(await listed()).toEqual(before)
})

test('a second tenant of one name is refused, also when both are made at once', async () => {
  const made = await Promise.all(
    ['Twins', 'twins'].map((name, at) => run(['create', name, '--admin', `twin${at}@example.com`, '--json'])),
  )
  expect(made.map(({ code }) => code).sort()).toEqual([0, 1])
  expect(made.map(({ said }) => said).join('')).toMatch(
    /There is a tenant called twins already: [0-9a-f-]{36}\. Nothing was made/i,
  )
  expect((await listed()).filter(({ name }) => name.toLowerCase() === 'twins')).toHaveLength(1)
})

test('without the right seal key nothing is made', async () => {
  const before = await listed()
  const create = ['create', 'Sealed wrongly', '--admin', 'c@example.com']
  await expect(run(create, {})).rejects.toThrow(/Give the server's COUNTERSIGN_SEAL_KEY/)
  await expect(run(create, { COUNTERSIGN_SEAL_KEY: '6'.repeat(64) })).rejects.toThrow(/is not the one this database/)
  await expect(run(create, { COUNTERSIGN_SEAL_KEY: 'no key' })).rejects.toThrow(/64 hexadecimal characters/)
  const rotated = { COUNTERSIGN_SEAL_KEY: '6'.repeat(64), COUNTERSIGN_OLD_SEAL_KEYS: sealKey }
  expect(await listed()).toEqual(before)
  expect((await run(['create', 'Rotating', '--admin', 'd@example.com'], rotated)).code).toBe(0)
})

test('of two that make the same administrator at once one is refused', async () => {
  const results = await Promise.all(
    ['One', 'Other'].map((name) => run(['create', name, '--admin', 'race@example.com'])),
  )
  expect(results.map(({ code }) => code).toSorted()).toEqual([0, 1])
})

test('a server that is not set up yet has no tenant, and its first is made by setting it up', async () => {
  const empty = await testDatabase()
  const create = ['create', 'Too early', '--admin', 'e@example.com', '--database', empty.url]
  await expect(run(create)).rejects.toThrow(/not set up yet/)
  const { text, code } = await run(['list', '--database', empty.url])
  expect({ text, code }).toEqual({ text: 'There is no tenant yet: the server is not set up.\n', code: 0 })
  await empty.drop()
})

test('the list is a table for people, and help teaches by example', async () => {
  const { text } = await run(['list'])
  expect(text.split('\n')[0]).toMatch(/^ID +MADE +PEOPLE {2}NAME$/)
  expect(text).toMatch(new RegExp(`^${first.tenant} {2}\\d{4}-\\d{2}-\\d{2} {2}1 {7}first$`, 'm'))
  const help = { text: '' }
  const command = tenantsCommand({ env: {}, print: () => {}, complain: () => {}, fail: () => {} })
  for (const one of command.commands) one.configureOutput({ writeOut: (more) => void (help.text += more) })
  for (const verb of ['create', 'list'])
    await command.parseAsync([verb, '--help'], { from: 'user' }).catch(() => undefined)
  expect(help.text).toMatch(/countersign tenants create "Payments" --admin/)
  expect(help.text.match(/Exit code/g)).toHaveLength(2)
})
