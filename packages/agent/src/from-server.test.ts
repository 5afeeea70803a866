import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { makeSigner, type PretendServer, pretendServer, servedBy, signText } from '../test/pretend-server.ts'
import { askForMail, noSecrets, rulesetOf, temporaryFolder, told } from '../test/rulesets.ts'
import { type Guard, GuardFailed, type GuardProblem, guard, type ServerOptions, systemClock } from './index.ts'
import { endorsementText } from './trust.ts'

const key = `edk_production_${'k'.repeat(43)}`
const signer = makeSigner()
const strict = rulesetOf('base', noSecrets)
const lax = rulesetOf('base', noSecrets.replace('.env', '.never'))

type Started = Guard & { readonly problems: GuardProblem[] }

async function start(server: Pick<PretendServer, 'url'>, options: Partial<ServerOptions> = {}): Promise<Started> {
  const problems: GuardProblem[] = []
  const made = await guard({
    url: server.url,
    key,
    agentId: 'a1',
    stateDir: options.stateDir ?? (await temporaryFolder()),
    startTimeoutMs: 5_000,
    requestTimeoutMs: 2_000,
    onProblem: (problem) => problems.push(problem),
    ...options,
  })
  onTestFinished(() => made.close())
  return { ...made, problems }
}

const readSecret = (one: Guard): Promise<unknown> =>
  one.run({ tool: 'read_file', args: { path: '.env' } }, () => 'secret')
const isStrict = (one: Guard): Promise<void> => expect(readSecret(one)).rejects.toMatchObject({ rule: 'no-secrets' })
const kinds = ({ problems }: Started): string[] => problems.map(({ kind }) => kind)

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

test('events and the manifest reach the server', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server)
  await one.run({ tool: 'work' }, () => 1)
  await isStrict(one)
  await one.close()
  expect(told(server.events as never)).toEqual(['call_allowed', 'call_executed', 'call_blocked no-secrets'])
  expect(server.manifests[0]).toMatchObject({
    agent_id: 'a1',
    policy_version: one.status().revision,
    rules: [{ id: 'no-secrets', type: 'pre', tool: 'read_file', mode: 'enforce' }],
  })
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

test('events of an outage are delivered when the server is back, each once and in order', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { stateDir })
  await server.stop()
  for (let number = 0; number < 30; number += 1) await one.run({ tool: 'work', args: { number } }, () => 1)
  await isStrict(one)
  expect(one.status().unsentBytes).toBeGreaterThan(0)
  await one.close()
  const back = await pretendServer(server.port)
  back.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const again = await start(back, { stateDir })
  await vi.waitFor(() => expect(back.events).toHaveLength(61), 5_000)
  const numbers = back.events.map(({ tool_args }) => (tool_args as { number?: number }).number)
  expect(numbers).toEqual([...Array.from({ length: 30 }, (_, number) => [number, number]).flat(), undefined])
  await vi.waitFor(() => expect(again.status().unsentBytes).toBe(0))
})

test('an event the server cannot read holds up no other', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server)
  const taken: Record<string, unknown>[] = []
  server.on('POST /v1/events', ({ body }, response) => {
    const { events } = JSON.parse(body) as { events: Record<string, unknown>[] }
    if (events.some(({ tool_name }) => tool_name === 'poison')) return server.answer(response, 422, { detail: 'no' })
    taken.push(...events)
    server.answer(response, 200, { accepted: events.length })
  })
  for (const tool of ['a', 'b', 'poison', 'c', 'd']) await one.run({ tool }, () => 1)
  await one.close()
  expect(taken.map(({ tool_name }) => tool_name)).toEqual(['a', 'a', 'b', 'b', 'c', 'c', 'd', 'd'])
  expect(one.status().lostEvents).toBe(2)
  expect(kinds(one)).toContain('events_refused')
})

