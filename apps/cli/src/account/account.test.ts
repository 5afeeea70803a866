import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../../server/test/agent-stream.ts'
import { type TestDatabase, testDatabase } from '../../../server/test/database.ts'
import { type TestServer, type TestTenant, testServer } from '../../../server/test/server.ts'
import { signInCommands } from './sign-in-commands.ts'
import { tokenCommand } from './token-command.ts'

let database: TestDatabase
let server: TestServer
let acme: TestTenant
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-account-'))
  database = await testDatabase()
  server = await testServer({ databaseUrl: database.url })
  acme = await server.newTenant('acme')
})

afterAll(async () => {
  await server.stop()
  await database.drop()
  await rm(folder, { recursive: true })
})

function shell(more: Readonly<Record<string, string>> = {}) {
  const said = { out: '', complaint: '', code: 0 }
  const surroundings = {
    env: { XDG_CONFIG_HOME: folder, ...more },
    print: (text: string) => void (said.out += text),
    complain: (text: string) => void (said.complaint += text),
    exitWith: (code: number) => void (said.code = code),
  }
  const program = new Command().exitOverride().addCommand(tokenCommand(surroundings))
  for (const command of signInCommands(surroundings)) program.addCommand(command)
  return { said, run: (...args: string[]) => program.parseAsync(args, { from: 'user' }) }
}

async function run(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const { said, run: start } = shell(more)
  await start(...args)
  return said
}

async function signIn(approve = true) {
  const { said, run: start } = shell()
  const running = start('login', server.url, '--no-browser', '--json')
  const { complaint } = await eventually(
    () => Promise.resolve(said),
    ({ complaint: so }) => so.includes('page shows'),
  )
  const code = /shows ([A-Z]{4}-[A-Z]{4})/.exec(complaint)?.[1] ?? ''
  await server.call('POST', '/api/v2/cli-sign-ins/decision', { cookie: acme.cookie, body: { code, approve } })
  await running
  return said
}

test('signs in through the browser, keeps the session for its owner alone, and signs out on the server too', async () => {
  const before = await run(['whoami', '--server', server.url])
  expect(before).toMatchObject({ code: 3, out: '' })
  expect(before.complaint).toContain('countersign login')
  const said = await signIn()
  expect(JSON.parse(said.out)).toMatchObject({ server: server.url, email: acme.email })
  const file = join(folder, 'countersign', 'credentials.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect((await stat(join(folder, 'countersign'))).mode & 0o777).toBe(0o700)
  const { servers } = JSON.parse(await readFile(file, 'utf8')) as { servers: Record<string, { token: string }> }
  const token = servers[server.url]?.token ?? ''
  expect(said.out + said.complaint).not.toContain(token)
  expect((await run(['whoami'])).out).toContain(`${acme.email} on ${server.url}`)
  expect(await run(['logout'])).toMatchObject({ code: 0 })
  await eventually(
    async () => (await server.call('GET', '/api/v2/session', { key: token })).status,
    (status) => status === 401,
  )
  expect(await readFile(file, 'utf8')).not.toContain(token)
})

test('who is turned away in the browser has nothing, and a script can tell', async () => {
  expect(await signIn(false)).toMatchObject({ code: 4, out: '' })
})

test('tokens are made, listed, rotated and revoked; the text alone is on standard output', async () => {
  await signIn()
  const made = await run(['token', 'create', 'ci', '--role', 'cicd', '--environment', 'staging', '--days', '30'])
  expect(made.out).toMatch(/^rgw_[\w-]{43}=\n$/)
  const list = await run(['token', 'list', '--json'])
  expect(JSON.parse(list.out)).toMatchObject({ items: [{ name: 'ci', status: 'live', environments: ['staging'] }] })
  const rotated = await run(['token', 'rotate', 'ci', '--overlap-hours', '1'])
  expect(rotated.out).toMatch(/^rgw_/)
  expect(rotated.out).not.toBe(made.out)
  const asMachine = { CSIGN_TOKEN: rotated.out.trim() }
  expect(await run(['token', 'list'], asMachine)).toMatchObject({ code: 4, out: '' })
  expect((await run(['token', 'revoke', 'ci'])).out).toBe('Revoked ci.\n')
  expect(await run(['token', 'revoke', 'ci'])).toMatchObject({ code: 1 })
  const revoked = await eventually(
    () => run(['token', 'list'], asMachine),
    ({ code }) => code === 3,
  )
  expect(revoked.out).toBe('')
})

test('an act that needs a fresh proof says so by its exit code', async () => {
  await signIn()
  await server.db.query(`update sessions as s set stepped_up_at = null where s.channel = 'cli'`)
  expect(await run(['token', 'create', 'x', '--role', 'cicd'])).toMatchObject({ code: 5, out: '' })
})

test('a server that does not answer is no refusal', async () => {
  const said = await run(['whoami', '--server', 'http://127.0.0.1:9'])
  expect(said).toMatchObject({ code: 2, out: '' })
  expect(said.complaint).toContain('does not answer')
})
