import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openDataFolder } from '../../src/boot/data-folder.ts'
import { runningEmbeddedPostgres, startEmbeddedPostgres } from '../../src/boot/embedded-postgres.ts'
import { eventually, openStream } from '../agent-stream.ts'
import { emptyDatabase } from '../database.ts'
import { type ServerProcess, serverProcess } from './server-process.ts'

/** Processes of their own, each with a whole start. */
vi.setConfig({ testTimeout: 240_000 })

const email = 'admin@example.com'
const password = 'correct horse battery staple'

let parent: string
let data: string
const started: ServerProcess[] = []

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'countersign-starting-'))
  await chmod(parent, 0o755)
  data = join(parent, 'data')
})
afterAll(async () => {
  for (const one of started) {
    one.kill('SIGKILL')
    await one.ended
  }
  // Whatever was killed left its database running.
  const log = { info: () => {}, warn: () => {} }
  await (await startEmbeddedPostgres({ folder: await openDataFolder(data), log })).stop()
  await rm(parent, { recursive: true, force: true })
})

async function start(environment: Readonly<Record<string, string>> = { COUNTERSIGN_DATA_DIR: data }) {
  const server = await serverProcess(parent, environment)
  started.push(server)
  return server
}

type Sent = { readonly body?: object; readonly cookie?: string; readonly key?: string }

async function call(server: ServerProcess, method: string, path: string, { body, cookie, key }: Sent = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      'x-requested-with': 'countersign',
      ...(body && { 'content-type': 'application/json' }),
      ...(cookie !== undefined && { cookie }),
      ...(key !== undefined && { authorization: `Bearer ${key}`, 'x-edictum-agent-id': 'a1' }),
    },
    ...(body && { body: JSON.stringify(body) }),
  })
  const [setCookie = ''] = (response.headers.get('set-cookie') ?? '').split(';')
  const text = await response.text()
  return { status: response.status, cookie: setCookie, text, body: text === '' ? {} : (JSON.parse(text) as Body) }
}
type Body = Readonly<Record<string, unknown>>

const signIn = (server: ServerProcess) => call(server, 'POST', '/api/v2/session', { body: { email, password } })
const event = (callId: string) => ({
  events: [{ call_id: callId, agent_id: 'a1', tool_name: 'shell', verdict: 'call_allowed' }],
})
const storedCalls = async (server: ServerProcess, key: string): Promise<readonly unknown[]> => {
  const { body } = await call(server, 'GET', '/v1/events?limit=100', { key })
  return (body['events'] as readonly Body[]).map((one) => one['call_id'])
}

let key = ''

test('on a fresh folder it says where it is and how to set it up, and the link’s token makes the first administrator', async () => {
  const server = await start()
  expect(await server.ready, server.complaints()).toBe(true)
  const said = await eventually(server.said, (lines) => lines.some((line) => line.startsWith('Set it up: ')))
  const port = new URL(server.url).port
  expect(said.find((line) => line.startsWith('countersign ready on'))).toMatch(
    new RegExp(`^countersign ready on http://localhost:${port} \\(\\d+\\.\\d s\\)$`),
  )
  const link = new URL(said.find((line) => line.startsWith('Set it up: '))?.slice('Set it up: '.length) ?? '')
  const token = link.searchParams.get('token') ?? ''
  expect(link.href).toBe(`http://localhost:${port}/setup?token=${token}`)
  expect((await call(server, 'GET', '/api/v2/setup')).body).toEqual({ done: false, needs_token: true })
  const guess = await call(server, 'POST', '/api/v2/setup', { body: { token: `${token}x`, email, password } })
  expect(guess.status).toBe(403)
  const made = await call(server, 'POST', '/api/v2/setup', { body: { token, email, password } })
  expect(made.status, made.text).toBe(201)
  const again = await call(server, 'POST', '/api/v2/setup', { body: { token, email: 'other@example.com', password } })
  expect(again.status).toBe(409)
  const session = await signIn(server)
  expect(session.status, session.text).toBe(200)
  const newKey = { environment: 'production', label: 'first' }
  const given = await call(server, 'POST', '/api/v2/keys', { cookie: session.cookie, body: newKey })
  expect(given.status, given.text).toBe(201)
  key = String(given.body['key'])
  expect((await call(server, 'POST', '/v1/events', { key, body: event('before') })).status).toBe(200)
})

test('told to stop it ends its streams, answers the request under way, loses nothing and exits with 0', async () => {
  const [server] = started
  if (!server) throw new Error('nothing was started')
  const stream = await openStream(server.url, '/v1/stream', { key, agent: 'a1' })
  expect(stream.status).toBe(200)
  const body = JSON.stringify(event('under-way'))
  const half = await halfSent(server, body)
  server.kill('SIGTERM')
  await stream.closed
  half.write(body.slice(body.length / 2))
  const answer = await half.answer()
  expect(answer).toMatch(/HTTP\/1\.1 200 OK\r\n/)
  expect(await server.ended).toEqual({ code: 0, signal: null })
})

test('the second start says nothing of setting up, and what was stored is there', async () => {
  const server = await start()
  expect(await server.ready, server.complaints()).toBe(true)
  expect((await call(server, 'GET', '/api/v2/setup')).body).toEqual({ done: true, needs_token: true })
  expect(server.said().filter((line) => /set it up|token/i.test(line))).toEqual([])
  expect((await signIn(server)).status).toBe(200)
  expect([...(await storedCalls(server, key))].toSorted()).toEqual(['before', 'under-way'])
})

