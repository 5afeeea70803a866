import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LyingIdp, startLyingIdp } from '@countersign/idp-sim'
import pg from 'pg'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type TestDatabase, testDatabase } from '../database.ts'
import { basic, totpCode } from '../factors-scene.ts'
import { freePort } from '../free-port.ts'
import { pretendPasskey } from '../pretend-passkey.ts'
import { type PretendYubico, pretendYubico } from '../pretend-yubico.ts'
import { appRole } from '../test-server.ts'
import { type KnownSecrets, knownSecrets } from './known-secrets.ts'
import { type ServerProcess, serverProcess } from './server-process.ts'

// Everything secret that happens to a server that talks as much as it can, and then a look at all it said.

/** A process of its own with a whole start, and another for the command line. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const email = 'admin@example.com'
const client = { id: 'countersign', secret: 'provider-secret-of-this-test' }
const command = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url))
/** So that it can be made to crash as a bug outside of every request would. */
const crash = `process.on('SIGUSR2', () => { setImmediate(() => { throw new Error('a crash') }) })`

let folder: string
let database: TestDatabase
let owner: pg.Client
let idp: LyingIdp
let yubico: PretendYubico
let server: ServerProcess
let secrets: KnownSecrets
let environment: Readonly<Record<string, string>>
/** What programs beside the server said. */
let beside = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-output-'))
  database = await testDatabase()
  owner = new pg.Client({ connectionString: database.ownerUrl })
  await owner.connect()
  idp = await startLyingIdp(client)
  yubico = await pretendYubico()
  secrets = knownSecrets()
  environment = await everySetting()
  server = await serverProcess(folder, environment)
  expect(await server.ready, server.complaints()).toBe(true)
})
afterAll(async () => {
  server.kill('SIGKILL')
  await server.ended
  await idp.stop()
  yubico.server.close()
  await owner.end()
  await database.drop()
  await rm(folder, { recursive: true, force: true })
})

/** As many secrets in the environment as there are, none of them in two places. */
async function everySetting(): Promise<Readonly<Record<string, string>>> {
  const secret = (what: string): string => secrets.make(what)
  secrets.know('the password of the database', new URL(database.url).password)
  secrets.know('the secret at the provider', client.secret)
  secrets.know('the key at Yubico', yubico.key)
  const providers = [{ name: 'acme', issuer: idp.issuer, client_id: client.id, client_secret: client.secret }]
  return {
    COUNTERSIGN_LOG_LEVEL: 'debug',
    // Whatever libraries would tell who asks them.
    DEBUG: '*',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(crash)}`,
    COUNTERSIGN_DATABASE_URL: database.url,
    COUNTERSIGN_MIGRATE_DATABASE_URL: database.ownerUrl,
    COUNTERSIGN_REDIS_URL: `redis://:${secret('the password of Redis')}@127.0.0.1:${await freePort()}`,
    COUNTERSIGN_READY_WITHOUT_REDIS: 'true',
    COUNTERSIGN_SECRET_KEY: secret('the secret key'),
    COUNTERSIGN_OLD_SECRET_KEYS: secret('an old secret key'),
    COUNTERSIGN_SEAL_KEY: secrets.know('the seal key', 'a5'.repeat(32)),
    COUNTERSIGN_TRAIL_MAC_SECRET: secret('the secret of the MAC'),
    COUNTERSIGN_SETUP_TOKEN: secret('the set-up token'),
    COUNTERSIGN_ADMIN_EMAIL: email,
    COUNTERSIGN_ADMIN_PASSWORD: secret('the first password'),
    COUNTERSIGN_MONITORING_TOKEN: secret('the token of the monitoring'),
    COUNTERSIGN_YUBICO_CLIENT_ID: '7',
    COUNTERSIGN_YUBICO_SECRET_KEY: yubico.key,
    COUNTERSIGN_YUBICO_URL: yubico.url,
    COUNTERSIGN_ANCHOR_BUCKET: 'anchors',
    COUNTERSIGN_ANCHOR_CHAIN_ID: 'output',
    COUNTERSIGN_S3_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    COUNTERSIGN_S3_REGION: 'us-east-1',
    COUNTERSIGN_S3_ACCESS_KEY_ID: 'anchorer',
    COUNTERSIGN_S3_SECRET_ACCESS_KEY: secret('the secret of the store'),
    COUNTERSIGN_OIDC_PROVIDERS: JSON.stringify(providers),
    COUNTERSIGN_SIGN_IN_ATTEMPTS: '1000',
  }
}

