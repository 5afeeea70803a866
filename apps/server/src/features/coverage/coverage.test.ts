import { setTimeout } from 'node:timers/promises'
import type { AgentCoverage, DraftRule, FleetCoverage } from '@countersign/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fetchRuleset, rollOutYaml } from '../../../test/rulesets-scene.ts'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let acme: TestTenant
let key: string

const guard = (name: string, mode: string) => `apiVersion: edictum/v1
kind: Ruleset
metadata: {name: ${name}}
defaults: {mode: ${mode}}
tools:
  declared_tool: {side_effect: read}
rules:
  # Kept as it is.
  - id: no-env
    type: pre
    tool: read_file
    when: {args.path: {contains: .env}}
    then: {action: block, message: No.}
  - id: files
    type: sandbox
    tools: ["write_*"]
    within: [/workspace]
    outside: block
    message: Outside.
  - id: seen
    type: pre
    mode: observe
    tool: list_files
    when: {tool.name: {exists: true}}
    then: {action: block, message: seen}
  - id: off
    type: pre
    enabled: false
    tool: send_fax
    when: {tool.name: {exists: true}}
    then: {action: block, message: off}
  - id: caps
    type: session
    limits: {max_tool_calls: 50, max_calls_per_tool: {deploy: 2}}
    then: {action: block, message: Enough.}
`

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  key = (await server.newKey(acme)).key
  await rollOutYaml(server, acme, guard('guard', 'enforce'))
  await rollOutYaml(server, acme, guard('watch', 'observe'))
  for (const [agent, ruleset] of [
    ['guarded', 'guard'],
    ['watched', 'watch'],
  ] as const) {
    const { revision_hash: hash } = await fetchRuleset(server, key, `/v1/rulesets/${ruleset}/current`, agent)
    await report(agent, ['read_file', 'write_file', 'list_files', 'send_fax', 'deploy'], hash)
  }
  await report('local', ['shell', 'search'], 'f'.repeat(64), {
    policy_version: 'f'.repeat(64),
    contracts: [
      { id: 'own', type: 'pre', tool: 'sh*', mode: 'enforce' },
      { id: 'own-seen', type: 'pre', tool: 'search', mode: 'observe' },
    ],
  })
  await report('bare', ['shell'], undefined)
  // Only who is known can be assigned something.
  for (let known = 0; known < 4; await setTimeout(50)) known = (await fleet()).total_agents
  const assigned = await server.call('PUT', '/api/v2/assignments', {
    cookie: acme.cookie,
    body: { agent_ids: ['guarded'], environment: 'production', ruleset: 'guard' },
  })
  expect(assigned.status, assigned.text).toBe(200)
  for (let sources = ''; sources !== 'manifest'; await setTimeout(50)) sources = (await agent('local')).source
})

afterAll(() => server.stop())

async function report(agentId: string, tools: readonly string[], hash: string | undefined, manifest?: object) {
  const events = tools.map((tool, n) => ({
    call_id: `${agentId}-${n}`,
    agent_id: agentId,
    tool_name: tool,
    action: 'call_allowed',
    mode: 'enforce',
    timestamp: new Date().toISOString(),
    policy_version: hash,
    tool_args: {},
  }))
  const answer = await server.call('POST', '/v1/events', {
    key,
    agent: agentId,
    body: { events, ...(manifest ? { agent_manifest: { agent_id: agentId, ...manifest } } : {}) },
  })
  expect(answer.status, answer.text).toBeLessThan(300)
}

async function fleet(query = ''): Promise<FleetCoverage> {
  const answer = await server.call('GET', `/api/v2/coverage${query}`, { cookie: acme.cookie })
  expect(answer.status, answer.text).toBe(200)
  return answer.body as FleetCoverage
}

async function agent(id: string): Promise<AgentCoverage> {
  const answer = await server.call('GET', `/api/v2/agents/${id}/coverage?environment=production`, {
    cookie: acme.cookie,
  })
  expect(answer.status, answer.text).toBe(200)
  return answer.body as AgentCoverage
}

const statuses = ({ items }: AgentCoverage) => Object.fromEntries(items.map(({ tool, status }) => [tool, status]))

test('each tool an agent used or its revision declares is enforced, observed or ungoverned', async () => {
  const covered = await agent('guarded')
  expect(covered).toMatchObject({ source: 'revision', running: { ruleset: 'guard', version: 1 } })
  expect(statuses(covered)).toEqual({
    read_file: 'enforced',
    write_file: 'enforced',
    list_files: 'observed',
    deploy: 'enforced',
    send_fax: 'ungoverned',
    declared_tool: 'ungoverned',
  })
  expect(covered.items[0]).toMatchObject({ tool: 'send_fax', is_used: true, calls: 1, rules: [] })
  expect(covered.items.find(({ tool }) => tool === 'declared_tool')).toMatchObject({ is_used: false, calls: 0 })
  expect(covered.items.find(({ tool }) => tool === 'read_file')?.rules).toEqual([
    { id: 'no-env', type: 'pre', action: 'block', mode: 'enforce' },
  ])
  expect(covered.session_limits).toEqual([{ name: 'caps: max_tool_calls', max: 50 }])
})