/** Every file this guard will spool into is the device that is always full. */
function fillDisk(stateDir: string): void {
  const [own = ''] = readdirSync(join(stateDir, 'spool'))
  for (let number = 1; number < 30; number += 1) {
    symlinkSync('/dev/full', join(stateDir, 'spool', own, `${String(number).padStart(9, '0')}.jsonl`))
  }
}

test('with a full disk nothing that changes something is run; what only reads is', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { stateDir })
  fillDisk(stateDir)
  const execute = vi.fn(() => 1)
  await expect(one.run({ tool: 'send_mail' }, execute)).rejects.toMatchObject({ code: 'not_recorded' })
  await expect(one.run({ tool: 'unknown_tool' }, execute)).rejects.toMatchObject({ code: 'not_recorded' })
  expect(execute).not.toHaveBeenCalled()
  await isStrict(one)
  await expect(one.run({ tool: 'read_invoice' }, execute)).resolves.toBe(1)
  expect(one.status().lostEvents).toBeGreaterThan(0)
  expect(kinds(one)).toContain('events_lost')
})

test('with a full disk calls go on where an operator said so, the rules as before, and the loss is counted', async () => {
  const stateDir = await temporaryFolder()
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { stateDir, whenUnrecorded: 'continue' })
  fillDisk(stateDir)
  await expect(one.run({ tool: 'send_mail' }, () => 1)).resolves.toBe(1)
  await isStrict(one)
  expect(one.status().lostEvents).toBe(3)
})

test('a spool that is full blocks like a disk that is', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { spool: { bytesMax: 20_000 } })
  server.on('POST /v1/events', (_request, response) => server.answer(response, 503, { detail: 'busy' }))
  let calls = 0
  await expect(
    (async () => {
      for (; calls < 20; calls += 1) await one.run({ tool: 'work' }, () => 1)
    })(),
  ).rejects.toMatchObject({ code: 'not_recorded' })
  expect(calls).toBeGreaterThan(0)
})

const pending = { id: 'ap-1', status: 'pending' }

/** A guard whose rules ask, and an approval that is answered as the test says. */
async function asking(answers: readonly (object | number)[], rules = askForMail, more: Partial<ServerOptions> = {}) {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: rulesetOf('base', rules) }))
  const questions: Record<string, unknown>[] = []
  const left = [...answers]
  server.on('POST /v1/approvals', ({ body }, response) => {
    questions.push(JSON.parse(body) as Record<string, unknown>)
    server.answer(response, 201, pending)
  })
  server.on('GET /v1/approvals/ap-1', (_request, response) => {
    const next = left.length > 1 ? left.shift() : left[0]
    if (typeof next === 'number') server.answer(response, next, { detail: 'no' })
    else server.answer(response, 200, { ...pending, ...next })
  })
  const one = await start(server, more)
  const mail = () => one.run({ tool: 'send_mail', args: { to: 'a@example.com' } }, () => 'sent')
  return { server, one, questions, mail }
}

test('a held call is asked about with everything a human needs, waits, and runs when he allows it', async () => {
  const { mail, questions, server, one } = await asking([pending, pending, { status: 'approved', decided_by: 'ada' }])
  await expect(mail()).resolves.toBe('sent')
  expect(questions).toEqual([
    {
      agent_id: 'a1',
      tool_name: 'send_mail',
      tool_args: { to: 'a@example.com' },
      message: 'May a mail go to a@example.com?',
      timeout: 300,
      timeout_action: 'block',
      session_id: one.status().sessionId,
      rule_name: 'ask-for-mail',
      decision_source: 'yaml_precondition',
    },
  ])
  await one.close()
  expect(told(server.events as never)).toEqual([
    'call_asked ask-for-mail',
    'call_approval_granted ask-for-mail',
    'call_allowed',
    'call_executed',
  ])
})

test('a server that stumbles while a human thinks is asked again', async () => {
  const { mail } = await asking([503, 500, pending, { status: 'approved' }])
  await expect(mail()).resolves.toBe('sent')
})

