import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually } from '../../../server/test/agent-stream.ts'
import { totpCode } from '../../../server/test/factors-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../../../server/test/server.ts'
import { credentialsIn } from './credentials.ts'
import type { Keyring } from './keyring.ts'
import { signInCommands } from './sign-in-commands.ts'
import { tokenCommand } from './token-command.ts'

let server: ServerApart
let acme: TestTenant
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-account-'))
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

type Around = {
  readonly ask?: (question: string) => Promise<string | undefined>
  readonly openKeyring?: () => Promise<Keyring>
}
// Never the keyring of whoever runs the tests.
const noKeyring = () => Promise.reject<Keyring>(new Error('there is none here'))

function shell(more: Readonly<Record<string, string>> = {}, around: Around = {}) {
  const said = { out: '', complaint: '', code: 0 }
  const surroundings = {
    env: { XDG_CONFIG_HOME: folder, ...more },
    openKeyring: noKeyring,
    // The server says seconds; as often as this it does not mind either.
    pause: () => new Promise<void>((resolve) => void setTimeout(resolve, 50)),
    ...around,
    print: (text: string) => void (said.out += text),
    complain: (text: string) => void (said.complaint += text),
    exitWith: (code: number) => void (said.code = code),
  }
  const program = new Command().exitOverride().addCommand(tokenCommand(surroundings))
  for (const command of signInCommands(surroundings)) program.addCommand(command)
  return { said, run: (...args: string[]) => program.parseAsync(args, { from: 'user' }) }
}

async function run(args: readonly string[], more: Readonly<Record<string, string>> = {}, around: Around = {}) {
  const { said, run: start } = shell(more, around)
  await start(...args)
  return said
}

async function signIn(approve = true, around: Around = {}, cookie = acme.cookie, ...options: readonly string[]) {
  const { said, run: start } = shell({}, around)
  const running = start('login', server.url, '--no-browser', '--json', ...options)
  const { complaint } = await eventually(
    () => Promise.resolve(said),
    ({ complaint: so }) => so.includes('page shows'),
  )
  const code = /shows ([A-Z]{4}-[A-Z]{4})/.exec(complaint)?.[1] ?? ''
  await server.call('POST', '/api/v2/cli-sign-ins/decision', { cookie, body: { code, approve } })
  await running
  return said
}

test('signs in through the browser, keeps the session for its owner alone, and signs out on the server too', async () => {
  const before = await run(['whoami', '--server', server.url])
  expect(before).toMatchObject({ code: 3, out: '' })
  expect(before.complaint).toContain('countersign login')
  const said = await signIn()
  expect(JSON.parse(said.out)).toMatchObject({ server: server.url, email: acme.email, kept_in: 'file' })
  expect(said.complaint).toContain('there is none here')
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
  expect(revoked.complaint).toContain('CSIGN_TOKEN is mistyped, ended or revoked')
  expect(revoked.complaint).not.toContain('countersign login')
})

test.each([
  ['localhost:8000', 'Did you mean http://localhost:8000, or https://localhost:8000?'],
  ['ftp://countersign.example.com', 'Write it as https://countersign.example.com.'],
  ['http://', 'Write it as https://countersign.example.com.'],
])('%s as the server is told as no address, from the option and from CSIGN_SERVER alike', async (address, remedy) => {
  const said = { code: 2, out: '', complaint: expect.stringContaining(`"${address}" is no address of a server.`) }
  const named = await run(['whoami', '--server', address])
  expect(named).toMatchObject(said)
  expect(named.complaint).toContain(remedy)
  expect(await run(['whoami'], { CSIGN_SERVER: address })).toMatchObject(said)
})

test('an act that needs a fresh proof says so by its exit code', async () => {
  await signIn()
  await server.db.query(`update sessions as s set stepped_up_at = null where s.channel = 'cli'`)
  expect(await run(['token', 'create', 'x', '--role', 'cicd'])).toMatchObject({ code: 5, out: '' })
})