function withPassword(url: string, password: string): string {
  const other = new URL(url)
  other.password = password
  return other.href
}

type Sent = { readonly body?: unknown; readonly cookie?: string; readonly headers?: Readonly<Record<string, string>> }
type Body = Readonly<Record<string, unknown>>

/** Every cookie that is handed out is a secret. */
async function ask(method: string, path: string, { body, cookie, headers }: Sent = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    redirect: 'manual',
    headers: {
      'x-requested-with': 'countersign',
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(cookie !== undefined && { cookie }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const cookies: Record<string, string> = {}
  for (const one of response.headers.getSetCookie()) {
    const [name = '', value = ''] = (one.split(';')[0] ?? '').split('=')
    cookies[name] = `${name}=${value}`
    if (value !== '') secrets.know(`the cookie ${name}`, value)
  }
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== ''
  const read = (isJson ? JSON.parse(text) : {}) as Body
  return { status: response.status, location: response.headers.get('location') ?? '', cookies, text, body: read }
}

async function done(method: string, path: string, sent: Sent = {}) {
  const answer = await ask(method, path, sent)
  expect(answer.status, `${method} ${path}: ${answer.text}`).toBeLessThan(400)
  return answer
}

const sessionIn = ({ cookies }: { readonly cookies: Readonly<Record<string, string>> }): string | undefined =>
  cookies['countersign_session']
const bearer = (key: string): Sent => ({ headers: { authorization: `Bearer ${key}`, 'x-edictum-agent-id': 'a1' } })
const roles = [{ role: 'admin', environment: null }]

/** Somebody invited who took the invitation up. */
async function joined(by: string, address: string) {
  const { body } = await done('POST', '/api/v2/people', { cookie: by, body: { email: address, roles } })
  const link = secrets.know('an invitation', String(body['link']).split('#')[1] ?? '')
  const password = secrets.make(`the password of ${address}`)
  const accepted = await done('POST', '/api/v2/links/acceptance', { body: { link, password } })
  expect((await ask('POST', '/api/v2/links/acceptance', { body: { link, password } })).status).toBeGreaterThan(399)
  return { person: String(body['person_id']), password, cookie: sessionIn(accepted) ?? '' }
}

/** An authenticator app, its codes and what a browser is trusted by; a wrong code among them. */
async function secondFactors(first: string, who: { readonly email: string; readonly password: string }) {
  const made = (await done('POST', '/api/v2/mfa/totp', { cookie: first, body: {} })).body
  const secret = secrets.know('the secret of an app', String(made['secret']))
  const code = (step: number): string => secrets.know('a code of an app', totpCode(secret, Date.now() + step * 30_000))
  const path = `/api/v2/mfa/totp/${String(made['id'])}/confirmation`
  const confirmed = await done('POST', path, { cookie: first, body: { code: code(-1) } })
  const codes = confirmed.body['backup_codes'] as string[]
  for (const one of codes) secrets.know('a backup code', one)

  const again = sessionIn(await done('POST', '/api/v2/session', { body: who })) ?? ''
  await ask('POST', '/api/v2/mfa/verification', { cookie: again, body: { code: codes[0]?.replace(/^./, 'z') } })
  const body = { code: codes[1], trust_device: true }
  const proven = await done('POST', '/api/v2/mfa/verification', { cookie: again, body })
  const cookie = sessionIn(proven) ?? ''
  const token = cookie.split('=')[1] ?? ''
  const inline = { headers: { authorization: `Bearer ${token}`, 'x-mfa-totp': code(0) } }
  await done('GET', '/api/v2/session', inline)
  const behind = secrets.know('a token with a code', `${token}.totp.${code(1)}`)
  await ask('GET', '/api/v2/session', { headers: { authorization: basic(behind) } })

  const key = pretendPasskey(server.url.replace('127.0.0.1', 'localhost'))
  const begun = (await done('POST', '/api/v2/mfa/passkeys/challenge', { cookie })).body as Begun
  const draft = { challenge_id: begun.challenge_id, label: 'key', credential: key.create(begun.options) }
  const added = await done('POST', '/api/v2/mfa/passkeys', { cookie, body: draft })
  const otp = secrets.know('a password of a Yubico key', 'ccccccbchvth'.padEnd(44, 'b'))
  const own = sessionIn(added) ?? cookie
  const typed = await done('POST', '/api/v2/mfa/yubico', { cookie: own, body: { otp, label: 'key' } })
  return { cookie: sessionIn(typed) ?? own, key }
}
type Begun = { readonly challenge_id: string; readonly options: Body }

/** Tokens and keys, used rightly and wrongly, also where no secret belongs. */
async function tokensAndKeys(cookie: string) {
  const draft = { name: 'ci', permissions: ['fleet:read', 'keys:write'], environments: ['staging'] }
  const { body } = await done('POST', '/api/v2/tokens', { cookie, body: draft })
  const token = secrets.know('an API token', String(body['token']))
  await done('GET', '/api/v2/agents', bearer(token))
  await done('GET', '/api/v2/agents', { headers: { authorization: basic(token) } })
  secrets.know('an API token in Basic', basic(token).slice(6))
  const path = `/api/v2/tokens/${String(body['id'])}/rotation`
  secrets.know('a new API token', String((await done('POST', path, { cookie, body: {} })).body['token']))
  const made = await done('POST', '/api/v2/keys', { cookie, body: { environment: 'production', label: 'agent' } })
  const key = secrets.know('an agent key', String(made.body['key']))

  const guess = secrets.know('a token that is none', `rgw_${'g'.repeat(43)}=`)
  for (const where of [
    `/api/v2/agents?token=${guess}`,
    `/api/v2/agents/${guess}`,
    `/${guess}`,
    `/v1/rulesets/${guess}`,
  ])
    await ask('GET', where, bearer(guess))
  await ask('GET', `/api/v2/agents?api_key=${key}`, bearer(`${key}x`))
  await ask('GET', '/api/v2/agents', { headers: { authorization: `Bearer ${token} ${token}` } })
  await ask('GET', '/api/v2/agents', { cookie: `countersign_session=${guess}%` })
  await ask('GET', '/metrics', bearer(secrets.make('a wrong token of the monitoring')))
  return { token, key }
}

/** A call with a secret in its arguments, held, asked for and decided with a signature. */
async function approval(agentKey: string, cookie: string, passkey: ReturnType<typeof pretendPasskey>) {
  const password = secrets.make('an argument of a call')
  const call = { tool_name: 'login', message: `psql --password=${password}`, tool_args: { password }, timeout: 600 }
  const held = await done('POST', '/v1/approvals', { ...bearer(agentKey), body: { ...call, agent_id: 'a1' } })
  const event = { call_id: 'c1', agent_id: 'a1', tool_name: 'login', verdict: 'call_allowed', tool_args: { password } }
  await done('POST', '/v1/events', { ...bearer(agentKey), body: { events: [event] } })
  const path = `/api/v2/approvals/${String(held.body['id'])}`
  const said = { approve: true, reason: 'looks right' }
  const asked = (await done('POST', `${path}/countersignature`, { cookie, body: said })).body as Begun
  const countersignature = { challenge_id: asked.challenge_id, credential: passkey.get(asked.options) }
  await done('POST', `${path}/decision`, { cookie, body: { ...said, countersignature } })
}

/** Signing in at a provider that tells the truth, lies, and is away. */
async function provider() {
  const round = async () => {
    const left = await ask('GET', '/api/v2/sign-in/acme')
    const asked = new URL(left.location).searchParams
    for (const name of ['state', 'nonce']) secrets.know(`the ${name} of a sign-in`, asked.get(name) ?? '')
    const query = idp.signIn(left.location, { sub: 'ada', email })
    secrets.know('the code of a sign-in', new URLSearchParams(query).get('code') ?? '')
    const cookie = Object.values(left.cookies).join('; ')
    return ask('GET', `/api/v2/sign-in/acme/callback${query}`, { cookie })
  }
  expect(sessionIn(await round())).toBeDefined()
  for (const lie of [
    { signs: 'with the secret' },
    { answers: 'with an error' },
    { answers: 'with nonsense' },
  ] as const) {
    idp.lie(lie)
    expect(sessionIn(await round())).toBeUndefined()
  }
  idp.lie({})
}

/** The way in by the server's own machine. */
async function recovery() {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', command, 'people', 'recover', email, '--json'],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', ...environment },
    },
  )
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (beside += chunk.toString()))
  await once(child, 'close')
  expect(text, beside).not.toBe('')
  const { link } = JSON.parse(text) as { link: string }
  const token = secrets.know('a link of the recovery', link.split('#')[1] ?? '')
  const password = secrets.make('the password after the recovery')
  await done('POST', '/api/v2/links/acceptance', { body: { link: token, password } })
}