test('a ruleset that observes by default enforces nothing, and only the revision an agent runs counts', async () => {
  const covered = statuses(await agent('watched'))
  expect(covered).toMatchObject({ read_file: 'observed', write_file: 'observed', deploy: 'observed' })
  expect(Object.values(covered)).not.toContain('enforced')
})

test('an agent with rules of its own is judged by what it reported; one that reports nothing has nothing', async () => {
  const local = await agent('local')
  expect(statuses(local)).toEqual({ shell: 'enforced', search: 'observed' })
  const bare = await agent('bare')
  expect(bare.source).toBe('nothing')
  expect(statuses(bare)).toEqual({ shell: 'ungoverned' })
})

test('the fleet is summed up, with the tools nobody governs and who uses them', async () => {
  const all = await fleet()
  expect(all).toMatchObject({ total_agents: 4, with_ungoverned: 3 })
  expect(all.ungoverned[0]).toMatchObject({ agent_count: 2 })
  expect(all.ungoverned.map(({ tool }) => tool).sort()).toEqual(['declared_tool', 'send_fax', 'shell'])
  expect((await fleet('?environment=staging')).total_agents).toBe(0)
  const later = await fleet(`?since=${new Date(Date.now() + 3_600_000).toISOString()}`)
  expect(later.total_agents).toBe(4)
})

test('a drafted rule stands behind the others, keeps the text, and makes the tool governed', async () => {
  const answer = await server.call('POST', '/api/v2/rulesets/guard/draft-rule', {
    cookie: acme.cookie,
    body: { tool: 'send_fax' },
  })
  const draft = answer.body as DraftRule
  expect(answer.status, answer.text).toBe(200)
  expect(draft).toMatchObject({ ruleset: 'guard', based_on_version: 1, rule_id: 'ask-send-fax' })
  expect(draft.yaml.startsWith(guard('guard', 'enforce').trimEnd())).toBe(true)
  expect(draft.yaml.split('\n')[draft.line - 1]).toContain('- id: ask-send-fax')
  const checked = await server.call('POST', '/api/v2/rulesets/evaluate', {
    cookie: acme.cookie,
    body: { yaml: draft.yaml, call: { tool: 'send_fax', args: {} } },
  })
  expect(checked.body).toMatchObject({ verdict: 'hold', decided_by: { rule: 'ask-send-fax' } })
})

test('older clients get the same in their words, with a drift that is true', async () => {
  const answer = await server.call('GET', '/api/v1/agents/guarded/coverage?since=1h&include_verdicts=true', {
    cookie: acme.cookie,
  })
  expect(answer.status, answer.text).toBe(200)
  expect(answer.body).toMatchObject({
    agent_id: 'guarded',
    environment: 'production',
    deployed_bundle: { name: 'guard', version: 1 },
    summary: { total_tools: 6, enforced: 3, observed: 1, ungoverned: 2, coverage_pct: 50 },
  })
  const { tools } = answer.body as { tools: { tool_name: string }[] }
  expect(tools.find(({ tool_name: name }) => name === 'read_file')).toMatchObject({
    status: 'enforced',
    contract_name: 'no-env',
    contract_type: 'pre',
    bundle_name: 'guard',
    source: 'console',
    event_count: 1,
    allow_count: 1,
    deny_count: 0,
  })
  const all = await server.call('GET', '/api/v1/agents/fleet-coverage', { cookie: acme.cookie })
  expect(all.body).toMatchObject({
    fleet_summary: { total_agents: 4, total_ungoverned_tools: 3, fully_enforced: 0 },
  })
  const { agents } = all.body as { agents: { agent_id: string; drift_status: string }[] }
  expect(agents.find(({ agent_id: id }) => id === 'guarded')?.drift_status).toBe('current')
  expect(agents.find(({ agent_id: id }) => id === 'bare')?.drift_status).toBe('unknown')
})

test.each(['bogus', '9999d', '5x', '2026-13-45'])('since=%s is refused', async (since) => {
  const answer = await server.call('GET', `/api/v1/agents/fleet-coverage?since=${since}`, { cookie: acme.cookie })
  expect(answer.status).toBe(400)
})

test.each(['15m', '7d', '2026-01-01T00:00:00Z'])('since=%s is taken', async (since) => {
  const answer = await server.call('GET', `/api/v1/agents/fleet-coverage?since=${since}`, { cookie: acme.cookie })
  expect(answer.status).toBe(200)
  const missing = await server.call('GET', `/api/v1/agents/nobody/coverage?since=${since}`, { cookie: acme.cookie })
  expect(missing.status).toBe(404)
})
