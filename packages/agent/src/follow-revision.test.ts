import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { makeSigner, pretendServer, servedBy, signText } from '../test/pretend-server.ts'
import { noSecrets, rulesetOf, temporaryFolder } from '../test/rulesets.ts'
import { isStrict, kinds, lax, readSecret, signer, start, strict } from '../test/started-guard.ts'
import { GuardFailed, type ServerOptions } from './index.ts'
import { endorsementText } from './trust.ts'

test('what the server rolled out is enforced, changes arrive, and what is enforced is said on the next connection', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { tags: { team: 'x' } })
  await isStrict(one)
  expect(server.asked[0]?.searchParams.get('env')).toBe('production')
  expect(server.asked[0]?.searchParams.get('tags')).toBe('{"team":"x"}')
  expect(server.asked[0]?.searchParams.has('policy_version')).toBe(false)
  const next = servedBy(signer, { name: 'base', yaml: lax, version: 2, at: '2026-01-02T00:00:00Z' })
  server.greetWith()
  server.push(next)
  await vi.waitFor(() => expect(one.status().revision).toBe(next['revision_hash']))
  await expect(readSecret(one)).resolves.toBe('secret')
  server.cut()
  await vi.waitFor(() => expect(server.asked).toHaveLength(2), 5_000)
  expect(server.asked[1]?.searchParams.get('policy_version')).toBe(next['revision_hash'])
})

const wrongs: Readonly<Record<string, (good: Record<string, unknown>) => unknown>> = {
  'a signature of other bytes': (good) => ({ ...good, signature: signText('other', signer) }),
  'a signature that is none': (good) => ({ ...good, signature: 'AAAA' }),
  'no signature': ({ signature: _, ...rest }) => rest,
  'somebody else’s signature with his key beside it': () =>
    servedBy(makeSigner(), { name: 'base', yaml: lax, version: 2 }),
  'a hash of other bytes': (good) => ({ ...good, revision_hash: '0'.repeat(64) }),
  'bytes that were changed on the way': (good) => ({
    ...good,
    yaml_bytes: Buffer.from(`${lax} `).toString('base64'),
    revision_hash: undefined,
  }),
  'content that is no base64': (good) => ({ ...good, yaml_bytes: '***' }),
  'an older roll-out': () => servedBy(signer, { name: 'base', yaml: lax, version: 2, at: '2025-12-31T00:00:00Z' }),
  'an older version when no time is said': () => ({
    ...servedBy(signer, { name: 'base', yaml: lax, version: 2 }),
    version: 2,
    deployed_at: undefined,
  }),
  'another ruleset under this name': () =>
    servedBy(signer, { name: 'base', yaml: rulesetOf('other', noSecrets), version: 4, at: '2026-01-03T00:00:00Z' }),
  'signed text that is no ruleset': () =>
    servedBy(signer, { name: 'base', yaml: 'hello: world', version: 4, at: '2026-01-03T00:00:00Z' }),
  'a dialect nobody knows': () =>
    servedBy(signer, {
      name: 'base',
      yaml: lax.replace('edictum/v1', 'edictum/v9'),
      version: 4,
      at: '2026-01-03T00:00:00Z',
    }),
  'signed garbage': () =>
    servedBy(signer, { name: 'base', yaml: '\u0000\u0001{{', version: 4, at: '2026-01-03T00:00:00Z' }),
  'a signed ruleset without its parent': () =>
    servedBy(signer, {
      name: 'base',
      yaml: lax.replace('rules:', 'extends: parent\nrules:'),
      version: 4,
      at: '2026-01-03T00:00:00Z',
    }),
  'no JSON': () => 'hello',
  'a list': () => '[1]',
  nothing: () => 'null',
  'a version that is none': (good) => ({ ...good, version: 'two' }),
}

test.each(Object.entries(wrongs))(
  '%s changes nothing: what was enforced stays, and it is told',
  async (_what, break_) => {
    const server = await pretendServer()
    server.greetWith(servedBy(signer, { name: 'base', yaml: strict, version: 3 }))
    const one = await start(server)
    const good = servedBy(signer, { name: 'base', yaml: lax, version: 4, at: '2026-01-03T00:00:00Z' })
    server.push(break_(good))
    await vi.waitFor(() => expect(kinds(one)).toContain('revision_refused'))
    await isStrict(one)
    // The connection is none the worse for it.
    server.push(good)
    await vi.waitFor(() => expect(one.status().revision).toBe(good['revision_hash']))
  },
)

