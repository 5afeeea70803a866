import { createHash, createPublicKey, verify } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type AgentStream, openStream, type StreamEvent } from '../agent-stream.ts'
import { fetchRuleset, rollOutVersion, rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let server: ServerApart
let tenant: TestTenant
let key: string
let stagingKey: string
const open: AgentStream[] = []

beforeAll(async () => {
  server = await serverApart()
})
afterAll(async () => {
  await server.stop(expectWholeTrail)
})
beforeEach(async () => {
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  stagingKey = (await server.newKey(tenant, 'staging')).key
  await rollOutYaml(server, tenant, rulesetYaml('base', 'one'))
})
afterEach(() => {
  for (const stream of open.splice(0)) stream.close()
})

async function listen(path: string, agent = 'a1', as = key, userAgent?: string): Promise<AgentStream> {
  const stream = await openStream(server.url, path, { key: as, agent, ...(userAgent !== undefined && { userAgent }) })
  open.push(stream)
  return stream
}

async function updateOf(stream: AgentStream, count = 1): Promise<StreamEvent['data']> {
  return (await stream.next(count, 'contract_update')).at(-1)?.data ?? {}
}

/** Whatever was going to be sent before this rollout has been sent when it arrives. */
async function fence(watch: AgentStream): Promise<void> {
  await rollOutYaml(server, tenant, rulesetYaml('fence', String(performance.now())))
  await watch.next(1, 'contract_update')
}

const assign = (agents: readonly string[], ruleset: string | null, environment = 'production') =>
  server.call('PUT', '/api/v2/assignments', {
    cookie: tenant.cookie,
    body: { agent_ids: agents, environment, ruleset },
  })

describe.each([
  ['/v1', 'ruleset', 'rulesets'],
  ['/api/v1', 'contract_bundle', 'bundles'],
] as const)('under %s', (prefix, _rendering, word) => {
  const current = (name = 'base', agent = 'a1') => fetchRuleset(server, key, `${prefix}/${word}/${name}/current`, agent)

  test('wire 16: a stream without a query is taken: event-stream, headers within a second, not encoded', async () => {
    const begun = performance.now()
    const stream = await listen(`${prefix}/stream`)
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(stream.status).toBe(200)
    expect(stream.headers['content-type']).toBe('text/event-stream')
    expect(stream.headers['content-encoding']).toBeUndefined()
    expect(stream.headers['cache-control']).toBe('no-store')
    expect(stream.headers['x-accel-buffering']).toBe('no')
  })

  test('wire 17: a stream of another environment than the key’s is refused with 403 and JSON', async () => {
    const stream = await listen(`${prefix}/stream?env=staging`)
    expect(stream.status).toBe(403)
    expect(stream.headers['content-type']).toContain('application/json')
    expect(JSON.parse(stream.body())).toEqual({ detail: expect.any(String) })
  })

  test('wire 18: what is sent holds no CR, and every event is one event line, one data line, one space', async () => {
    const stream = await listen(`${prefix}/stream?env=production&bundle_name=base`)
    // Otherwise a slow first look finds the second revision only, and sends nothing before it.
    await updateOf(stream)
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two\r\nlines'))
    await stream.next(2, 'contract_update')
    await assign(['a1'], 'base')
    expect(stream.body()).not.toContain('\r')
    for (const frame of stream.body().split('\n\n').slice(0, -1)) {
      expect(frame).toMatch(/^(?::[^\n]*|event: [^ \n][^\n]*\ndata: [^ \n][^\n]*)$/)
    }
  })

  test('wire 20: an agent that names a ruleset and reports nothing is sent it within a second', async () => {
    const begun = performance.now()
    const stream = await listen(`${prefix}/stream?env=production&bundle_name=base`)
    const update = await updateOf(stream)
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(update).toMatchObject({ type: 'contract_update', bundle_name: 'base', version: 1 })
    expect(update['revision_hash']).toBe((await current()).revision_hash)
    expect(update['_assignment_changed']).toBeUndefined()
  })

  test('wire 21: an agent that reports the current revision is sent nothing until a rollout; an older one, at once', async () => {
    const { revision_hash: first } = await current()
    const upToDate = await listen(`${prefix}/stream?bundle_name=base&policy_version=${first}`)
    const watch = await listen(`${prefix}/stream?bundle_name=fence`, 'watch')
    await fence(watch)
    expect(upToDate.events().filter(({ name }) => name === 'contract_update')).toEqual([])
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    expect(await updateOf(upToDate)).toMatchObject({ version: 2 })
    const behind = await listen(`${prefix}/stream?bundle_name=base&policy_version=${first}`)
    expect(await updateOf(behind)).toMatchObject({ version: 2 })
  })

  test('wire 22: a rollout reaches those who follow that ruleset in that environment, once, and nobody else', async () => {
    await rollOutYaml(server, tenant, rulesetYaml('other', 'one'))
    const follower = await listen(`${prefix}/stream?bundle_name=base`)
    const other = await listen(`${prefix}/stream?bundle_name=other`, 'a2')
    const staging = await listen(`${prefix}/stream?bundle_name=base`, 'a3', stagingKey)
    const nobody = await listen(`${prefix}/stream`, 'a4')
    const watch = await listen(`${prefix}/stream?bundle_name=fence`, 'watch')
    await Promise.all([updateOf(follower), updateOf(other)])
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    expect(await updateOf(follower, 2)).toMatchObject({ bundle_name: 'base', version: 2 })
    await fence(watch)
    const versions = (stream: AgentStream) =>
      stream
        .events()
        .flatMap(({ name, data }) => (name === 'contract_update' ? [`${data['name']} ${data['version']}`] : []))
    expect(versions(follower)).toEqual(['base 1', 'base 2'])
    expect(versions(other)).toEqual(['other 1'])
    expect(versions(staging)).toEqual([])
    expect(versions(nobody)).toEqual([])
  })

  test('wire 24: what is pushed hashes to its revision and its signature verifies over those bytes', async () => {
    const update = await updateOf(await listen(`${prefix}/stream?bundle_name=base`))
    const bytes = Buffer.from(String(update['yaml_bytes']), 'base64')
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(update['revision_hash'])
    expect(update['yaml']).toBe(bytes.toString('utf8'))
    expect(update['signature']).toMatch(/^[A-Za-z0-9+/]{86}==$/)
    const { public_key: publicKey } = await current()
    expect(update['public_key']).toBe(publicKey)
    const spki = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), Buffer.from(publicKey, 'hex')])
    const verifier = createPublicKey({ key: spki, format: 'der', type: 'spki' })
    expect(verify(null, bytes, verifier, Buffer.from(String(update['signature']), 'base64'))).toBe(true)
  })

  test('wire 25: an agent that names nothing and has an assignment is sent it within a second, whole', async () => {
    expect((await assign(['a1'], 'base')).status).toBe(200)
    const begun = performance.now()
    const update = await updateOf(await listen(`${prefix}/stream`))
    expect(performance.now() - begun).toBeLessThan(1_000)
    expect(update).toMatchObject({ bundle_name: 'base', yaml_bytes: expect.any(String) })
    expect(update['_assignment_changed']).toBeUndefined()
  })

  test('wire 26: rules by pattern and tags decide for whoever names nothing, the lowest priority first', async () => {
    await rollOutYaml(server, tenant, rulesetYaml('other', 'one'))
    const rule = (priority: number, ruleset: string, pattern: string, tags: object | null) =>
      server.call('POST', '/api/v2/assignment-rules', {
        cookie: tenant.cookie,
        body: { priority, pattern, tag_match: tags, environment: 'production', ruleset },
      })
    expect((await rule(10, 'base', 'bot-*', { team: 'x' })).status).toBe(201)
    const tagged = (team: string) => `${prefix}/stream?tags=${encodeURIComponent(JSON.stringify({ team }))}`
    const x = await listen(tagged('x'), 'bot-1')
    const y = await listen(tagged('y'), 'bot-1')
    const web = await listen(tagged('x'), 'web-1')
    expect(await updateOf(x)).toMatchObject({ bundle_name: 'base' })
    expect((await rule(5, 'other', 'bot-?', null)).status).toBe(201)
    // Both of the bots follow the lower one now, and are told so while they are connected.
    expect(await updateOf(x, 2)).toMatchObject({ bundle_name: 'other', _assignment_changed: true })
    expect(await updateOf(y)).toMatchObject({ bundle_name: 'other' })
    const watch = await listen(`${prefix}/stream?bundle_name=fence`, 'watch')
    await fence(watch)
    expect(web.events().filter(({ name }) => name === 'contract_update')).toEqual([])
  })

  test.each(['[1]', 'not-json', '{}', '{"a":1}', '{"a":"\\u0000"}', '{"a":"\\ud800"}', 'null', ''])(
    'wire 27: odd tags (%s) are passed over',
    async (tags) => {
      const stream = await listen(`${prefix}/stream?bundle_name=base&tags=${encodeURIComponent(tags)}`)
      expect(stream.status).toBe(200)
      await updateOf(stream)
    },
  )

  test('wire 28: an agent that is reassigned while connected is moved, and follows its new ruleset from then on', async () => {
    await rollOutYaml(server, tenant, rulesetYaml('other', 'one'))
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    await updateOf(stream)
    expect((await assign(['a1'], 'other')).status).toBe(200)
    const told = await stream.next(1, 'assignment_changed')
    expect(told[0]?.data).toEqual({
      type: 'assignment_changed',
      agent_id: 'a1',
      bundle_name: 'other',
      source: 'explicit',
    })
    const order = () =>
      stream
        .events()
        .filter(({ name }) => name !== 'ruleset_updated')
        .map(({ name }) => name)
    expect(order()).toEqual(['contract_update', 'contract_update', 'assignment_changed'])
    const pointer = await updateOf(stream, 2)
    expect(pointer).toMatchObject({ bundle_name: 'other', _assignment_changed: true })
    expect(pointer['revision_hash']).toBe((await current('other')).revision_hash)
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    await rollOutYaml(server, tenant, rulesetYaml('other', 'two'))
    const next = await updateOf(stream, 3)
    expect(next).toMatchObject({ bundle_name: 'other', version: 2 })
    expect(next['_assignment_changed']).toBeUndefined()
    expect(order()).toHaveLength(4)
  })

  test('wire 29: clearing an assignment without a rule to follow sends no event, least of all a null', async () => {
    await assign(['a1'], 'base')
    const stream = await listen(`${prefix}/stream`)
    await updateOf(stream)
    expect((await assign(['a1'], null)).status).toBe(200)
    const watch = await listen(`${prefix}/stream?bundle_name=fence`, 'watch')
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    await fence(watch)
    const updates = stream.events().filter(({ name }) => name !== 'ruleset_updated')
    expect(updates.map(({ data }) => data['bundle_name'])).toEqual(['base'])
  })

  test('wire 30: a ruleset of 500 KiB is sent in lines every client can read', async () => {
    const yaml = rulesetYaml('large', 'é'.repeat(1_000)).replace('rules:', `# ${'x'.repeat(505_000)}\nrules:`)
    await rollOutYaml(server, tenant, yaml)
    const stream = await listen(`${prefix}/stream?bundle_name=large`)
    const update = await updateOf(stream)
    for (const line of stream.body().split('\n')) expect(Buffer.byteLength(line)).toBeLessThan(900_000)
    const bytes = Buffer.from(String(update['yaml_bytes']), 'base64')
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(update['revision_hash'])
    expect(update['revision_hash']).toBe((await current('large')).revision_hash)
  })

  test('wire 34: no approval of another agent is told to an agent', async () => {
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    await updateOf(stream)
    const asked = await server.call('POST', `${prefix}/approvals`, {
      key,
      agent: 'a2',
      body: { agent_id: 'a2', tool_name: 'deploy_it', tool_args: {}, message: 'secret plan', timeout: 300 },
    })
    expect(asked.status).toBe(201)
    const { id } = asked.body as { id: string }
    const decided = await server.call('PUT', `/api/v1/approvals/${id}`, {
      cookie: tenant.cookie,
      body: { approved: true },
    })
    expect(decided.status).toBe(200)
    const watch = await listen(`${prefix}/stream?bundle_name=fence`, 'watch')
    await fence(watch)
    expect(stream.body()).not.toMatch(/approval|secret plan|deploy_it/)
    expect(stream.events().every(({ name }) => ['contract_update', 'ruleset_updated'].includes(name))).toBe(true)
  })

  test('an agent whose assignment is not what it names is told the name as it connects', async () => {
    await rollOutYaml(server, tenant, rulesetYaml('other', 'one'))
    await assign(['a1'], 'other')
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    await stream.next(1, 'assignment_changed')
    expect(stream.events().map(({ name, data }) => [name, data['bundle_name']])).toEqual([
      ['contract_update', 'other'],
      ['assignment_changed', 'other'],
    ])
  })

  test('an agent assigned a ruleset that is not live yet is told when it is', async () => {
    await rollOutYaml(server, tenant, rulesetYaml('later', 'one'), 'staging')
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    await updateOf(stream)
    expect((await assign(['a1'], 'later')).status).toBe(200)
    await rollOutVersion(server, tenant, 'later', 1)
    expect(await updateOf(stream, 2)).toMatchObject({ bundle_name: 'later', _assignment_changed: true })
  })

  test('rolling the same version out again is told again, and a rollback brings the older one', async () => {
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    await updateOf(stream)
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    await updateOf(stream, 2)
    await rollOutVersion(server, tenant, 'base', 1)
    expect(await updateOf(stream, 3)).toMatchObject({ version: 1 })
  })

  test('two streams of one agent are both served', async () => {
    const [one, other] = await Promise.all([
      listen(`${prefix}/stream?bundle_name=base`),
      listen(`${prefix}/stream?bundle_name=base`),
    ])
    await Promise.all([updateOf(one), updateOf(other)])
    await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
    for (const stream of [one, other]) expect(await updateOf(stream, 2)).toMatchObject({ version: 2 })
  })

  test('another tenant’s rollout of the same names reaches nobody here', async () => {
    const stream = await listen(`${prefix}/stream?bundle_name=base`)
    await updateOf(stream)
    const theirs = await server.newTenant()
    await rollOutYaml(server, theirs, rulesetYaml('base', 'theirs'))
    await rollOutYaml(server, theirs, rulesetYaml('base', 'theirs too'))
    const watch = await listen(`${prefix}/stream?bundle_name=fence`, 'watch')
    await fence(watch)
    expect(stream.events().filter(({ name }) => name === 'contract_update')).toHaveLength(1)
  })
})

