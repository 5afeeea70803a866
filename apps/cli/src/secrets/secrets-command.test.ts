import { openNote } from '@countersign/trail'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { knowSecrets } from '../../../server/src/boot/known-secrets.ts'
import { systemClock } from '../../../server/src/kernel/clock.ts'
import { makeKeyring, signatureMatches } from '../../../server/src/kernel/crypto.ts'
import { openDb } from '../../../server/src/kernel/db.ts'
import { type TestDatabase, testDatabase } from '../../../server/test/database.ts'
import { cookieIn, factorsScene } from '../../../server/test/factors-scene.ts'
import { rollOutYaml, rulesetYaml } from '../../../server/test/rulesets-scene.ts'
import { type TestServer, type TestTenant, testServer } from '../../../server/test/server.ts'
import { expectWholeTrail } from '../../../server/test/whole-trail.ts'
import { makeProgram } from '../program.ts'

// One installation through its whole rotation. The tests go through it in order, as an operator does.

const [sealA, sealB] = ['a1'.repeat(32), 'b2'.repeat(32)] as const
const [secretA, secretB] = ['the-first-secret-of-an-installation', 'the-second-secret-of-an-installation'] as const
type Keys = Readonly<Record<string, string>>
const first: Keys = { COUNTERSIGN_SEAL_KEY: sealA, COUNTERSIGN_SECRET_KEY: secretA }
const rotated: Keys = {
  COUNTERSIGN_SEAL_KEY: sealB,
  COUNTERSIGN_OLD_SEAL_KEYS: sealA,
  COUNTERSIGN_SECRET_KEY: secretB,
  COUNTERSIGN_OLD_SECRET_KEYS: secretA,
}
const last: Keys = { COUNTERSIGN_SEAL_KEY: sealB, COUNTERSIGN_SECRET_KEY: secretB }
const idOf = (secret: string): string => makeKeyring([secret]).keyId

const clock = systemClock()
const move = (ms: number): void => clock.adjust(ms)
const logged: string[] = []
let database: TestDatabase
let world: Awaited<ReturnType<typeof makeWorld>>

/** As a server of its own starts: it makes its keys known, or is refused. */
async function start(keys: Keys): Promise<TestServer> {
  const db = openDb({
    url: database.url,
    applicationName: 'secrets test',
    connectionsMax: 1,
    onBrokenConnection: () => undefined,
  })
  const listed = (name: string): [string, ...string[]] => {
    const old = keys[name.replace('COUNTERSIGN_', 'COUNTERSIGN_OLD_').concat('S')]
    return [keys[name] ?? '', ...(old === undefined ? [] : [old])]
  }
  const names = ['COUNTERSIGN_SECRET_KEY', 'COUNTERSIGN_SEAL_KEY']
  const rings = Object.fromEntries(names.map((name) => [name, makeKeyring(listed(name))]))
  await knowSecrets(db, clock.now(), rings).finally(() => db.end())
  return testServer({
    databaseUrl: database.url,
    clock,
    environment: { ...keys, COUNTERSIGN_LOG_LEVEL: 'debug' },
    onLog: (line) => logged.push(line),
  })
}

beforeAll(async () => {
  database = await testDatabase()
  const server = await start(first)
  world = await makeWorld(server)
  await server.stop()
})
afterAll(() => database.drop())

async function makeWorld(server: TestServer) {
  const scene = factorsScene(server, { ...clock, adjust: move })
  const acme = await server.newTenant('acme')
  const gone = await server.newPerson(acme, [{ role: 'viewer', environment: null }], 'gone@example.com')
  const erased = await server.call('POST', '/api/v2/trail/erasures', {
    cookie: acme.cookie,
    body: { data_subject: `person:${gone.person}`, confirm: `person:${gone.person}` },
  })
  expect(erased.status, erased.text).toBe(200)
  const { key } = await server.newKey(acme)
  await rollOutYaml(server, acme, rulesetYaml('base'))
  const made = await server.call('POST', '/api/v2/tokens', {
    cookie: acme.cookie,
    body: { name: 'ci', permissions: ['fleet:read'] },
  })
  const { token } = made.body as { token: string }
  const bo = await server.newPerson(acme, [{ role: 'viewer', environment: null }], 'bo@example.com')
  const { secret } = await scene.withTotp(bo.cookie)
  await vi.waitFor(async () => expect(await checkpoint(server)).toContain('/trail'), { timeout: 20_000 })
  return {
    acme,
    gone,
    key,
    token,
    bo,
    secret,
    publicKey: (await fetched(server, key)).public_key,
    log: await logKey(server),
  }
}