test.each([
  ['a no', { status: 'denied', reason: 'Not today' }, 'approval_denied'],
  ['a newer word for no', { status: 'rejected' }, 'approval_denied'],
  ['a deadline that passed', { status: 'timeout' }, 'approval_timed_out'],
  ['an approval that is gone', 404, 'approval_unavailable'],
  ['a key that was revoked', 401, 'approval_unavailable'],
])('%s runs nothing', async (_what, answer, code) => {
  const { mail } = await asking([answer])
  await expect(mail()).rejects.toMatchObject({ code })
})

const allowing = askForMail
  .replace('timeout_action: block', 'timeout_action: allow')
  .replace('timeout: 300', 'timeout: 1')

test('a rule that allows when nobody answers does so on the server’s word only', async () => {
  await expect((await asking([{ status: 'timeout' }], allowing)).mail()).resolves.toBe('sent')
  let steadyMs = 0
  const clock = { ...systemClock, steadyMs: () => (steadyMs += 4_000) }
  await expect((await asking([503], allowing, { clock })).mail()).rejects.toMatchObject({
    code: 'approval_unavailable',
  })
  await expect((await asking([{ status: 'shrug' }], allowing, { clock })).mail()).rejects.toMatchObject({
    code: 'approval_unavailable',
  })
})

test('a question the server does not take runs nothing', async () => {
  for (const status of [400, 401, 429]) {
    const { server, mail } = await asking([{ status: 'approved' }], allowing)
    server.on('POST /v1/approvals', (_request, response) => server.answer(response, status, { detail: 'no' }))
    await expect(mail()).rejects.toMatchObject({ code: 'approval_unavailable' })
  }
  const { server, mail } = await asking([{ status: 'approved' }], allowing)
  server.on('POST /v1/approvals', (_request, response) => server.answer(response, 201, { id: '../../x' }))
  await expect(mail()).rejects.toMatchObject({ code: 'approval_unavailable' })
})

test('a clock that jumps moves no deadline', async () => {
  let hours = 0
  const clock = { ...systemClock, now: () => new Date(Date.UTC(2026, 0, 1) + (hours += 1_000) * 3_600_000) }
  const forward = await asking([pending, pending, { status: 'approved' }], askForMail, { clock })
  await expect(forward.mail()).resolves.toBe('sent')
  const back = { ...systemClock, now: () => new Date(Date.UTC(2026, 0, 1) - (hours += 1_000) * 3_600_000) }
  const denied = await asking([pending, { status: 'denied' }], askForMail, { clock: back })
  await expect(denied.mail()).rejects.toMatchObject({ code: 'approval_denied' })
})

test('what was approved under other rules is asked about again', async () => {
  const { server, mail, questions, one } = await asking([pending])
  const next = servedBy(signer, {
    name: 'base',
    yaml: rulesetOf('base', askForMail.replace('May a', 'Should a')),
    version: 2,
    at: '2026-01-02T00:00:00Z',
  })
  let polls = 0
  server.on('GET /v1/approvals/ap-1', (_request, response) => {
    polls += 1
    if (polls === 1) server.push(next)
    const isSeen = one.status().revision === next['revision_hash']
    server.answer(response, 200, { ...pending, status: isSeen ? 'approved' : 'pending' })
  })
  await expect(mail()).resolves.toBe('sent')
  expect(questions.map(({ message }) => message)).toEqual([
    'May a mail go to a@example.com?',
    'Should a mail go to a@example.com?',
  ])
})

test('a counter that cannot be had, or is none, blocks', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { counters: 'server' })
  await expect(one.run({ tool: 'work' }, () => 1)).rejects.toMatchObject({ code: 'counters_unavailable' })
  server.on('POST /v1/sessions', ({ url }, response) => {
    const isBatch = url.pathname.endsWith('batch')
    server.answer(response, 200, isBatch ? { values: {} } : { value: 'many' })
  })
  await expect(one.run({ tool: 'work' }, () => 1)).rejects.toMatchObject({ code: 'counters_unavailable' })
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