/** A command line let in by its code. */
async function commandLine(cookie: string) {
  const begun = (await done('POST', '/api/v1/auth/cli/start', { body: {} })).body
  const code = new URL(String(begun['auth_url'])).searchParams.get('code') ?? ''
  const verifier = secrets.know('the verifier of a command line', String(begun['code_verifier']))
  secrets.know('the state of a command line', String(begun['state']))
  await done('POST', '/api/v2/cli-sign-ins/decision', { cookie, body: { code, approve: true } })
  const body = { state: begun['state'], code_verifier: verifier }
  secrets.know(
    'the token of a command line',
    String((await done('POST', '/api/v1/auth/cli/complete', { body })).body['token']),
  )
}

/** What does not fit, with a secret in every place. */
async function badInput(cookie: string) {
  const misplaced = secrets.make('a password where none belongs')
  const bodies: readonly unknown[] = [
    `{"email":"${email}","password":"${misplaced}`,
    { email: misplaced, password: [misplaced] },
    { email, password: misplaced, [misplaced]: misplaced },
    { email, password: `${misplaced}\u0000` },
    { email, password: `${misplaced}${'x'.repeat(20_000)}` },
  ]
  for (const body of bodies)
    for (const path of ['/api/v2/session', '/api/v1/auth/login', '/api/v2/setup', '/api/v2/links/acceptance'])
      await ask('POST', path, { body })
  for (const path of ['/api/v2/tokens', '/api/v2/people', '/api/v2/mfa/verification', '/api/v2/keys'])
    await ask('POST', path, {
      cookie,
      body: { name: misplaced, email: misplaced, code: misplaced, label: misplaced, secret: misplaced },
    })
  await ask('PUT', `/api/v2/settings/${misplaced}`, { cookie, body: { value: misplaced } })
}