async function fetched(server: TestServer, key: string) {
  const answer = await server.call('GET', '/v1/rulesets/base/current', { key, agent: 'a1' })
  expect(answer.status, answer.text).toBe(200)
  return answer.body as { yaml: string; signature: string; public_key: string; version: number }
}

const checkpoint = async (server: TestServer): Promise<string> => (await server.call('GET', '/trail/checkpoint')).text

async function logKey(server: TestServer): Promise<{ name: string; publicKey: Buffer }> {
  const [row] = await server.db.query<{ name: string; publicKey: Buffer }>(
    `select k.name, k.public_key as "publicKey" from trail_log_keys as k`,
  )
  if (!row) throw new Error('The log has no key.')
  return row
}

async function run(args: readonly string[], keys: Keys, url = database.ownerUrl) {
  const out = { text: '', said: '', code: 0 }
  const program = makeProgram({
    env: { COUNTERSIGN_DATABASE_URL: database.url, COUNTERSIGN_MIGRATE_DATABASE_URL: url, ...keys },
    print: (more) => void (out.text += more),
    complain: (more) => void (out.said += more),
    fail: () => void (out.code = 1),
    exitWith: (code) => void (out.code = code),
  })
  await program.parseAsync(['secrets', 'reseal', ...args], { from: 'user' })
  return out
}

type Report = {
  readonly resealed?: Readonly<Record<string, number>>
  readonly left?: number
  readonly unlisted_rows: readonly {
    readonly column: string
    readonly key: readonly string[]
    readonly key_id: string
  }[]
  readonly keys: readonly {
    readonly variable: string
    readonly key_id: string
    readonly standing: string
    readonly can_go: boolean
    readonly needed_by: readonly { readonly column: string; readonly rows: number; readonly until: string }[]
  }[]
}

const reported = async (args: readonly string[], keys: Keys) => {
  const { text, code } = await run([...args, '--json'], keys)
  const report = JSON.parse(text) as Report
  const use = (secret: string) => report.keys.find(({ key_id }) => key_id === idOf(secret))
  return { ...report, code, use, needs: (secret: string) => use(secret)?.needed_by.map(({ column }) => column) }
}

/** Boxes and digests as they stand, to see whether anything was touched. */
async function fingerprint(): Promise<string> {
  const db = openDb({
    url: database.superuserUrl,
    applicationName: 'secrets test',
    connectionsMax: 1,
    onBrokenConnection: () => undefined,
  })
  const [row] = await db.query<{ all: string }>(
    `select md5(string_agg(t.box, ',' order by t.box)) || (select count(*) from trail_entries) as all from (
       select s.sealed_seed as box from signing_keys as s union all select l.sealed_seed from trail_log_keys as l
       union all select k.sealed_key from trail_subject_keys as k union all select f.sealed_secret from factors as f
       union all select a.digest from agent_keys as a) as t`,
  )
  await db.end()
  return row?.all ?? ''
}

