import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { type ServerApart, serverApart } from '../../../apps/server/test/server.ts'
import { asData, asList, type Case, type Data, loadCases } from '../../rules/test/conformance/cases.ts'
import { type AgentEvent, type Answer, type FileOptions, type Guard, GuardFailed, guard } from '../src/index.ts'
import { askForMail, noSecrets, rulesetFile, rulesetOf, temporaryFolder, told } from './rulesets.ts'
import { scene } from './scene.ts'

let server: ServerApart

beforeAll(async () => {
  server = await serverApart()
})
afterAll(() => server.stop())

/** Read the plan, then work, then a human looks, then push. */
const stages = `  - {id: plan, tools: [Read], exit: [{condition: 'file_read("plan.md")', message: Read the plan first.}]}
  - {id: work, tools: [Bash, Edit], exit: [{condition: 'command_matches("^make test$")', message: Run the tests first.}]}
  - {id: review, approval: {message: Is it good?}}
  - {id: push, tools: [Bash], checks: [{command_matches: "^git push$", message: Only a push.}]}
`
const documentOf = (text: string): string =>
  `apiVersion: edictum/v1\nkind: Workflow\nmetadata: {name: flow}\nstages:\n${text}`

async function workflowFile(text: string): Promise<string> {
  const file = join(await temporaryFolder(), 'workflow.yaml')
  await writeFile(file, text)
  return file
}

async function guardOf(options: Partial<FileOptions> = {}, text = documentOf(stages), rules = noSecrets) {
  const events: AgentEvent[] = []
  const made = await guard({
    file: await rulesetFile(rulesetOf('test', rules)),
    workflow: { file: await workflowFile(text) },
    agentId: 'a1',
    onEvent: (event) => events.push(event),
    ...options,
  })
  onTestFinished(() => made.close())
  return { ...made, events }
}

const read = (one: Pick<Guard, 'run'>, path: string, result: unknown = 'text', sessionId?: string): Promise<unknown> =>
  one.run({ tool: 'Read', args: { path }, ...(sessionId !== undefined && { sessionId }) }, () => result)
const bash = (one: Pick<Guard, 'run'>, command: string, sessionId?: string): Promise<unknown> =>
  one.run({ tool: 'Bash', args: { command }, ...(sessionId !== undefined && { sessionId }) }, () => 'ok')
const yes = async (): Promise<Answer> => ({ is: 'approved', by: 'ada' })

test('a session goes through its stages in order, and each gate holds until what it waits for has happened', async () => {
  const approve = vi.fn(yes)
  const one = await guardOf({ approve })
  await expect(bash(one, 'make test')).rejects.toMatchObject({
    code: 'workflow',
    rule: 'plan',
    message: 'Read the plan first.',
  })
  await read(one, 'plan.md')
  await expect(bash(one, 'git push')).resolves.toBe('ok')
  await expect(one.workflow?.state()).resolves.toMatchObject({ active_stage: 'work', completed_stages: ['plan'] })
  await bash(one, 'make test')
  // Bash belongs to the stage as long as the session is in it; what does not, leads out of it.
  await one.workflow?.setStage('review')
  await bash(one, 'git push')
  expect(approve).toHaveBeenCalledTimes(1)
  await expect(bash(one, 'rm -rf .')).rejects.toMatchObject({ code: 'workflow', message: 'Only a push.' })
  expect(one.events.at(-1)).toMatchObject({
    action: 'call_blocked',
    decision_source: 'workflow',
    decision_name: 'push',
    workflow: { name: 'flow', active_stage: 'push', last_blocked_action: { tool: 'Bash', message: 'Only a push.' } },
    rules_evaluated: [],
  })
})

test('moves of the workflow are told before what they let happen, each with the stage it left and the one it reached', async () => {
  const one = await guardOf({ approve: yes })
  await read(one, 'plan.md')
  await one.run({ tool: 'Edit', args: { path: 'a.ts' } }, () => 1)
  expect(told(one.events)).toEqual([
    'call_allowed',
    'call_executed',
    'workflow_stage_advanced',
    'call_allowed',
    'call_executed',
  ])
  expect(one.events[2]).toMatchObject({ workflow: { stage_id: 'plan', to_stage_id: 'work', active_stage: 'work' } })
  expect(one.events[1]).toMatchObject({ workflow: { last_recorded_evidence: { tool: 'Read', summary: 'plan.md' } } })
})

