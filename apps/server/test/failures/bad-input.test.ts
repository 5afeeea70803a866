import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rollOutYaml, rulesetYaml } from '../rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'

/** What bad input gets: the exact status and body, in the words of the door it came through. */

let server: ServerApart
let tenant: TestTenant
let key: string
let stagingKey: string

beforeAll(async () => {
  server = await serverApart()
  tenant = await server.newTenant()
  key = (await server.newKey(tenant)).key
  stagingKey = (await server.newKey(tenant, 'staging')).key
  await rollOutYaml(server, tenant, rulesetYaml('base'))
})
afterAll(() => server.stop())

/** Our own door's body (RFC 9457). */
const problem = (status: number, code: string, title: string, detail: string, more: object = {}) => ({
  type: `/docs/reference/errors.md#${code}`,
  title,
  status,
  detail,
  code,
  request_id: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
  ...more,
})
const person = () => ({ cookie: tenant.cookie })

describe('credentials', () => {
  test.each(['edk_production_0000000000000000000000000000000000000000000', 'edk_', 'nonsense', ''])(
    'an unknown key (%j) is refused in the words of each door',
    async (unknown) => {
      const answer = await server.call('GET', '/v1/rulesets/base/current', { key: unknown, agent: 'a1' })
      const words = unknown === '' ? 'Authorization header must use Bearer scheme.' : 'Invalid or revoked API key.'
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 401, body: { detail: words } })
      const native = await server.call('GET', '/api/v2/keys', { key: unknown })
      expect(native.body).toEqual(problem(401, 'not_signed_in', 'Sign in first', 'Not authenticated.'))
      expect(native.headers.get('content-type')).toMatch(/^application\/problem\+json/)
    },
  )

  test('a revoked key is refused as an unknown one', async () => {
    const { id, key: revoked } = await server.newKey(tenant)
    await server.call('POST', `/api/v2/keys/${id}/revoke`, person())
    const answer = await server.call('POST', '/v1/events', { key: revoked, agent: 'a1', body: { events: [] } })
    expect({ status: answer.status, body: answer.body }).toEqual({
      status: 401,
      body: { detail: 'Invalid or revoked API key.' },
    })
  })

  test('a key of another environment is told of both, or finds nothing', async () => {
    const asked = await server.call('GET', '/v1/rulesets/base/current?env=production', { key: stagingKey })
    expect({ status: asked.status, body: asked.body }).toEqual({
      status: 403,
      body: { detail: "API key is for environment 'staging', not 'production'." },
    })
    const stream = await server.call('GET', '/v1/stream?env=production', { key: stagingKey })
    expect({ status: stream.status, body: stream.body }).toEqual({ status: asked.status, body: asked.body })
    const silent = await server.call('GET', '/v1/rulesets/base/current', { key: stagingKey })
    expect({ status: silent.status, body: silent.body }).toEqual({
      status: 404,
      body: { detail: "No deployed version of bundle 'base' in 'staging'." },
    })
  })

  test('another tenant’s id is nobody’s id', async () => {
    const other = await server.newTenant()
    const { id } = await server.newKey(other)
    const missing = '018f0000-0000-7000-8000-000000000001'
    for (const one of [id, missing]) {
      const native = await server.call('POST', `/api/v2/keys/${one}/revoke`, person())
      expect(native.body).toEqual(problem(404, 'not_found', 'No such thing', 'There is no such key.'))
      const older = await server.call('DELETE', `/api/v1/keys/${one}`, person())
      expect({ status: older.status, body: older.body }).toEqual({
        status: 404,
        body: { detail: 'API key not found or already revoked.' },
      })
      const agents = await server.call('GET', `/v1/approvals/${one}`, { key, agent: 'a1' })
      expect({ status: agents.status, body: agents.body }).toEqual({
        status: 404,
        body: { detail: 'There is no such approval.' },
      })
    }
  })
})