test('before the servers have the new key the command refuses and says what to do first', async () => {
  const before = await fingerprint()
  const { text, said, code } = await run([], rotated)
  expect({ text, code }).toEqual({ text: '', code: 1 })
  expect(said).toMatch(
    /last started with another COUNTERSIGN_SEAL_KEY.*Start every server with the new one first.*Nothing was changed/,
  )
  // Keys that are not this installation's, and none at all.
  await expect(run([], { ...last, COUNTERSIGN_SEAL_KEY: 'c3'.repeat(32) })).rejects.toThrow(
    /is not the one this database was used with.*keep the old one in COUNTERSIGN_OLD_SEAL_KEYS/,
  )
  await expect(run([], { COUNTERSIGN_SECRET_KEY: secretA })).rejects.toThrow(/Give the server's COUNTERSIGN_SEAL_KEY/)
  expect(await fingerprint()).toBe(before)
})

test('what is under the old keys is counted without changing anything, and needs the tables’ owner to be changed', async () => {
  await (await start(rotated)).stop()
  const before = await fingerprint()
  const { code, keys, use, needs } = await reported(['--dry-run'], rotated)
  expect(code).toBe(0)
  expect(use(sealA)).toMatchObject({ standing: 'old', can_go: false })
  expect(needs(sealA)).toEqual([
    'signing_keys.sealed_seed',
    'trail_log_keys.sealed_seed',
    'trail_subject_keys.sealed_key',
    'factors.sealed_secret',
  ])
  expect(keys.every(({ standing }) => standing !== 'unlisted')).toBe(true)
  const refused = await run([], rotated, database.url)
  expect(refused).toMatchObject({ code: 1, text: '' })
  expect(refused.said).toMatch(/Only the owner of the tables.*COUNTERSIGN_MIGRATE_DATABASE_URL/)
  expect(await fingerprint()).toBe(before)
})

test('while one replica still runs with the old key nothing is sealed that it could not open', async () => {
  const behind = await testServer({ databaseUrl: database.url, clock, environment: first })
  const ahead = await start(rotated)
  const before = await fingerprint()
  const refused = await run([], rotated)
  expect(refused).toMatchObject({ code: 1, text: '' })
  expect(refused.said).toContain(
    `A server is still running with another COUNTERSIGN_SEAL_KEY (${idOf(sealA)}) than this command (${idOf(sealB)}).`,
  )
  expect(await fingerprint()).toBe(before)
  await behind.stop()
  expect((await run(['--dry-run'], rotated)).code).toBe(0)
  await ahead.stop()
})

test('a server started with the new key alone too early has nobody’s data: the old one is named as missing', async () => {
  const { text, code } = await run(['--dry-run'], { ...rotated, COUNTERSIGN_OLD_SEAL_KEYS: '' })
  expect(code).toBe(1)
  expect(text).toContain(`Sealed under a key that was not given: ${idOf(sealA)}`)
  expect(text).toMatch(/signing_keys\.sealed_seed [0-9a-f-]{36} [0-9a-f-]{36} under/)
  const before = logged.length
  const server = await start(last)
  await server.app.bootstrap(undefined, undefined)
  await server.stop()
  const [warned] = logged.slice(before).filter((line) => line.includes('cannot be opened. List that key'))
  expect(JSON.parse(warned ?? '{}')).toMatchObject({ level: 'warn', keyIds: [idOf(sealA)] })
  const { code: failed, said } = await run([], { ...rotated, COUNTERSIGN_OLD_SEAL_KEYS: '' })
  expect({ failed, said }).toEqual({ failed: 1, said: '' })
})

test('beside a running server everything is sealed anew, and the old seal key can go; the old secret key is told by what needs it', async () => {
  const server = await start(rotated)
  const { text, said, code } = await run([], rotated)
  expect(code).toBe(0)
  expect(text).toMatch(
    /Sealed anew under [0-9a-f]{8}:\n {2}signing_keys\.sealed_seed: 1\n {2}trail_log_keys\.sealed_seed: 1\n/,
  )
  expect(text).toContain(`${idOf(sealA)}, number 1 of COUNTERSIGN_OLD_SEAL_KEYS: nothing needs it any more.`)
  expect(text).toMatch(new RegExp(`${idOf(secretA)}, number 1 of COUNTERSIGN_OLD_SECRET_KEYS: still needed by`))
  expect(said).toMatch(/factors\.sealed_secret: 1 of 1\n/)

  // Agent keys and tokens are renewed by their use; what ends by itself and unused backup codes stay.
  expect((await reported([], rotated)).needs(secretA)).toEqual(
    expect.arrayContaining(['agent_keys.digest', 'api_token_secrets.digest', 'backup_codes.digest']),
  )
  await fetched(server, world.key)
  expect((await server.call('GET', '/api/v2/agents', { key: world.token })).status).toBe(200)
  await server.stop()
  const again = await reported([], rotated)
  expect(again).toMatchObject({ code: 0, resealed: {}, left: 0 })
  expect(again.needs(secretA)).toEqual(['backup_codes.digest', 'sessions.token_digest'])
  expect(again.use(sealA)).toMatchObject({ standing: 'old', can_go: true })
})

test('with the new keys alone everything works as before, under the same public keys, and who was erased stays erased', async () => {
  const server = await start(last)
  const before = logged.length
  await server.app.bootstrap(undefined, undefined)
  expect(logged.slice(before).join()).not.toContain('cannot be opened. List that key')
  const { acme, gone, key, token, bo, secret, publicKey, log } = world
  // The rule set that was live, and the next one, by the key that agents have pinned.
  const verified = async () => {
    const { yaml, signature, version } = await fetched(server, key)
    expect(signatureMatches(Buffer.from(publicKey, 'hex'), Buffer.from(yaml), Buffer.from(signature, 'base64'))).toBe(
      true,
    )
    return version
  }
  const version = await verified()
  const admin: TestTenant = { ...acme, cookie: await server.signIn(acme.email) }
  await rollOutYaml(server, admin, rulesetYaml('base', 'another word'))
  expect(await verified()).toBe(version + 1)
  expect((await server.call('GET', '/api/v2/agents', { key: token })).status).toBe(200)

  const scene = factorsScene(server, { ...clock, adjust: move })
  const session = await server.signIn(bo.email)
  const proven = await server.call('POST', '/api/v2/mfa/verification', {
    cookie: session,
    body: { code: scene.codeOf(secret, 1) },
  })
  expect(proven.status, proven.text).toBe(200)
  expect((await server.call('GET', '/api/v2/agents', { cookie: cookieIn(proven) })).status).toBe(200)

  const signed = await checkpoint(server)
  await server.newKey(admin)
  await expect.poll(() => checkpoint(server), { timeout: 20_000 }).not.toBe(signed)
  expect(openNote(await checkpoint(server), log)).toContain(`${log.name}\n`)
  expect(await logKey(server)).toEqual(log)

  const shown = (await server.call('GET', '/api/v2/trail?limit=200', { cookie: admin.cookie })).text
  expect(shown).toContain(acme.email)
  expect(shown).toContain(bo.email)
  expect(shown).not.toContain(gone.email)
  const acts = (JSON.parse(shown) as { items: { act: string; outcome: string; details: object }[] }).items
  expect(acts.filter(({ act }) => act === 'secrets.resealed')).toMatchObject([
    { outcome: 'done', details: { from: [idOf(sealA)], to: idOf(sealB), left: 0 } },
    { outcome: 'intended' },
  ])
  await server.stop()
  await expectWholeTrail(database.ownerUrl)
})

test('no secret is printed, logged or recorded', async () => {
  const said = [await run(['--dry-run'], rotated), await run([], rotated)].map(({ text, said: more }) => text + more)
  const db = openDb({
    url: database.url,
    applicationName: 'secrets test',
    connectionsMax: 1,
    onBrokenConnection: () => undefined,
  })
  const entries = await db.query<{ text: string }>(
    `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e`,
  )
  await db.end()
  const all = [...said, ...logged, ...entries.map(({ text }) => text)].join('\n')
  expect(logged.length).toBeGreaterThan(10)
  for (const secret of [sealA, sealB, secretA, secretB, world.secret, world.token, world.key, 'only-for-tests']) {
    expect(all.includes(secret), secret.slice(0, 4)).toBe(false)
  }
})