test('what failed, and what a human denied, opens no gate', async () => {
  const one = await guardOf({ approve: async () => ({ is: 'denied', reason: 'No.' }) })
  await expect(
    one.run({ tool: 'Read', args: { path: 'plan.md' } }, () => Promise.reject(new Error('gone'))),
  ).rejects.toThrow('gone')
  await read(one, 'plan.md', 'error: no such file')
  await expect(one.run({ tool: 'Edit' }, () => 1)).rejects.toMatchObject({ rule: 'plan' })
  await one.workflow?.setStage('review')
  await expect(bash(one, 'git push')).rejects.toMatchObject({ code: 'approval_denied', message: 'No.', rule: 'review' })
  await expect(one.workflow?.state()).resolves.toMatchObject({
    active_stage: 'review',
    approvals: {},
    pending_approval: { required: true, stage_id: 'review' },
  })
})

test('a rule that is called like a stage is still asked about by itself', async () => {
  const asks: string[] = []
  const one = await guardOf(
    { approve: async ({ source }) => (asks.push(source), { is: 'approved' }) },
    documentOf(`  - {id: ask-for-mail, approval: {message: Sure?}}\n  - {id: work, tools: [send_mail]}\n`),
    askForMail,
  )
  await one.run({ tool: 'send_mail', args: { to: 'a' } }, () => 1)
  expect(asks).toEqual(['yaml_precondition', 'workflow'])
  // The stage is left for the whole session; the rule asks for each call.
  await one.run({ tool: 'send_mail', args: { to: 'b' } }, () => 1)
  expect(asks).toEqual(['yaml_precondition', 'workflow', 'yaml_precondition'])
})

test('an approval that comes after the session was sent back opens nothing', async () => {
  let answer: (given: Answer) => void = () => undefined
  const one = await guardOf({ approve: () => new Promise((resolve) => (answer = resolve)) })
  await one.workflow?.setStage('review')
  const held = bash(one, 'git push')
  await vi.waitFor(() => expect(told(one.events)).toContain('call_asked review'))
  await one.workflow?.reset('plan')
  answer({ is: 'approved' })
  await expect(held).rejects.toMatchObject({ rule: 'plan' })
  await expect(one.workflow?.state()).resolves.toMatchObject({ active_stage: 'plan', approvals: {} })
})

test('sessions stand where they stand by themselves, and calls of one session at once see each other', async () => {
  const one = await guardOf(
    {},
    documentOf(
      `  - {id: a, tools: [Bash], exit: [{condition: 'command_matches("^1$")'}]}\n  - {id: b, tools: [Edit]}\n`,
    ),
  )
  await Promise.all(Array.from({ length: 50 }, (_, at) => bash(one, String(at), 's1')))
  const state = (await one.workflow?.state('s1')) as { evidence: { stage_calls: { a: string[] } } }
  expect(state.evidence.stage_calls.a).toHaveLength(50)
  await expect(one.run({ tool: 'Edit', sessionId: 's2' }, () => 1)).rejects.toMatchObject({ code: 'workflow' })
  await expect(one.run({ tool: 'Edit', sessionId: 's1' }, () => 1)).resolves.toBe(1)
})

test('under a ruleset that only observes, calls pass, and the session moves and gathers evidence all the same', async () => {
  const events: AgentEvent[] = []
  const one = await guard({
    file: await rulesetFile(rulesetOf('test', noSecrets, 'observe')),
    workflow: { file: await workflowFile(documentOf(stages)) },
    onEvent: (event) => events.push(event),
  })
  onTestFinished(() => one.close())
  await expect(bash(one, 'git push')).resolves.toBe('ok')
  await read(one, 'plan.md')
  await one.run({ tool: 'Edit' }, () => 1)
  expect(told(events)).toContain('call_would_block plan')
  await expect(one.workflow?.state()).resolves.toMatchObject({ active_stage: 'work' })
})

test('what an MCP tool answered with is evidence, as far as the rules let the agent see it', async () => {
  const text =
    documentOf(`  - {id: ci, tools: ["mcp__ci__*"], exit: [{condition: 'mcp_result_matches("mcp__ci__status", "state", "green")', message: Not green.}]}
  - {id: push, tools: [Bash]}
`)
  const one = await guardOf({}, text)
  const status = (result: unknown): Promise<unknown> => one.run({ tool: 'mcp__ci__status' }, () => result)
  await status({ content: [{ type: 'text', text: '{"state":"red"}' }] })
  await status({ content: [{ type: 'text', text: 'green' }] })
  await status({ content: [], structuredContent: { state: 'green' }, isError: true })
  await expect(bash(one, 'git push')).rejects.toThrow('Not green.')
  await status({ content: [{ type: 'text', text: '{"state":"green"}' }] })
  await expect(bash(one, 'git push')).resolves.toBe('ok')
})