test('wire 23: under /v1 whoever names nothing hears that a ruleset was rolled out, and its version', async () => {
  const stream = await listen('/v1/stream', 'ts')
  const old = await listen('/api/v1/stream', 'py')
  await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
  const [event] = await stream.next(1, 'ruleset_updated')
  expect(event?.data).toMatchObject({ name: 'base', version: 2, env: 'production' })
  expect(Number.isInteger(event?.data['version'])).toBe(true)
  expect(old.events()).toEqual([])
})

test('wire 23: a client that only fetches is told, as it connects, what changed since its last fetch', async () => {
  await fetchRuleset(server, key, '/v1/rulesets/base/current', 'ts')
  await rollOutYaml(server, tenant, rulesetYaml('base', 'two'))
  const stream = await listen('/v1/stream', 'ts', key, 'node')
  const [event] = await stream.next(1, 'ruleset_updated')
  expect(event?.data).toMatchObject({ name: 'base', version: 2 })
  expect(stream.events().filter(({ name }) => name === 'contract_update')).toEqual([])
})

test('wire 24: a key whose rendering was chosen is pushed that one under either prefix', async () => {
  const { key: fixed } = await server.newKey(tenant, 'production', { rendering: 'contract_bundle' })
  for (const prefix of ['/v1', '/api/v1']) {
    const update = await updateOf(await listen(`${prefix}/stream?bundle_name=base`, 'a1', fixed))
    expect(String(update['yaml'])).toContain('kind: ContractBundle')
  }
})
