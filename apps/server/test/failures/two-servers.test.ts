import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Db, openDb } from '../../src/kernel/db.ts'
import { eventually, openStream } from '../agent-stream.ts'
import { type TestDatabase, testDatabase } from '../database.ts'
import { hasRedis, type TestRedis, testRedis } from '../redis-server.ts'
import { rulesetYaml } from '../rulesets-scene.ts'
import { type OneAddress, oneAddress } from './one-address.ts'
import { type ServerProcess, serverProcess } from './server-process.ts'

/** Three processes, each with a whole start. */
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 })

const email = 'admin@example.com'
const password = 'correct horse battery staple'
const guessesMax = 6

test('Redis is there where it is required', () => {
  const isRequired = (process.env['TEST_REQUIRE'] ?? '').split(',').includes('redis')
  expect(hasRedis || !isRequired).toBe(true)
})

describe.each([
  ['PostgreSQL alone', false],
  ['Redis', true],
] as const)('servers that hear of each other through %s', (_, withRedis) => {
  const isPossible = hasRedis || !withRedis
  let folder: string
  let database: TestDatabase
  let db: Db
  let redis: TestRedis | undefined
  let address: OneAddress
  const servers: ServerProcess[] = []
  let rounds = 0
  let key: string
  let version = 0
  const started: ServerProcess[] = []

  const start = async (): Promise<ServerProcess> => {
    const server = await serverProcess(folder, {
      COUNTERSIGN_DATABASE_URL: database.url,
      COUNTERSIGN_MIGRATE_DATABASE_URL: database.ownerUrl,
      COUNTERSIGN_SECRET_KEY: 'the secret that all replicas were given',
      COUNTERSIGN_SEAL_KEY: '7'.repeat(64),
      COUNTERSIGN_BASE_URL: address.url,
      COUNTERSIGN_ADMIN_EMAIL: email,
      COUNTERSIGN_ADMIN_PASSWORD: password,
      COUNTERSIGN_TRUSTED_PROXIES: '127.0.0.1',
      COUNTERSIGN_SIGN_IN_ATTEMPTS: String(guessesMax),
      COUNTERSIGN_SIGN_IN_WINDOW_SECONDS: '86400',
      ...(redis && { COUNTERSIGN_REDIS_URL: redis.url }),
    })
    started.push(server)
    return server
  }

  /** The two whose turn it is; another takes the place of one that went, and comes last. */
  const twoServers = async (): Promise<readonly [ServerProcess, ServerProcess]> => {
    while (servers.length < 2) servers.push(await start())
    const [first, second] = servers
    if (!first || !second) throw new Error('two were just started')
    for (const one of [first, second]) expect(await one.ready, one.complaints()).toBe(true)
    return [first, second]
  }

  beforeAll(async () => {
    if (!isPossible) return
    folder = await mkdtemp(join(tmpdir(), 'countersign-two-'))
    database = await testDatabase()
    db = openDb({ url: database.url, applicationName: 'test', connectionsMax: 1, onBrokenConnection: () => undefined })
    redis = withRedis ? await testRedis() : undefined
    address = await oneAddress()
    // All at once: each would make the first administrator, and one of them does.
    servers.push(...(await Promise.all([start(), start(), start()])))
    const [first, second] = await twoServers()
    address.lead(first.url, second.url)
    const cookie = await signIn('203.0.113.1')
    const made = await call('POST', '/api/v2/keys', { cookie, body: { environment: 'production', label: 'fleet' } })
    key = String(made.body['key'])
    await rollOut(cookie)
  })
  afterAll(async () => {
    if (!isPossible) return
    for (const one of started) {
      one.kill('SIGKILL')
      await one.ended
    }
    await address.stop()
    await redis?.stop()
    await db.end()
    await database.drop()
    await rm(folder, { recursive: true, force: true })
  })

  type Sent = {
    readonly body?: object
    readonly cookie?: string
    readonly from?: string
    readonly agent?: string
  }
  type Told = { readonly status: number; readonly cookie: string; readonly body: Readonly<Record<string, unknown>> }

  /** Each on a connection of its own, so that it goes where the address leads at that moment. */
  const call = async (method: string, path: string, { body, cookie, from, agent }: Sent = {}): Promise<Told> => {
    const sent = request(`${address.url}${path}`, {
      method,
      agent: false,
      headers: {
        'x-requested-with': 'countersign',
        ...(body && { 'content-type': 'application/json' }),
        ...(cookie !== undefined && { cookie }),
        ...(from !== undefined && { 'x-forwarded-for': from }),
        ...(agent !== undefined && { authorization: `Bearer ${key}`, 'x-edictum-agent-id': agent }),
      },
    })
    sent.end(body && JSON.stringify(body))
    const [answer] = (await once(sent, 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of answer) text += String(chunk)
    const [setCookie = ''] = (answer.headers['set-cookie']?.[0] ?? '').split(';')
    return { status: answer.statusCode ?? 0, cookie: setCookie, body: text === '' ? {} : JSON.parse(text) }
  }

  const signIn = async (from: string): Promise<string> => {
    const { status, cookie } = await call('POST', '/api/v2/session', { body: { email, password }, from })
    expect(status).toBe(200)
    return cookie
  }
  const guess = async (from: string, who: string): Promise<number> =>
    (await call('POST', '/api/v2/session', { body: { email: who, password: 'a wrong guess of it' }, from })).status
  const rollOut = async (cookie: string): Promise<void> => {
    version += 1
    const yaml = rulesetYaml('base', `version ${version}`)
    const made = await call('POST', '/api/v1/bundles', { cookie, body: { yaml_content: yaml } })
    expect(made).toMatchObject({ status: 201, body: { version } })
    const live = await call('POST', `/api/v1/bundles/base/${version}/deploy`, { cookie, body: { env: 'production' } })
    expect(live.status).toBe(201)
  }
  const hold = async (agent: string, timeout: number): Promise<string> => {
    const body = { tool_name: 'deploy', message: 'May I?', tool_args: { app: 'shop' }, timeout }
    const { status, body: held } = await call('POST', '/v1/approvals', { agent, body })
    expect(status).toBe(201)
    return String(held['id'])
  }
  const poll = (id: string, agent: string, wait = 0) => call('GET', `/v1/approvals/${id}?wait=${wait}`, { agent })
  const count = async (agent: string): Promise<unknown> =>
    (await call('POST', `/v1/sessions/${agent}/increment`, { agent, body: { amount: 1 } })).body['value']
  const report = async (callId: string, agent: string): Promise<void> => {
    const events = [{ call_id: callId, agent_id: agent, tool_name: 'shell', verdict: 'call_allowed' }]
    expect((await call('POST', '/v1/events', { agent, body: { events } })).status).toBe(200)
  }
  const listen = async (agent: string) => {
    const stream = await openStream(address.url, '/v1/stream?bundle_name=base', { key, agent })
    expect((await stream.next(1, 'contract_update'))[0]?.data).toMatchObject({ version })
    return stream
  }

  test.skipIf(!isPossible).each(['SIGTERM', 'SIGKILL'] as const)(
    'the first gets %s while a call is held and streams are open: everything goes on at the second',
    async (signal) => {
      const [first, second] = await twoServers()
      rounds += 1
      const agent = `agent-${rounds}`
      const guesser = `198.51.100.${rounds}`
      const guessed = `guessed-${rounds}@example.com`

      address.lead(first.url, second.url)
      const cookie = await signIn('203.0.113.1')
      const stream = await listen(agent)
      const consoleStream = await openStream(address.url, '/api/v2/stream', { cookie })
      const held = await hold(agent, 600)
      const forgotten = await hold(agent, 2)
      const [seen] = await consoleStream.next(2, 'approval.created')
      for (let n = 0; n < guessesMax - 2; n += 1) expect(await guess(guesser, guessed)).toBe(401)
      expect([await count(agent), await count(agent)]).toEqual([1, 2])
      await report(`${agent}-before`, agent)

      address.lead(second.url, first.url)
      const neighbor = await listen(`neighbor-${rounds}`)
      address.lead(first.url, second.url)
      await rollOut(cookie)
      for (const one of [stream, neighbor]) {
        expect((await one.next(2, 'contract_update'))[1]?.data).toMatchObject({ version })
      }
      const waiting = poll(held, agent, 60).catch(() => 'cut')
      await eventually(
        async () => (await call('GET', `/api/v2/approvals/${held}`, { cookie })).body['last_polled_at'],
        (at) => typeof at === 'string',
      )

      servers.shift()
      first.kill(signal)
      await Promise.all([stream.closed, consoleStream.closed])
      expect(await first.ended).toEqual(signal === 'SIGTERM' ? { code: 0, signal: null } : { code: null, signal })
      // Who is told to stop answers who waits; who is killed cannot.
      if (signal === 'SIGTERM') expect(await waiting).toMatchObject({ status: 200, body: { status: 'pending' } })
      else expect(await waiting).toBe('cut')

      const again = await listen(agent)
      expect((await call('GET', '/api/v2/session', { cookie })).body).toMatchObject({ person: { email } })
      expect(neighbor.isClosed()).toBe(false)
      await rollOut(cookie)
      expect((await again.next(2, 'contract_update'))[1]?.data).toMatchObject({ version })
      expect((await neighbor.next(3, 'contract_update'))[2]?.data).toMatchObject({ version })

      expect((await poll(held, agent)).body).toMatchObject({ status: 'pending' })
      const answered = poll(held, agent, 60)
      const decision = await call('POST', `/api/v2/approvals/${held}/decision`, { cookie, body: { approve: true } })
      expect(decision).toMatchObject({ status: 200, body: { status: 'approved' } })
      expect((await answered).body).toMatchObject({ id: held, status: 'approved' })
      await eventually(
        async () => (await poll(forgotten, agent)).body['status'],
        (status) => status === 'timeout',
      )
      const lastEventId = { 'Last-Event-ID': seen?.id ?? '' }
      const resumed = await openStream(address.url, '/api/v2/stream', { cookie, headers: lastEventId })
      for (const [topic, id] of [
        ['approval.decided', held],
        ['approval.timed_out', forgotten],
      ] as const) {
        await eventually(
          () => resumed.events().filter(({ name, data }) => name === topic && data['approval_id'] === id).length,
          (told) => told > 0,
        )
      }
      expect(resumed.events().some(({ name }) => name === 'reset')).toBe(false)

      expect([await guess(guesser, guessed), await guess(guesser, guessed)]).toEqual([401, 401])
      expect(await guess(guesser, guessed)).toBe(429)
      await signIn('203.0.113.2')
      expect(await count(agent)).toBe(3)
      await report(`${agent}-after`, agent)
      const stored = await db.query<{ call: string }>(
        `select e.call_id as call from events as e where e.call_id like $1 order by e.call_id`,
        [`${agent}-%`],
      )
      expect(stored.map(({ call: id }) => id)).toEqual([`${agent}-after`, `${agent}-before`])

      await eventually(
        async () => (await call('GET', '/api/v1/health/ready')).status,
        (status) => status === 200,
      )
      for (const one of [again, neighbor, resumed]) one.close()
    },
  )
})
