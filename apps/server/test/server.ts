import { readConfig } from '../src/boot/config.ts'
import { compose } from '../src/compose.ts'
import { type Clock, systemClock } from '../src/kernel/clock.ts'
import { makeKeyring, randomToken, Secret } from '../src/kernel/crypto.ts'
import { openDb } from '../src/kernel/db.ts'
import { makeLog } from '../src/kernel/log.ts'
import { testDatabase } from './database.ts'

const testSecret = 'a secret of the tests that is long enough'
const password = 'correct horse battery staple'

export type TestServer = Awaited<ReturnType<typeof testServer>>

type Options = {
  readonly databaseUrl: string
  /** A standing clock for tests that move time; otherwise the machine's. */
  readonly clock?: Clock
  readonly environment?: Readonly<Record<string, string>>
  /** For what must know its address beforehand; a free one otherwise. */
  readonly port?: number
  /** As if the database had not seen that many migrations of this release. */
  readonly pendingMigrations?: () => Promise<number>
  /** What was logged, line by line. */
  readonly onLog?: (line: string) => void
}

/** The whole server in this process, on a free port, as `npm start` composes it. */
export async function testServer({
  databaseUrl,
  clock = systemClock(),
  environment = {},
  port = 0,
  pendingMigrations = () => Promise.resolve(0),
  onLog,
}: Options) {
  const config = readConfig(
    {
      COUNTERSIGN_DATABASE_URL: databaseUrl,
      COUNTERSIGN_MIGRATE_DATABASE_URL: databaseUrl,
      COUNTERSIGN_SECRET_KEY: testSecret,
      COUNTERSIGN_SEAL_KEY: '5'.repeat(64),
      COUNTERSIGN_DATABASE_CONNECTIONS: '8',
      COUNTERSIGN_SIGN_IN_ATTEMPTS: '1000',
      ...environment,
    },
    () => '',
  )
  const log = makeLog(environment['COUNTERSIGN_LOG_LEVEL'] === undefined ? 'warn' : config.logLevel, {
    write: onLog ?? (() => undefined),
  })
  const db = openDb({
    url: databaseUrl,
    applicationName: 'countersign test',
    connectionsMax: config.databaseConnections,
    onBrokenConnection: () => undefined,
  })
  const older = (secrets: readonly Secret[]) => secrets.map((secret) => secret.reveal())
  const keyring = makeKeyring([config.secretKey?.reveal() ?? testSecret, ...older(config.oldSecretKeys)])
  const sealing = makeKeyring([config.sealKey?.reveal() ?? '5'.repeat(64), ...older(config.oldSealKeys)])
  const baseUrl = config.baseUrl ?? 'http://localhost:8000'
  const app = compose({
    config,
    baseUrl,
    version: 'test',
    db,
    clock,
    log,
    keyring,
    sealing,
    setupSecret: new Secret('the set-up token of the tests'),
    pendingMigrations,
  })
  await app.start()
  const url = await app.http.listen({ host: '127.0.0.1', port })

  /** JSON in and out, as a program without a browser sends it. */
  const call = async (method: string, path: string, options: CallOptions = {}): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(options.body !== undefined && { 'content-type': 'application/json' }),
        ...(options.cookie !== undefined && { cookie: options.cookie, 'x-requested-with': 'countersign' }),
        ...(options.key !== undefined && { authorization: `Bearer ${options.key}` }),
        ...(options.agent !== undefined && { 'x-edictum-agent-id': options.agent }),
        ...options.headers,
      },
      ...(options.body !== undefined && {
        body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body),
      }),
    })
    const text = await response.text()
    const isJson = /json/.test(response.headers.get('content-type') ?? '')
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson && text !== '' ? JSON.parse(text) : undefined,
    }
  }

  /** A tenant with an administrator who is signed in. The first goes through set-up, others are made beside it. */
  const newTenant = async (name = `tenant-${randomToken(4)}`): Promise<TestTenant> => {
    const email = `${name}@example.com`.toLowerCase()
    const { tenant, person } = await app.makeTenant({ email, password, tenantName: name })
    return { tenant, person, email, cookie: await signIn(email) }
  }

  /** Somebody of a tenant who took up an invitation. */
  const newPerson = async (
    of: TestTenant,
    roles: readonly {
      readonly role: string
      readonly environment: string | null
      readonly rack?: string | null
    }[],
    email = `person-${randomToken(4)}@example.com`.toLowerCase(),
  ): Promise<TestTenant> => {
    const invited = await call('POST', '/api/v2/people', { cookie: of.cookie, body: { email, roles } })
    if (invited.status !== 201) throw new Error(`no invitation: ${invited.status} ${invited.text}`)
    const { person_id: person, link } = invited.body as { person_id: string; link: string }
    const joined = await call('POST', '/api/v2/links/acceptance', {
      body: { link: link.split('#')[1], password },
      headers: { 'x-requested-with': 'countersign' },
    })
    const [cookie = ''] = (joined.headers.get('set-cookie') ?? '').split(';')
    if (joined.status !== 200 || cookie === '') throw new Error(`not joined: ${joined.status} ${joined.text}`)
    return { tenant: of.tenant, person, email, cookie }
  }

  const signIn = async (email: string): Promise<string> => {
    const answer = await call('POST', '/api/v2/session', {
      body: { email, password },
      headers: { 'x-requested-with': 'countersign' },
    })
    const [cookie = ''] = (answer.headers.get('set-cookie') ?? '').split(';')
    if (answer.status !== 200 || cookie === '') throw new Error(`sign-in failed: ${answer.status} ${answer.text}`)
    return cookie
  }

  const newKey = async (
    tenant: TestTenant,
    environment = 'production',
    more: object = {},
  ): Promise<{ id: string; key: string; prefix: string }> => {
    const answer = await call('POST', '/api/v2/keys', {
      cookie: tenant.cookie,
      body: { environment, label: 'test', ...more },
    })
    if (answer.status !== 201) throw new Error(`no key: ${answer.status} ${answer.text}`)
    return answer.body as { id: string; key: string; prefix: string }
  }

  return {
    url,
    app,
    db,
    clock,
    password,
    call,
    newTenant,
    newPerson,
    newKey,
    signIn,
    stop: async () => {
      await app.stop()
      await db.end()
    },
  }
}

export type CallOptions = {
  readonly body?: unknown
  readonly cookie?: string
  readonly key?: string
  readonly agent?: string
  readonly headers?: Readonly<Record<string, string>>
}

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // Whatever the server said: each test says what it expects of it.
  readonly body: unknown
}

export type TestTenant = {
  readonly tenant: string
  readonly person: string
  readonly email: string
  readonly cookie: string
}

export type ServerApart = Awaited<ReturnType<typeof serverApart>>

/** A server with a database of its own, for one test file or for tests that move time. */
export async function serverApart(options: Omit<Options, 'databaseUrl'> = {}) {
  const database = await testDatabase()
  const server = await testServer({ ...options, databaseUrl: database.url })
  return {
    ...server,
    database,
    /** Ends the server and drops its database; what is to be seen in what it left is looked at in between. */
    stop: async (look?: (databaseUrl: string) => Promise<void>) => {
      await server.stop()
      await look?.(database.url)
      await database.drop()
    },
  }
}