test('commands of exec conditions run only where the agent offers it, and one that cannot run blocks', async () => {
  const text = documentOf(
    `  - {id: a, tools: [Read], exit: [{condition: 'exec("make lint")', message: Not clean.}]}\n  - {id: b, tools: [Bash]}\n`,
  )
  const file = await workflowFile(text)
  await expect(guardOf({ workflow: { file } })).rejects.toThrow(GuardFailed)
  const codes: (() => number)[] = [
    () => 1,
    () => {
      throw new Error('timed out')
    },
    () => 0,
  ]
  const ran: string[] = []
  const exec = (command: string): number => (ran.push(command), (codes.shift() ?? (() => 1))())
  const one = await guardOf({ workflow: { file, exec } })
  await expect(bash(one, 'x')).rejects.toThrow('Not clean.')
  await expect(bash(one, 'x')).rejects.toThrow('Workflow evaluation error: timed out')
  await expect(bash(one, 'x')).resolves.toBe('ok')
  expect(ran).toEqual(['make lint', 'make lint', 'make lint'])
})

test('a workflow that cannot be read is no guard', async () => {
  for (const text of ['', 'kind: Ruleset', documentOf('  - {id: a, toools: [x]}\n')]) {
    await expect(guardOf({}, text)).rejects.toThrow('The workflow cannot be enforced')
  }
  await expect(guardOf({ workflow: { file: '/nowhere/flow.yaml' } })).rejects.toThrow(GuardFailed)
})

test('a state that is kept goes on in another process; one of another workflow, or broken, is refused and changes nothing', async () => {
  const one = await guardOf()
  await read(one, 'plan.md')
  const kept = JSON.parse(JSON.stringify(await one.workflow?.state())) as never
  const two = await guardOf()
  await two.workflow?.restore(kept)
  await expect(two.run({ tool: 'Edit' }, () => 1)).resolves.toBe(1)
  expect(told(two.events)[0]).toBe('workflow_state_updated')
  for (const bad of [null, 7, { active_stage: 'elsewhere' }, { active_stage: 'plan', completed_stages: [1] }]) {
    await expect(two.workflow?.restore(bad as never)).rejects.toThrow()
  }
  await expect(two.workflow?.reset('nowhere')).rejects.toThrow('has no stage')
  await expect(two.workflow?.state()).resolves.toMatchObject({ active_stage: 'work' })
})

test('on the server a session goes on where another process left it, and its console sees where it stands', async () => {
  const { rollOut, start, key } = await scene(server)
  await rollOut(rulesetOf('base', noSecrets))
  const workflow = { file: await workflowFile(documentOf(stages)) }
  const options = { ruleset: 'base', counters: 'server', sessionId: 's1', workflow } as const
  const one = await start(options)
  await read(one, 'plan.md')
  await one.run({ tool: 'Edit' }, () => 1)
  await one.close()
  const two = await start(options)
  await expect(read(two, 'other.md')).rejects.toMatchObject({ code: 'workflow' })
  await expect(two.run({ tool: 'Edit' }, () => 1)).resolves.toBe(1)
  await two.close()
  const { body } = await server.call('GET', '/v1/agents/a1/workflow-state?session_id=s1', { key, agent: 'a1' })
  expect(body).toMatchObject({ name: 'flow', active_stage: 'work', completed_stages: ['plan'] })
})

test('a state on the server under the key of an older SDK is taken over; one that is broken blocks and stays', async () => {
  const { rollOut, start, key } = await scene(server)
  await rollOut(rulesetOf('base', noSecrets))
  const workflow = { file: await workflowFile(documentOf(stages)) }
  const put = async (sessionId: string, name: string, value: string): Promise<void> => {
    const path = `/v1/sessions/${encodeURIComponent(`s:${sessionId}:${name}`)}`
    const { status } = await server.call('PUT', path, { key, agent: 'a1', body: { value } })
    expect(status).toBe(200)
  }
  const get = async (sessionId: string, name: string): Promise<number> =>
    (await server.call('GET', `/v1/sessions/${encodeURIComponent(`s:${sessionId}:${name}`)}`, { key, agent: 'a1' }))
      .status
  await put('old', 'workflow_state__flow', JSON.stringify({ activeStage: 'work', completedStages: ['plan'] }))
  await put('broken', 'workflow:flow:state', '{"active_stage":')
  await put('foreign', 'workflow:flow:state', '{"active_stage":"elsewhere","completed_stages":[]}')
  const one = await start({ ruleset: 'base', counters: 'server', workflow })
  await expect(one.run({ tool: 'Edit', sessionId: 'old' }, () => 1)).resolves.toBe(1)
  expect([await get('old', 'workflow_state__flow'), await get('old', 'workflow:flow:state')]).toEqual([404, 200])
  for (const sessionId of ['broken', 'foreign']) {
    await expect(read(one, 'plan.md', 'text', sessionId)).rejects.toMatchObject({
      code: 'workflow',
      message: expect.stringContaining('Workflow evaluation error'),
    })
  }
})