test('after kill -9 the next start finds everything that was acknowledged', async () => {
  const server = started.at(-1)
  if (!server) throw new Error('nothing was started')
  expect((await call(server, 'POST', '/v1/events', { key, body: event('just-before') })).status).toBe(200)
  server.kill('SIGKILL')
  await server.ended
  const next = await start()
  expect(await next.ready, next.complaints()).toBe(true)
  expect((await signIn(next)).status).toBe(200)
  expect([...(await storedCalls(next, key))].toSorted()).toEqual(['before', 'just-before', 'under-way'])
  next.kill('SIGTERM')
  expect(await next.ended).toEqual({ code: 0, signal: null })
  for (const secret of ['secret-key', 'seal-key', 'postgres-superuser']) {
    const kept = (await readFile(join(data, 'secrets', secret), 'utf8')).trim()
    for (const one of started) expect(one.said().join('\n') + one.complaints()).not.toContain(kept)
  }
})

test('another secret than the database was used with is refused by its name', async () => {
  const database = await emptyDatabase()
  const environment = {
    COUNTERSIGN_DATABASE_URL: database.url,
    COUNTERSIGN_MIGRATE_DATABASE_URL: database.ownerUrl,
    COUNTERSIGN_SECRET_KEY: 'a'.repeat(64),
    COUNTERSIGN_SEAL_KEY: 'b'.repeat(64),
  }
  const right = await start(environment)
  expect(await right.ready, right.complaints()).toBe(true)
  right.kill('SIGTERM')
  expect((await right.ended).code).toBe(0)
  for (const [name, value] of [
    ['COUNTERSIGN_SECRET_KEY', 'c'.repeat(64)],
    ['COUNTERSIGN_SEAL_KEY', 'd'.repeat(64)],
  ] as const) {
    const wrong = await start({ ...environment, [name]: value })
    expect(await wrong.ready).toBe(false)
    expect((await wrong.ended).code).toBe(1)
    expect(wrong.complaints()).toContain(`Countersign cannot start: ${name} is not the one this database was used with`)
    expect(wrong.complaints()).not.toContain(value)
    expect(wrong.complaints()).not.toMatch(/^\s+at /m)
  }
  await database.drop()
})

test('every mistake of the configuration is told at once, with exit code 1 and without a stack', async () => {
  const server = await start({
    COUNTERSIGN_DATA_DIR: data,
    COUNTERSIGN_PORT: 'many',
    COUNTERSIGN_PROFILE: 'prod',
    COUNTERSIGN_BASE_ULR: 'https://countersign.example.com',
    COUNTERSIGN_SESSION_HOURS: '0',
  })
  expect(await server.ready).toBe(false)
  expect((await server.ended).code).toBe(1)
  const told = server.complaints()
  expect(told).toContain('The configuration has 4 mistakes:')
  for (const name of ['PORT', 'PROFILE', 'BASE_ULR', 'SESSION_HOURS'])
    expect(told).toContain(`  - COUNTERSIGN_${name} `)
  expect(told).toContain('did you mean COUNTERSIGN_BASE_URL?')
  expect(told).not.toMatch(/^\s+at |Error:/m)
})

test('a start that fails after its database ran names the remedy and leaves no database running', async () => {
  const folder = join(parent, 'failing')
  const server = await start({
    COUNTERSIGN_DATA_DIR: folder,
    COUNTERSIGN_ADMIN_EMAIL: email,
    COUNTERSIGN_ADMIN_PASSWORD: 'short',
  })
  expect(await server.ready).toBe(false)
  expect(await server.ended).toEqual({ code: 1, signal: null })
  expect(server.complaints()).toContain('COUNTERSIGN_ADMIN_PASSWORD')
  expect(server.said().join('\n')).not.toContain('left running')
  expect(await runningEmbeddedPostgres(await openDataFolder(folder))).toBeUndefined()
})

test('a port that is taken is told before a database was started or a folder made', async () => {
  const folder = join(parent, 'never-made')
  const taken = createServer()
  taken.listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const address = taken.address()
  const port = String(typeof address === 'object' ? address?.port : '')
  try {
    // Nobody sends requests to what never listened: there is nothing to wait for.
    const server = await start({
      COUNTERSIGN_DATA_DIR: folder,
      COUNTERSIGN_PORT: port,
      COUNTERSIGN_DRAIN_SECONDS: '600',
    })
    expect(await server.ready).toBe(false)
    expect(await server.ended).toEqual({ code: 1, signal: null })
    expect(server.complaints()).toContain(`at port ${port}. Another program, or another Countersign, has that port.`)
    expect(existsSync(folder)).toBe(false)
  } finally {
    taken.close()
  }
})

/** A POST of events of which the server has the head, as its `100 Continue` proves, and half the body. */
async function halfSent(server: ServerProcess, body: string) {
  const { port } = new URL(server.url)
  const socket: Socket = connect({ host: '127.0.0.1', port: Number(port) })
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString()
  })
  const head = [
    'POST /v1/events HTTP/1.1',
    `Host: localhost:${port}`,
    `Authorization: Bearer ${key}`,
    'X-Edictum-Agent-Id: a1',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Expect: 100-continue',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  await eventually(
    () => received,
    (text) => text.includes('100 Continue'),
  )
  socket.write(body.slice(0, body.length / 2))
  return {
    write: (rest: string) => socket.write(rest),
    answer: async () => {
      if (!socket.closed) await once(socket, 'close')
      return received
    },
  }
}