/** Everything fails by what an attacker cannot cause and an operator can: each statement by another error. */
async function failures(everything: () => Promise<void>) {
  const { rows } = await owner.query<{ name: string }>(
    `select format('%I.%I', c.relnamespace::regnamespace, c.relname) as name from pg_class as c
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
  )
  // Whatever is written now fails with the row that could not be.
  for (const { name } of rows)
    await owner.query(`alter table ${name} add constraint nothing_new check (false) not valid`)
  await everything()
  for (const { name } of rows) await owner.query(`alter table ${name} drop constraint nothing_new`)
  for (const { name } of rows) await owner.query(`revoke all on ${name} from ${appRole}`)
  await everything()
}

test('talking as much as it can, a server and its command line say no secret they were given, made, used or refused', async () => {
  const first = environment['COUNTERSIGN_ADMIN_PASSWORD'] ?? ''
  const wrong = secrets.make('a wrong password')
  expect((await ask('POST', '/api/v2/session', { body: { email, password: wrong } })).status).toBe(401)
  expect((await ask('POST', '/api/v1/auth/login', { body: { email, password: wrong } })).status).toBe(401)
  const admin = sessionIn(await done('POST', '/api/v2/session', { body: { email, password: first } })) ?? ''
  await provider()
  await commandLine(admin)

  const ada = await joined(admin, 'ada@example.com')
  const { cookie, key } = await secondFactors(ada.cookie, { email: 'ada@example.com', password: ada.password })
  const made = await tokensAndKeys(admin)
  await approval(made.key, cookie, key)
  await badInput(admin)
  const password = secrets.make('the second password')
  const body = { current_password: first, new_password: password }
  await done('PUT', '/api/v2/session/password', { cookie: admin, body })
  await recovery()

  await failures(async () => {
    for (const body of [
      { email, password },
      { email: 'ada@example.com', password: ada.password },
    ])
      for (const path of ['/api/v2/session', '/api/v1/auth/login']) await ask('POST', path, { body })
    await ask('GET', '/api/v2/sign-in/acme')
    await ask('POST', '/api/v1/auth/cli/start', { body: {} })
    for (const path of [
      '/api/v2/mfa/totp',
      '/api/v2/mfa/backup-codes',
      '/api/v2/mfa/passkeys/challenge',
      '/api/v2/people',
      '/api/v2/tokens',
      '/api/v2/keys',
    ])
      await ask('POST', path, { cookie, body: path.endsWith('people') ? { email: 'eve@example.com', roles } : {} })
    await ask('POST', '/api/v2/keys', { cookie, body: { environment: 'staging', label: 'fails' } })
    await ask('GET', '/api/v2/agents', bearer(made.token))
    await ask('POST', '/v1/approvals', {
      ...bearer(made.key),
      body: { agent_id: 'a1', tool_name: 't', message: 'm', tool_args: {} },
    })
  })

  process.kill(server.pid, 'SIGUSR2')
  expect((await server.ended).code).not.toBe(0)
  const output = [...server.said(), server.complaints(), beside].join('\n')
  // It did talk, about all of this, and it did crash.
  for (const told of [
    '"route":"POST /api/v2/session"',
    'a bug of ours',
    'A sign-in at a provider failed',
    'Error: a crash',
    'nothing_new',
    'permission denied',
  ])
    expect(output).toContain(told)
  expect(secrets.count()).toBeGreaterThan(50)
  expect(secrets.foundIn(output)).toEqual([])
  // Nor whom it knows, nor a row it could not write: addresses, digests and boxes stay in the database.
  expect(output).not.toMatch(/@example\.com|Failing row contains|argon2/)
})

test('a start that fails repeats no secret it was given', async () => {
  const broken: readonly Readonly<Record<string, string>>[] = [
    { COUNTERSIGN_DATABASE_URL: withPassword(database.url, secrets.make('a wrong password of the database')) },
    { COUNTERSIGN_SEAL_KEY: secrets.make('a seal key that is not the one of this database') },
    {
      COUNTERSIGN_REDIS_URL: `http://:${secrets.make('the password of no Redis')}@127.0.0.1`,
      COUNTERSIGN_OIDC_PROVIDERS: `[{"client_secret":"${secrets.make('a secret in broken JSON')}"`,
      COUNTERSIGN_ADMIN_PASSWORD: secrets.know('a password that is too short', 'sh0rt-pw'),
    },
  ]
  for (const other of broken) {
    const failed = await serverProcess(folder, { ...environment, ...other })
    expect(await failed.ready).toBe(false)
    await failed.ended
    expect(failed.complaints()).toMatch(/Countersign cannot start|The configuration has/)
    expect(secrets.foundIn([...failed.said(), failed.complaints()].join('\n'))).toEqual([])
  }
})

test('a secret that is said is found, as it is, in an address and in Basic', () => {
  const known = knownSecrets()
  const secret = known.know('it', 'rgw_a+b/c=and more')
  for (const said of [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    JSON.stringify(secret),
  ])
    expect(known.foundIn(`{"text":"so ${said} it is"}`)).toEqual(['it'])
  known.know('a code', '123456')
  expect(known.foundIn('at 1234567 ms, 123456.')).toEqual(['a code'])
})