/** The public cases say what any agent's adapter does; these go through the guard itself. */
test('every public workflow case comes out the same through the guard', async () => {
  const cases = loadCases().filter(
    ({ kind, data }) => (kind === 'workflow' || kind === 'adapter') && data['workflow'] !== undefined,
  )
  expect(cases.length).toBeGreaterThanOrEqual(37)
  const differences: string[] = []
  for (const one of cases) differences.push(...(await runCase(one)))
  expect(differences).toEqual([])
})

async function runCase({ id, data, shared, kind }: Case): Promise<readonly string[]> {
  const answers: unknown[] = []
  const events: AgentEvent[] = []
  const giveUp = new AbortController()
  const one = await guard({
    file: await rulesetFile(rulesetOf('test', noSecrets)),
    workflow: { file: await workflowFile(JSON.stringify(shared[String(data['workflow'])])) },
    onEvent: (event) => events.push(event),
    approve: async (): Promise<Answer> => {
      const answer = answers.shift()
      if (answer === undefined) throw new Error('nobody answers')
      return answer === 'approved' ? { is: 'approved' } : { is: 'denied' }
    },
  })
  const found: string[] = []
  const same = (step: string, what: string, actual: unknown, wanted: unknown): void => {
    if (JSON.stringify(actual) !== JSON.stringify(wanted))
      found.push(`${id} ${step}: ${what} ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}`)
  }
  await one.workflow?.restore(data['initial_state'] as never)
  for (const given of asList(data['steps'])) {
    const step = asData(given)
    const name = String(step['id'])
    const expect = asData(step['expect'])
    events.length = 0
    answers.splice(0, Number.POSITIVE_INFINITY, ...asList(step['approval_outcomes']))
    const decision = await takeStep(one, step, giveUp.signal)
    const wanted = expect['decision']
    if (typeof wanted === 'string') same(name, 'decision', decision, wanted === 'allow' ? 'allow' : 'block')
    const state = (await one.workflow?.state()) as Data
    same(name, 'active_stage', state['active_stage'], expect['active_stage'])
    same(name, 'completed_stages', state['completed_stages'], expect['completed_stages'])
    same(name, 'reads', asData(state['evidence'])['reads'], asData(expect['evidence'])['reads'])
    if (kind !== 'adapter') continue
    // A question that nobody answers ends the call; the public cases leave it open.
    const actions = events.map(({ action }) => action as string)
    const listed = asList(expect['audit_events']).map((event) => String(asData(event)['action']))
    if (wanted === 'pause') listed.push('call_blocked')
    same(name, 'events', actions, listed.map(newerAction))
  }
  await one.close()
  return found
}

async function takeStep(one: Guard, step: Data, signal: AbortSignal): Promise<string> {
  if (typeof step['reset_to'] === 'string') await one.workflow?.reset(step['reset_to'])
  if (typeof step['set_stage_to'] === 'string') await one.workflow?.setStage(step['set_stage_to'])
  if (step['call'] === undefined) return 'moved'
  const { tool, args } = asData(step['call'])
  try {
    await one.run({ tool: String(tool), args: args ?? {}, signal }, () => {
      // Decided and not run: what is not successful leaves no evidence.
      if (step['execution'] !== 'success') throw new Error('not successful')
      return step['mcp_result'] ?? 'done'
    })
    return 'allow'
  } catch (cause) {
    return cause instanceof Error && cause.message === 'not successful' ? 'allow' : 'block'
  }
}

function newerAction(action: string): string {
  const renamed: Readonly<Record<string, string>> = {
    call_denied: 'call_blocked',
    call_approval_requested: 'call_asked',
    call_approval_denied: 'call_approval_blocked',
  }
  return renamed[action] ?? action
}