describe('the keyring of the system', () => {
  function pretendKeyring() {
    const kept = new Map<string, string>()
    const keyring: Keyring = {
      get: (name) => kept.get(name),
      set: (name, secret) => void kept.set(name, secret),
      remove: (name) => void kept.delete(name),
    }
    return { kept, around: { openKeyring: () => Promise.resolve(keyring) } }
  }
  const file = () => readFile(join(folder, 'countersign', 'credentials.json'), 'utf8')

  test('keeps the session, which then is in no file; signing out takes it away', async () => {
    const { kept, around } = pretendKeyring()
    const said = await signIn(true, around)
    expect(JSON.parse(said.out)).toMatchObject({ kept_in: 'keyring' })
    const token = kept.get(server.url) ?? ''
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(await file()).not.toContain(token)
    expect((await run(['whoami'], {}, around)).out).toContain(acme.email)
    expect((await run(['logout'], {}, around)).code).toBe(0)
    expect(kept.size).toBe(0)
  })

  test('that is closed later is told, with the way out; another sign-in is not kept from working', async () => {
    const { around } = pretendKeyring()
    await signIn(true, around)
    const closed = await run(['whoami'])
    expect(closed).toMatchObject({ code: 3, out: '' })
    expect(closed.complaint).toContain('there is none here')
    expect(closed.complaint).toContain('--no-keyring')
    expect(JSON.parse((await signIn()).out)).toMatchObject({ kept_in: 'file' })
    expect((await run(['whoami'])).code).toBe(0)
  })

  test('is left alone when so asked, by option and by variable', async () => {
    const { kept, around } = pretendKeyring()
    expect(JSON.parse((await signIn(true, around, acme.cookie, '--no-keyring')).out)).toMatchObject({ kept_in: 'file' })
    expect(kept.size).toBe(0)
    const credentials = credentialsIn({ XDG_CONFIG_HOME: folder, CSIGN_NO_KEYRING: '1' }, around.openKeyring)
    const login = { token: 'secret', email: 'a@example.com', expiresAt: '' }
    expect(await credentials.keep('http://other', login, {})).toMatchObject({ is: 'file' })
    expect(kept.size).toBe(0)
    await credentials.forget('http://other')
  })
})

describe('somebody with a second factor', () => {
  /** A command line of somebody with an authenticator app and backup codes, for whom nothing is proven any more. */
  async function withFactor() {
    const person = await server.newTenant()
    const call = (path: string, body: unknown) => server.call('POST', `/api/v2${path}`, { cookie: person.cookie, body })
    const { id, secret } = (await call('/mfa/totp', {})).body as { id: string; secret: string }
    const confirmed = await call(`/mfa/totp/${id}/confirmation`, {
      code: totpCode(secret, server.clock.now().getTime()),
    })
    const { backup_codes: codes } = confirmed.body as { backup_codes: string[] }
    const cookie = (confirmed.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    await signIn(true, {}, cookie)
    return codes
  }

  test('is asked for its code at the terminal, once, and only when it is needed', async () => {
    const [code] = await withFactor()
    const questions: string[] = []
    const ask = (question: string) => {
      questions.push(question)
      return Promise.resolve(code)
    }
    expect((await run(['token', 'list'], {}, { ask })).code).toBe(0)
    expect(questions).toEqual([])
    const made = await run(['token', 'create', 'asked', '--role', 'cicd'], {}, { ask })
    expect(made.out).toMatch(/^rgw_/)
    expect(questions).toHaveLength(1)
  })

  test('gives it by option or variable where nobody can be asked, else learns what is missing', async () => {
    const [one = '', two = ''] = await withFactor()
    const create = (name: string) => ['token', 'create', name, '--role', 'cicd']
    const missing = await run(create('a'))
    expect(missing).toMatchObject({ code: 5, out: '' })
    expect(missing.complaint).toContain('--mfa-code')
    expect((await run([...create('b'), '--mfa-code', one])).out).toMatch(/^rgw_/)
    expect((await run(create('c'), { COUNTERSIGN_MFA_CODE: two })).out).toMatch(/^rgw_/)
    expect(await run([...create('d'), '--mfa-code', one])).toMatchObject({ code: 5, out: '' })
  })
})

test('a server that does not answer is no refusal', async () => {
  const said = await run(['whoami', '--server', 'http://127.0.0.1:9'])
  expect(said).toMatchObject({ code: 2, out: '' })
  expect(said.complaint).toContain('does not answer')
})