describe('documents', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    [
      'cut short',
      'a: [',
      'line 1, column 5: Cannot parse the YAML here: a [ above is not closed, or this line is not indented below it. Close it with ], or indent what belongs inside.',
    ],
    [
      'that contains itself',
      '&a [*a]',
      'line 1, column 5: Cannot parse the YAML: the alias *a refers to a value that contains it. Write the value out.',
    ],
    [
      'with a key twice',
      `${rulesetYaml('twice')}rules: []\n`,
      'line 17, column 1: Cannot parse the YAML: duplicate key "rules" in one mapping. Remove one of them; readers do not agree which one counts.',
    ],
    [
      'that is no mapping',
      '- a',
      'line 1, column 1: A ruleset must be a mapping (key: value) at its top level. Begin with `apiVersion: edictum/v1` and `kind: Ruleset`.',
    ],
  ]

  test.each(cases)('a ruleset %s is refused at its line', async (_, yaml, words) => {
    const older = await server.call('POST', '/api/v1/bundles', { ...person(), body: { yaml_content: yaml } })
    expect(older.status).toBe(422)
    const { detail } = older.body as { detail: { loc: string[]; msg: string }[] }
    expect(detail).toContainEqual({ loc: ['body', 'yaml_content'], msg: words })
    const native = await server.call('POST', '/api/v2/rulesets', { ...person(), body: { yaml } })
    expect(native.body).toMatchObject(
      problem(422, 'invalid_input', 'The request does not fit', expect.any(String) as string),
    )
    const { diagnostics } = native.body as { diagnostics: { line: number; column: number; message: string }[] }
    const told = diagnostics.map(({ line, column, message }) => `line ${line}, column ${column}: ${message}`)
    expect(told.some((text) => words.startsWith(text))).toBe(true)
  })

  test('of a JSON member that is there twice the last one counts, everywhere the same', async () => {
    const headers = { 'content-type': 'application/json' }
    // The large number makes the server read the text a second time, to keep its digits.
    const args = `"tool_args":{"path":"/first","path":"/last","n":12345678901234567890}`
    const asked = await server.call('POST', '/v1/approvals', {
      key,
      agent: 'a1',
      headers,
      body: `{"tool_name":"first","tool_name":"last","message":"m",${args}}`,
    })
    expect(asked.text).toContain('"tool_name":"last"')
    expect(asked.text).toContain('"path":"/last"')
    expect(asked.text).not.toContain('/first')
    const event = `{"call_id":"twice","tool_name":"first","tool_name":"last","verdict":"call_allowed",${args}}`
    const sent = await server.call('POST', '/v1/events', { key, agent: 'a1', headers, body: `{"events":[${event}]}` })
    expect(sent.body).toEqual({ accepted: 1, duplicates: 0 })
    const { text } = await server.call('GET', '/v1/events?limit=1', { key })
    expect(text).toContain('"path":"/last"')
    expect(text).not.toContain('/first')
  })
})