test.each(Object.entries(wrongs).filter(([what]) => !/older|somebody/.test(what)))(
  'with %s there is no guard',
  async (_what, break_) => {
    const server = await pretendServer()
    server.on('GET /v1/stream', (_request, response) => {
      const data = break_(servedBy(signer, { name: 'base', yaml: lax }))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: contract_update\ndata: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
    })
    await expect(start(server)).rejects.toThrow(GuardFailed)
  },
)

test('a revision an operator goes back to is enforced: its roll-out is newer', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict, version: 3 }))
  const one = await start(server)
  const older = servedBy(signer, { name: 'base', yaml: lax, version: 1, at: '2026-01-05T00:00:00Z' })
  server.push(older)
  await vi.waitFor(() => expect(one.status().revision).toBe(older['revision_hash']))
})

test('a pointer makes the guard fetch what it points to', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server)
  const other = servedBy(signer, { name: 'other', yaml: rulesetOf('other', noSecrets.replace('no-secrets', 'no-env')) })
  server.on('GET /v1/rulesets/other/current', (_request, response) => server.answer(response, 200, other))
  server.push({
    type: 'contract_update',
    bundle_name: 'other',
    _assignment_changed: true,
    revision_hash: other['revision_hash'],
  })
  await vi.waitFor(() => expect(one.status().ruleset).toBe('other'))
  await expect(readSecret(one)).rejects.toMatchObject({ rule: 'no-env' })
})

test('pinned keys are the only ones, and any of them will do', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  await expect(start(server, { publicKeys: [makeSigner().publicKey] })).rejects.toThrow('no trusted key vouches')
  const one = await start(server, { publicKeys: [makeSigner().publicKey, signer.publicKey] })
  await isStrict(one)
})

test('a new signing key is followed when the trusted one vouches for it, through several rotations and a restart', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { stateDir })
  const [second, third] = [makeSigner(), makeSigner()]
  const endorse = (by: typeof second, next: typeof second, tenant = 't1') => ({
    public_key: next.publicKey,
    by: by.publicKey,
    signature: signText(endorsementText(tenant, next.publicKey), by),
  })
  const update = servedBy(third, { name: 'base', yaml: lax, version: 2, at: '2026-01-02T00:00:00Z' })
  const unproven = [
    [endorse(second, third)],
    [endorse(third, third)],
    [endorse(signer, third, 't2')],
    [{ ...endorse(signer, third), signature: signText('other', signer) }],
  ]
  for (const key_endorsements of unproven) {
    const before = one.problems.length
    server.push({ ...update, key_endorsements, version: 2 + before })
    await vi.waitFor(() => expect(one.problems.length + 1).toBeGreaterThan(before))
  }
  await isStrict(one)
  server.push({ ...update, key_endorsements: [endorse(second, third), endorse(signer, second)] })
  await vi.waitFor(() => expect(one.status().revision).toBe(update['revision_hash']))
  await one.close()
  await server.stop()
  const again = await start(server, { stateDir })
  await expect(readSecret(again)).resolves.toBe('secret')
})

test('without a server at the start and without anything kept there is no guard', async () => {
  const server = await pretendServer()
  await server.stop()
  await expect(start(server, { startTimeoutMs: 300 })).rejects.toThrow('There is nothing to enforce')
})

test('a server that answers nothing, or garbage, is no reason to run without rules', async () => {
  const server = await pretendServer()
  server.on('GET /v1/stream', () => undefined)
  await expect(start(server, { startTimeoutMs: 600, requestTimeoutMs: 200 })).rejects.toThrow(GuardFailed)
  server.on(
    'GET /v1/stream',
    (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Hi'),
  )
  await expect(start(server, { startTimeoutMs: 300 })).rejects.toThrow(GuardFailed)
  server.on('GET /v1/stream', (_request, response) =>
    server.answer(response, 401, { detail: 'Invalid or revoked API key.' }),
  )
  await expect(start(server)).rejects.toThrow('Invalid or revoked API key.')
  server.on(
    'GET /v1/stream',
    (_request, response) => void response.writeHead(302, { location: 'https://example.com' }).end(),
  )
  await expect(start(server, { startTimeoutMs: 300 })).rejects.toThrow(GuardFailed)
})

test('a ruleset that is live nowhere is told as such', async () => {
  const server = await pretendServer()
  await expect(start(server, { ruleset: 'nowhere' })).rejects.toThrow('Not Found')
})

test('a restart without a server enforces the last good revision', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  await (await start(server, { stateDir })).close()
  await server.stop()
  const again = await start(server, { stateDir })
  await isStrict(again)
  expect(again.status().isConnected).toBe(false)
  expect(kinds(again)).toContain('server_unreachable')
})

