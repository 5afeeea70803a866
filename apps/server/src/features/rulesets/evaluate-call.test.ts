import type { Evaluation } from '@countersign/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let acme: TestTenant

const yaml = `apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: playground
defaults:
  mode: enforce
rules:
  - id: no-env
    type: pre
    tool: read_file
    when:
      any:
        - args.path: {contains: ".env"}
        - args.path: {ends_with: ".pem"}
    then:
      action: block
      message: "No: {args.path}"
      tags: [secrets]
  - id: prod-deploy
    type: pre
    tool: deploy
    when:
      all:
        - environment: {equals: production}
        - principal.role: {not_in: [admin, sre]}
    then:
      action: ask
      message: Ask first.
      timeout: 60
  - id: noted
    type: pre
    mode: observe
    tool: "*"
    when:
      args.path: {exists: true}
    then: {action: block, message: noted}
  - id: within-workspace
    type: sandbox
    tools: [write_file]
    within: [/workspace]
    outside: block
    message: Stay inside.
  - id: cap
    type: session
    limits: {max_tool_calls: 5}
    then: {action: block, message: Enough.}
  - id: card
    type: post
    tool: lookup
    when:
      output.text: {matches: '\\b4\\d{15}\\b'}
    then: {action: redact, message: Card number.}
`

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
})

afterAll(() => server.stop())

async function evaluate(call: object, document: object = { yaml }): Promise<Evaluation> {
  const answer = await server.call('POST', '/api/v2/rulesets/evaluate', {
    cookie: acme.cookie,
    body: { ...document, call },
  })
  expect(answer.status, answer.text).toBe(200)
  return answer.body as Evaluation
}

const ruleOf = (answer: Evaluation, id: string) => answer.rules.find((rule) => rule.id === id)

test('a blocked call is told with the rule, its condition line by line and what each part found', async () => {
  const answer = await evaluate({ tool: 'read_file', args: { path: '/srv/.env' } })
  expect(answer).toMatchObject({
    is_valid: true,
    verdict: 'block',
    decided_by: { rule: 'no-env', source: 'yaml_precondition', message: 'No: /srv/.env' },
    hold: null,
  })
  expect(answer.rules.map(({ id }) => id)).toEqual([
    'no-env',
    'prod-deploy',
    'noted',
    'within-workspace',
    'cap',
    'card',
  ])
  const rule = ruleOf(answer, 'no-env')
  expect(rule).toMatchObject({ outcome: 'fired', is_deciding: true, tags: ['secrets'], line: 8 })
  expect(rule?.condition.map(({ depth, is, held }) => [depth, is, held])).toEqual([
    [0, 'any', true],
    [1, 'test', true],
    [1, 'test', null],
  ])
  expect(rule?.condition[1]).toMatchObject({
    selector: 'args.path',
    operator: 'contains',
    operand: '.env',
    value: '/srv/.env',
  })
  expect(ruleOf(answer, 'prod-deploy')).toMatchObject({
    outcome: 'not_considered',
    not_considered_because: 'other_tool',
  })
  expect(ruleOf(answer, 'noted')).toMatchObject({ not_considered_because: 'already_stopped' })
  expect(answer.words.join(' ')).toContain('no-env')
})

test('a held call says how long it waits, and an approved one goes on', async () => {
  const call = { tool: 'deploy', args: {}, principal: { role: 'developer' } }
  expect(await evaluate(call)).toMatchObject({
    verdict: 'hold',
    hold: { timeout_seconds: 60, timeout_action: 'block' },
  })
  expect(await evaluate({ ...call, approved: ['prod-deploy'] })).toMatchObject({ verdict: 'allow' })
  expect(await evaluate({ ...call, environment: 'staging' })).toMatchObject({ verdict: 'allow' })
})

test('observed rules, sandboxes, limits and post rules are explained too', async () => {
  const observed = await evaluate({ tool: 'read_file', args: { path: 'readme' } })
  expect(observed.verdict).toBe('allow')
  expect(ruleOf(observed, 'noted')).toMatchObject({ outcome: 'fired', is_observed: true, is_deciding: false })
  const outside = await evaluate({ tool: 'write_file', args: { path: '/etc/passwd' } })
  expect(outside).toMatchObject({ verdict: 'block', decided_by: { rule: 'within-workspace' } })
  expect(ruleOf(outside, 'within-workspace')?.condition[0]).toMatchObject({ is: 'path', held: true })
  const capped = await evaluate({ tool: 'anything', args: {}, session: { attempts: 5, executions: 5 } })
  expect(capped).toMatchObject({ verdict: 'block', decided_by: { rule: 'cap' } })
  const output = await evaluate({ tool: 'lookup', args: {}, output: 'card 4111111111111111' })
  expect(ruleOf(output, 'card')).toMatchObject({ outcome: 'fired' })
  expect(output.post).toMatchObject({ passed: false })
})

test('a document that is refused answers with its positions, not with a failure', async () => {
  const answer = await evaluate({ tool: 'a', args: {} }, { yaml: yaml.replace('action: block', 'action: burn') })
  expect(answer).toMatchObject({ is_valid: false, verdict: null, rules: [] })
  expect(answer.diagnostics[0]).toMatchObject({ severity: 'error', line: 16 })
})

test('a stored revision can be tried, and exactly one document must be named', async () => {
  await server.call('POST', '/api/v2/rulesets', { cookie: acme.cookie, body: { yaml } })
  const call = { tool: 'read_file', args: { path: '.env' } }
  const stored = await evaluate(call, { ruleset: 'playground', version: 1 })
  expect(stored.verdict).toBe('block')
  expect(stored.revision_hash).toBe((await evaluate(call)).revision_hash)
  for (const document of [{}, { yaml, ruleset: 'playground', version: 1 }, { ruleset: 'playground' }]) {
    const answer = await server.call('POST', '/api/v2/rulesets/evaluate', {
      cookie: acme.cookie,
      body: { ...document, call },
    })
    expect(answer.status, answer.text).toBe(422)
  }
})

test('secrets in arguments are not shown back, and nothing is recorded', async () => {
  const answer = await evaluate({
    tool: 'read_file',
    args: { path: '.env', password: 'hunter2', url: 'https://a:hunter2@b' },
  })
  expect(JSON.stringify(answer)).not.toContain('hunter2')
  const [row] = await server.db.query<{ count: number }>(`select count(*)::int8 as count from events as e`)
  expect(row?.count).toBe(0)
})

test('a large document does not keep the server from answering others', async () => {
  const rules = Array.from(
    { length: 500 },
    (_, n) =>
      `  - {id: r${n}, type: pre, tool: "*", when: {args.q: {matches: '(a|aa)+$x${n}'}}, then: {action: block, message: no}}`,
  )
  const large = `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: large}\ndefaults: {mode: enforce}\nrules:\n${rules.join('\n')}\n`
  let isDone = false
  const evaluating = evaluate({ tool: 't', args: { q: 'a'.repeat(5_000) } }, { yaml: large }).finally(() => {
    isDone = true
  })
  const health = await server.call('GET', '/api/v1/health')
  expect(health.status).toBe(200)
  expect(isDone).toBe(false)
  expect((await evaluating).rules).toHaveLength(500)
})