describe('bodies', () => {
  const bytes = (text: string, ...more: readonly number[]) =>
    Buffer.concat([Buffer.from(text), Buffer.from(more), Buffer.from('"}')])
  const post = async (path: string, headers: Readonly<Record<string, string>>, body: Uint8Array<ArrayBuffer>) => {
    const all = { 'content-type': 'application/json', 'x-requested-with': 'test', ...headers }
    const response = await fetch(`${server.url}${path}`, { method: 'POST', headers: all, body })
    return { status: response.status, body: await response.json() }
  }

  test('broken UTF-8 is refused and stored nowhere', async () => {
    const body = bytes('{"tool_name":"t","message":"', 0xc3, 0x28)
    const words = 'The body is not valid UTF-8.'
    expect(await post('/v1/approvals', { authorization: `Bearer ${key}` }, body)).toEqual({
      status: 422,
      body: { detail: words },
    })
    expect(await post('/api/v2/keys', person(), body)).toEqual({
      status: 422,
      body: problem(422, 'invalid_input', 'The request does not fit', words),
    })
  })

  test('what is no JSON is refused with the place', async () => {
    const body = Buffer.from('{"events":[')
    const words = 'The body is not valid JSON: Unexpected end of JSON input'
    expect(await post('/v1/events', { authorization: `Bearer ${key}` }, body)).toEqual({
      status: 400,
      body: { detail: words },
    })
    expect(await post('/api/v2/keys', person(), body)).toEqual({
      status: 400,
      body: problem(400, 'malformed', 'The request cannot be read', words),
    })
  })

  const mebi = 1_048_576
  type Door = readonly [path: string, method: string, bytesMax: number, words: string]
  const agentDoors: readonly Door[] = [
    ['/v1/events', 'POST', 64 * mebi, '64MB'],
    ['/api/v1/events', 'POST', 64 * mebi, '64MB'],
    ['/v1/approvals', 'POST', mebi, '1MB'],
    ['/v1/sessions/counter/increment', 'POST', mebi, '1MB'],
  ]
  const personDoors: readonly Door[] = [
    ['/api/v1/bundles', 'POST', 5 * mebi, '5MB'],
    ['/api/v1/keys', 'POST', mebi, '1MB'],
    ['/api/v2/rulesets', 'POST', 5 * mebi, ''],
    ['/api/v2/keys', 'POST', mebi, ''],
  ]
  const openDoors: readonly Door[] = [
    ['/api/v1/auth/login', 'POST', 4096, '4KB'],
    ['/api/v1/setup', 'POST', 4096, '4KB'],
    ['/api/v2/session', 'POST', 4096, ''],
    ['/api/v2/setup', 'POST', 4096, ''],
  ]

  /** Announces a body and sends not one byte of it: whoever answers has not waited for it. */
  function announce(method: string, path: string, credential: string, length: number) {
    const { hostname, port } = new URL(server.url)
    const socket = connect({ host: hostname, port: Number(port) })
    const head = [
      `${method} ${path} HTTP/1.1`,
      'Host: localhost',
      'Content-Type: application/json',
      'X-Requested-With: test',
      ...(credential === '' ? [] : [credential]),
      `Content-Length: ${length}`,
    ]
    return new Promise<{ readonly status: number; readonly body: unknown }>((resolve, reject) => {
      let received = ''
      socket.on('error', reject)
      socket.on('data', (chunk: Buffer) => {
        received += chunk.toString()
        const [top = '', text = ''] = received.split('\r\n\r\n')
        const announced = /content-length: (\d+)/i.exec(top)?.[1]
        if (announced === undefined || Buffer.byteLength(text) < Number(announced)) return
        socket.destroy()
        resolve({ status: Number(top.split(' ')[1]), body: JSON.parse(text) as unknown })
      })
      socket.write(`${head.join('\r\n')}\r\n\r\n`)
    })
  }
  const tooLarge = (words: string) =>
    words === ''
      ? problem(413, 'too_large', 'Too large', 'The body is too large.')
      : { detail: `Request body too large. Maximum allowed: ${words}.` }

  test.each([
    ...agentDoors.map((door) => [...door, 'agent'] as const),
    ...personDoors.map((door) => [...door, 'person'] as const),
    ...openDoors.map((door) => [...door, 'anyone'] as const),
  ])('one byte more than %s takes is refused before it is read', async (path, method, bytesMax, words, who) => {
    const credentials = { agent: `Authorization: Bearer ${key}`, person: `Cookie: ${tenant.cookie}`, anyone: '' }
    const answer = await announce(method, path, credentials[who], bytesMax + 1)
    expect(answer).toEqual({ status: 413, body: tooLarge(words) })
  })

  test.each([...agentDoors, ...personDoors])(
    '%s says nothing of sizes to whoever has no credential',
    async (path, method, bytesMax) => {
      const answer = await announce(method, path, '', bytesMax * 2)
      expect(answer.status).toBe(401)
      const isNative = path.startsWith('/api/v2')
      const words = agentDoors.some(([door]) => door === path)
        ? 'Authorization header is required.'
        : 'Not authenticated.'
      expect(answer.body).toEqual(isNative ? problem(401, 'not_signed_in', 'Sign in first', words) : { detail: words })
    },
  )

  test('a session value of a mebibyte is kept, one byte more refused with its name', async () => {
    const put = (length: number) =>
      server.call('PUT', '/v1/sessions/large', { key, agent: 'a1', body: { value: 'x'.repeat(length) } })
    expect((await put(mebi)).status).toBe(200)
    const refused = await put(mebi + 1)
    expect({ status: refused.status, body: refused.body }).toEqual({
      status: 422,
      body: { detail: [{ loc: ['body', 'value'], msg: 'value may have 1048576 characters.' }] },
    })
    const kept = (await server.call('GET', '/v1/sessions/large', { key, agent: 'a1' })).body as { value: string }
    expect(kept.value.length).toBe(mebi)
  })
})