test('what was kept for another ruleset, or was tampered with, is not enforced', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  await (await start(server, { stateDir })).close()
  await server.stop()
  const without = { stateDir, startTimeoutMs: 300 }
  await expect(start(server, { ...without, ruleset: 'other' })).rejects.toThrow(GuardFailed)
  const file = join(stateDir, 'revision.json')
  const kept = readFileSync(file, 'utf8')
  const forged = servedBy(makeSigner(), { name: 'base', yaml: lax })
  const texts = [
    JSON.stringify({ ...JSON.parse(kept), ...forged }),
    JSON.stringify({ ...JSON.parse(kept), yaml_bytes: forged['yaml_bytes'], revision_hash: forged['revision_hash'] }),
    kept.slice(0, -20),
    '{}',
    'null',
  ]
  for (const text of texts) {
    writeFileSync(file, text)
    await expect(start(server, without), text.slice(-40)).rejects.toThrow(GuardFailed)
  }
  writeFileSync(file, kept)
  await isStrict(await start(server, { stateDir }))
  writeFileSync(join(stateDir, 'trusted-keys.json'), 'oops')
  await expect(start(server, { stateDir })).rejects.toThrow('trusted-keys.json')
})

test('options that would send the key in the clear, or cannot work, are refused', async () => {
  const bad: readonly Partial<ServerOptions>[] = [
    { url: 'http://example.com' },
    { url: 'ftp://localhost' },
    { url: 'nowhere' },
    { key: 'edk_production_a b' },
    { agentId: '../x' },
    { ruleset: 'a b' },
    { publicKeys: [] },
    { publicKeys: ['zz'] },
    { tags: { x: 'y'.repeat(300) } },
    { key: 'no-environment-in-it' },
  ]
  for (const options of bad) await expect(start({ url: 'http://127.0.0.1:1' }, options)).rejects.toThrow(GuardFailed)
})

test('with stepsBack refuse, what was replaced does not come back, whatever the server says of its time, also after a restart', async () => {
  const server = await pretendServer()
  const stateDir = await temporaryFolder()
  const old = servedBy(signer, { name: 'base', yaml: lax, version: 1 })
  const replay = { ...old, version: 9, deployed_at: '2026-01-09T00:00:00Z' }
  server.greetWith(old)
  const one = await start(server, { stateDir, stepsBack: 'refuse' })
  const now = servedBy(signer, { name: 'base', yaml: strict, version: 2, at: '2026-01-02T00:00:00Z' })
  server.push(now)
  await vi.waitFor(() => expect(one.status().revision).toBe(now['revision_hash']))
  server.push(replay)
  await vi.waitFor(() =>
    expect(one.problems.map(({ message }) => message).join()).toContain('was replaced here before'),
  )
  await isStrict(one)
  await one.close()
  server.greetWith(replay)
  const two = await start(server, { stateDir, stepsBack: 'refuse' })
  await vi.waitFor(() => expect(kinds(two)).toContain('revision_refused'))
  await isStrict(two)
  await two.close()
  // The default follows an operator's step back, of which the server's word is all there is.
  const three = await start(server, { stateDir })
  await vi.waitFor(() => expect(three.status().revision).toBe(old['revision_hash']))
})

test('a roll-out said to be of the future does not keep later ones from taking effect', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: lax, version: 1, at: '9999-01-01T00:00:00Z' }))
  const one = await start(server)
  const next = servedBy(signer, { name: 'base', yaml: strict, version: 2, at: '2026-01-02T00:00:00Z' })
  server.push(next)
  await vi.waitFor(() => expect(one.status().revision).toBe(next['revision_hash']))
  await isStrict(one)
})
