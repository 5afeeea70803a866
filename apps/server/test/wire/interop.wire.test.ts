import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openStream } from '../agent-stream.ts'
import { type TestDatabase, testDatabase } from '../database.ts'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type Answer, type TestServer, type TestTenant, testServer } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

let database: TestDatabase
let server: TestServer
let tenant: TestTenant
let key: string

beforeAll(async () => {
  database = await testDatabase()
  const environment = { COUNTERSIGN_BASE_URL: 'http://localhost:8000/edictum' }
  server = await testServer({ databaseUrl: database.url, environment })
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  await rollOutYaml(server, tenant, rulesetYaml('base'))
})
afterAll(async () => {
  await server.stop()
  await expectWholeTrail(database.url)
  await database.drop()
})

const node = { 'user-agent': 'node', 'accept-language': '*', 'accept-encoding': 'gzip, deflate' }
const go = { 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip' }
const question = { tool_args: { to: 'x' }, message: 'May I?', timeout: 300 }
const time = '2026-03-01T10:00:00.000000+00:00'
/** Go escapes what has a meaning in a path, and neither colons nor at signs have. */
const goSpells = (key: string): string => encodeURIComponent(key).replaceAll('%3A', ':').replaceAll('%40', '@')
/** Go writes these three as escapes wherever they stand in JSON. */
const goWrites = (body: object): string =>
  JSON.stringify(body).replace(/[<>&]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)

type Generation = {
  readonly name: string
  readonly prefix: '/v1' | '/api/v1'
  readonly headers: Readonly<Record<string, string>>
  readonly fetch: string
  readonly stream: string
  /** One that names nothing on its stream is told that something changed and fetches it. */
  readonly fetchesAnew?: true
  readonly session: string
  readonly spell?: (key: string) => string
  readonly write?: (body: object) => string
  /** How it says that a call went well after others had failed. */
  readonly resets: 'DELETE' | 'PUT'
  readonly question: object
  readonly event: object
  readonly stored: string
  readonly rendering?: 'ruleset'
  readonly kind: string
}

/** What a client of a generation sends, path by path and word by word (agent-api §8.2), as seen on the wire. */
const generations: readonly Generation[] = [
  {
    name: 'Python 0.16 and its like',
    prefix: '/api/v1',
    headers: {},
    fetch: '/bundles/base/current?env=production',
    stream: '/stream?env=production&bundle_name=base',
    session: 'session-1',
    resets: 'DELETE',
    question: { ...question, timeout_effect: 'deny' },
    event: {
      timestamp: time,
      verdict: 'call_denied',
      payload: { tool_args: { path: '.env' }, environment: 'production' },
    },
    stored: 'call_denied',
    kind: 'kind: ContractBundle',
  },
  {
    name: 'Python 0.19 and its like',
    prefix: '/v1',
    headers: {},
    fetch: '/rulesets/base/current?env=production',
    stream: '/stream?env=production&bundle_name=base',
    session: 'session-1',
    resets: 'DELETE',
    question: { ...question, timeout_action: 'block', session_id: 'session-1' },
    event: {
      timestamp: time,
      action: 'call_blocked',
      tool_args: { path: '.env' },
      environment: 'production',
      session_id: 'session-1',
    },
    stored: 'call_blocked',
    kind: 'kind: Ruleset',
  },
  {
    name: 'TypeScript 0.3 and 0.4',
    prefix: '/v1',
    headers: node,
    fetch: '/rulesets/base/current',
    stream: '/stream',
    fetchesAnew: true,
    session: 'user@example.com/über #1?x',
    spell: encodeURIComponent,
    resets: 'DELETE',
    question: { ...question, timeout: 1.5, timeout_action: 'deny', session_id: 'user@example.com/über #1?x' },
    event: {
      schema_version: '0.3.0',
      tool_args: { path: '.env' },
      side_effect: 'irreversible',
      environment: 'production',
      principal: null,
      action: 'call_blocked',
      decision_source: 'precondition',
      decision_name: 'no-env',
      reason: 'No.',
      hooks_evaluated: [],
      rules_evaluated: [],
      policy_version: null,
      timestamp: '2026-03-01T10:00:00.123Z',
      run_id: 'run-1',
      call_index: 0,
      parent_call_id: null,
      tool_success: null,
      postconditions_passed: null,
      duration_ms: 0,
      error: null,
      result_summary: null,
      session_attempt_count: 1,
      session_execution_count: 0,
      policy_error: false,
      session_id: 'user@example.com/über #1?x',
      workflow: null,
    },
    stored: 'call_blocked',
    kind: 'kind: Ruleset',
  },
  {
    name: 'TypeScript 0.2',
    prefix: '/api/v1',
    headers: node,
    fetch: '/bundles/base/current?env=production',
    stream: '/stream?env=production&bundle_name=base&tags=%7B%22team%22%3A%22%C3%A9+x%22%7D',
    session: 'session 2',
    spell: encodeURIComponent,
    resets: 'DELETE',
    question: { ...question, timeout_action: 'deny' },
    event: {
      timestamp: '2026-03-01T10:00:00.123Z',
      decision: 'call_denied',
      payload: { tool_args: { path: '.env' }, environment: 'production', principal: null, bundle_name: 'base' },
    },
    stored: 'call_denied',
    // It calls the old paths and loads the new dialect alone, so that its key has to say so.
    rendering: 'ruleset',
    kind: 'kind: Ruleset',
  },
  {
    name: 'Go 0.4 and 0.5',
    prefix: '/v1',
    headers: go,
    fetch: '/rulesets/base/current',
    stream: '/stream?env=production&bundle_name=base',
    session: 'user@example.com:ü #1?x %2F',
    spell: goSpells,
    write: goWrites,
    resets: 'PUT',
    // A call without arguments has no map of them.
    question: { ...question, tool_args: null, message: 'To <prod> & back?', timeout_action: 'block', session_id: 's' },
    event: {
      schema_version: '0.4.0',
      tool_args: null,
      side_effect: 'irreversible',
      environment: 'production',
      principal: null,
      action: 'call_blocked',
      decision_source: '',
      decision_name: '',
      reason: '',
      hooks_evaluated: null,
      rules_evaluated: null,
      policy_version: '',
      timestamp: '2026-03-01T10:00:00.12345678Z',
      run_id: 'run-1',
      call_index: 1,
      parent_call_id: null,
      session_id: 'user@example.com:ü #1?x %2F',
      parent_session_id: '',
      workflow: null,
      tool_success: null,
      postconditions_passed: null,
      duration_ms: 3,
      error: null,
      result_summary: null,
      session_attempt_count: 1,
      session_execution_count: null,
      policy_error: false,
    },
    stored: 'call_blocked',
    kind: 'kind: Ruleset',
  },
  {
    name: 'Go 0.2',
    prefix: '/api/v1',
    headers: go,
    fetch: '/bundles/base/current',
    stream: '/stream?env=production&bundle_name=base',
    session: 'session:2',
    spell: goSpells,
    write: goWrites,
    resets: 'PUT',
    question: { ...question, tool_args: null, timeout_effect: 'deny' },
    event: {
      timestamp: '2026-03-01T10:00:00.12345678Z',
      verdict: 'CALL_DENIED',
      payload: {
        tool_args: null,
        environment: 'production',
        principal: null,
        decision_source: '',
        bundle_name: 'base',
      },
    },
    stored: 'call_denied',
    kind: 'kind: ContractBundle',
  },
]

describe.each([
  ['at the root', ''],
  ['under the sub-path of its base URL', '/edictum'],
])('%s', (where, base) => {
  test.each(generations)('wire 70: a client of the generation of $name works end to end', async (generation) => {
    const { prefix, headers, spell = (text: string) => text, write = JSON.stringify } = generation
    const own = generation.rendering && (await server.newKey(tenant, 'production', { rendering: generation.rendering }))
    const agentKey = own?.key ?? key
    const agent = `${where.slice(0, 2)}-${generation.name.replaceAll(/[^\w.]/g, '-')}`
    // Every SDK announces JSON on every request, also on those without a body.
    const send = (method: string, path: string, body?: object): Promise<Answer> =>
      server.call(method, `${base}${prefix}${path}`, {
        key: agentKey,
        agent,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: write(body) }),
      })

    const fetched = await send('GET', generation.fetch)
    expect(fetched.status).toBe(200)
    const ruleset = fetched.body as { yaml_bytes: string; yaml: string; revision_hash: string }
    expect(Buffer.from(ruleset.yaml_bytes, 'base64').toString()).toBe(ruleset.yaml)
    expect(ruleset.yaml).toContain(generation.kind)

    const { 'user-agent': userAgent, ...others } = headers as { readonly 'user-agent'?: string }
    const stream = await openStream(server.url, `${base}${prefix}${generation.stream}`, {
      key: agentKey,
      agent,
      headers: { 'content-type': 'application/json', ...others },
      ...(userAgent !== undefined && { userAgent }),
    })
    expect(stream.headers['content-encoding']).toBeUndefined()
    if (generation.fetchesAnew) {
      const { version } = await rollOutYaml(server, tenant, rulesetYaml('base', agent))
      const [first] = await stream.next(1, 'ruleset_updated')
      expect(first?.data).toMatchObject({ name: 'base', version })
      const again = (await send('GET', generation.fetch)).body as { revision_hash: string }
      expect(again.revision_hash).not.toBe(ruleset.revision_hash)
    } else {
      const [first] = await stream.next(1, 'contract_update')
      expect(first?.data).toMatchObject({ revision_hash: ruleset.revision_hash, yaml_bytes: ruleset.yaml_bytes })
    }
    stream.close()

    // The session calls of one allowed call, in their order (agent-api §7).
    const id = `s:${generation.session}:${agent}`
    const at = (name: string): string => `/sessions/${spell(`${id}:${name}`)}`
    expect((await send('POST', `${at('attempts')}/increment`, { amount: 1 })).body).toEqual({ value: 1 })
    const batch = await send('POST', '/sessions/batch', { keys: [`${id}:attempts`, `${id}:execs`] })
    expect(batch.body).toEqual({ values: { [`${id}:attempts`]: '1', [`${id}:execs`]: null } })
    expect((await send('GET', at('execs'))).status).toBe(404)
    expect((await send('POST', `${at('execs')}/increment`, { amount: 1 })).body).toEqual({ value: 1 })
    const zero = generation.resets === 'PUT' ? { value: '0' } : undefined
    expect((await send(generation.resets, at('consec_fail'), zero)).status).toBe(200)
    expect((await send('POST', `${at('consec_fail')}/increment`, { amount: 1 })).body).toEqual({ value: 1 })
    expect((await send('GET', at('execs'))).body).toEqual({ value: '1' })

    const asked = await send('POST', '/approvals', { agent_id: agent, tool_name: 'deploy', ...generation.question })
    expect(asked.status).toBe(201)
    const { message } = generation.question as { message?: string }
    expect(asked.body).toMatchObject({ message, timeout_action: 'block', timeout_effect: 'deny' })
    const approval = asked.body as { id: string }
    const polled = `/approvals/${approval.id}`
    expect((await send('GET', polled)).body).toMatchObject({ status: 'pending' })
    const decided = await server.call('PUT', `${base}/api/v1/approvals/${approval.id}`, {
      cookie: tenant.cookie,
      body: { approved: true, reason: 'fine' },
    })
    expect(decided.status).toBe(200)
    expect((await send('GET', polled)).body).toMatchObject({ status: 'approved', decision_reason: 'fine' })

    const call = { call_id: `call-${agent}`, agent_id: agent, tool_name: 'read_file', mode: 'enforce' }
    const event = { ...call, ...generation.event }
    expect((await send('POST', '/events', { events: [event] })).body).toEqual({ accepted: 1, duplicates: 0 })
    expect((await send('POST', '/events', { events: [event] })).body).toEqual({ accepted: 0, duplicates: 1 })
    const told = JSON.stringify((await send('GET', `/events?agent_id=${agent}`)).body)
    expect(told).toContain(generation.stored)
  })

  test('wire 70: the first Go client, which says on its stream neither which agent it is nor anything of JSON, is kept up to date', async () => {
    const stream = await openStream(server.url, `${base}/api/v1/stream?env=production&bundle_name=base`, {
      key,
      userAgent: 'Go-http-client/1.1',
      headers: { accept: 'text/event-stream', 'accept-encoding': 'gzip' },
    })
    await stream.next(1, 'contract_update')
    const { version } = await rollOutYaml(server, tenant, rulesetYaml('base', `first ${where}`))
    const [, update] = await stream.next(2, 'contract_update')
    expect(update?.data).toMatchObject({ bundle_name: 'base', version })
    // It reads the text alone; its successors read the bytes first.
    const { yaml, yaml_bytes: bytes } = update?.data as { yaml: string; yaml_bytes: string }
    expect(yaml).toContain(`first ${where}`)
    expect(Buffer.from(bytes, 'base64').toString()).toBe(yaml)
    stream.close()
  })
})