describe('decisions and rollouts', () => {
  test('a decision after the deadline is refused and changes nothing', async () => {
    const body = { tool_name: 'deploy', message: 'May I?', timeout: 1 }
    const asked = await server.call('POST', '/v1/approvals', { key, agent: 'late', body })
    const { id } = asked.body as { id: string }
    await server.db.query(`update limits as l set count = 0`)
    for (;;) {
      const { body: now } = await server.call('GET', `/v1/approvals/${id}?wait=5`, { key, agent: 'late' })
      if ((now as { status: string }).status === 'timeout') break
    }
    const older = await server.call('PUT', `/api/v1/approvals/${id}`, { ...person(), body: { approved: true } })
    expect({ status: older.status, body: older.body }).toEqual({
      status: 409,
      body: { detail: 'Approval not found or already decided.' },
    })
    const native = await server.call('POST', `/api/v2/approvals/${id}/decision`, {
      ...person(),
      body: { approve: true },
    })
    expect(native.body).toEqual(
      problem(
        409,
        'already_decided',
        'Already decided',
        'This approval cannot be decided any more: its deadline has passed.',
        {
          approval_status: 'timed_out',
          settled_at: expect.any(String) as string,
        },
      ),
    )
    const after = await server.call('GET', `/v1/approvals/${id}`, { key, agent: 'late' })
    expect(after.body).toMatchObject({ status: 'timeout', decided_by: null })
  })

  test('a rollout of a revision, a ruleset or into an environment that is not there is refused by its name', async () => {
    const older: readonly (readonly [string, string, unknown])[] = [
      ['base/99', 'production', "Bundle 'base' version 99 not found"],
      ['nope/1', 'production', "Bundle 'nope' version 1 not found"],
      ['base/1', 'mars', [{ loc: ['body', 'env'], msg: 'There is no environment mars.' }]],
    ]
    for (const [revision, env, detail] of older) {
      const answer = await server.call('POST', `/api/v1/bundles/${revision}/deploy`, { ...person(), body: { env } })
      expect({ status: answer.status, body: answer.body }).toEqual({ status: 422, body: { detail } })
    }
    const rollOut = (name: string, version: number, environment: string) =>
      server.call('POST', `/api/v2/rulesets/${name}/rollouts`, {
        ...person(),
        body: { version, environment, note: '', kind: 'rollout' },
      })
    const missing = (what: string) => problem(404, 'not_found', 'No such thing', `There is no such ${what}.`)
    expect((await rollOut('base', 99, 'production')).body).toEqual(missing('revision'))
    expect((await rollOut('nope', 1, 'production')).body).toEqual(missing('revision'))
    const message = 'There is no environment mars.'
    const errors = [{ path: 'body.environment', message }]
    expect((await rollOut('base', 1, 'mars')).body).toEqual(
      problem(422, 'invalid_input', 'The request does not fit', message, { errors }),
    )
    const live = await server.call('GET', '/v1/rulesets/base/current', { key, agent: 'a1' })
    expect(live.body).toMatchObject({ version: 1 })
  })
})

test('a field that is not taken is named, and so are those that are', async () => {
  const answer = await server.call('POST', '/api/v2/keys', {
    ...person(),
    body: { environment: 'production', name: 'ci' },
  })
  const message = expect.stringMatching(/^No such field; there are .*\benvironment\b.*\blabel\b/) as string
  expect({ status: answer.status, errors: (answer.body as { errors: unknown }).errors }).toEqual({
    status: 422,
    errors: [{ path: 'body.name', message }],
  })
})

test.each([
  [
    'an id',
    'GET',
    '/api/v2/events/x',
    undefined,
    { path: 'params.id', message: 'must be an id as lists show it, 36 characters' },
  ],
  [
    'a name with an end of line',
    'POST',
    '/api/v2/keys',
    { environment: 'production', label: 'ci\n' },
    { path: 'body.label', message: 'must be a text without < >, control and direction characters' },
  ],
  [
    'a name that turns the direction of what follows',
    'POST',
    '/api/v2/keys',
    { environment: 'production', label: 'ci\u202egnitset' },
    { path: 'body.label', message: 'must be a text without < >, control and direction characters' },
  ],
])(
  '%s that does not fit is told in words and not as a regular expression',
  async (_what, method, path, body, error) => {
    const answer = await server.call(method, path, { ...person(), ...(body && { body }) })
    expect({ status: answer.status, errors: (answer.body as { errors: unknown }).errors }).toEqual({
      status: 422,
      errors: [error],
    })
  },
)
