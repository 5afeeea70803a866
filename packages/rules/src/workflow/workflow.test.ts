import { expect, test } from 'vitest'
import { errorsOf } from '../../test/documents.ts'
import {
  evaluateWorkflow,
  initialWorkflowState,
  parseWorkflow,
  recordResult,
  resetWorkflow,
  setWorkflowStage,
  stateFromJson,
  stateToJson,
  type Workflow,
} from '../index.ts'

const facts = { now: '2026-01-01T00:00:00Z' }

function document(stages: string): string {
  return `apiVersion: edictum/v1\nkind: Workflow\nmetadata: {name: flow}\nstages:\n${stages}`
}

function read(stages: string): Workflow {
  const result = parseWorkflow(document(stages))
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.workflow
}

test('every mistake of a workflow is reported with its line', () => {
  const result = parseWorkflow(
    document(`  - {id: A, tools: [x]}
  - {id: b, terminal: true}
  - {id: c, tools: ["a/b"], checks: [{message: m}]}
  - {id: c, exit: [{condition: "file_read(x)"}], more: 1}
`),
  )
  const seen = errorsOf(result).map((one) => `${one.line} ${one.code}`)
  for (const wanted of [
    '5 workflow.id',
    '6 workflow.terminal',
    '6 workflow.stage',
    '7 workflow.tools',
    '7 workflow.check',
    '8 workflow.condition',
    '8 doc.unknown_field',
    '8 workflow.duplicate_id',
  ]) {
    expect(seen).toContain(wanted)
  }
})

test('conditions that run commands are refused unless they are switched on', () => {
  const stages = '  - {id: a, tools: [x], exit: [{condition: exec("true")}]}\n'
  expect(errorsOf(parseWorkflow(document(stages)))[0]?.code).toBe('workflow.exec')
  const allowed = parseWorkflow(document(stages), { allowsExec: true })
  if (!allowed.ok) throw new Error('not read')
  const state = initialWorkflowState(allowed.workflow)
  const call = { tool: 'y', args: {} }
  // The last stage does not take this tool, whatever its gates say.
  expect(evaluateWorkflow(allowed.workflow, state, call, facts).verdict).toBe('block')
})

test('a corrupt or foreign state blocks the call with a policy error', () => {
  const workflow = read('  - {id: a, tools: [x]}\n')
  const state = { ...initialWorkflowState(workflow), activeStage: 'gone' }
  expect(evaluateWorkflow(workflow, state, { tool: 'x', args: {} }, facts)).toMatchObject({
    verdict: 'block',
    policyError: true,
  })
  for (const broken of [null, 1, [], {}, { active_stage: 1 }, { active_stage: 'a', completed_stages: [1] }]) {
    expect(() => stateFromJson(broken)).toThrow()
  }
})

test('looking ahead over many stages takes time in proportion to them', () => {
  const stages = Array.from({ length: 500 }, (_, n) => `  - {id: s${n}, tools: [t${n}]}\n`).join('')
  const workflow = read(stages)
  const started = process.threadCpuUsage()
  const decision = evaluateWorkflow(workflow, initialWorkflowState(workflow), { tool: 't499', args: {} }, facts)
  const { user, system } = process.threadCpuUsage(started)
  expect(decision).toMatchObject({ verdict: 'allow', stageId: 's499' })
  expect(evaluateWorkflow(workflow, initialWorkflowState(workflow), { tool: 'none', args: {} }, facts).verdict).toBe(
    'block',
  )
  expect((user + system) / 1_000).toBeLessThan(1_000)
})

test('a reset forgets the approvals and evidence of the stage and all behind it; setting a stage keeps them', () => {
  const workflow = read(`  - {id: a, tools: [Bash], exit: [{condition: 'command_matches("^make$")'}]}
  - {id: b, approval: {message: Sure?}}
  - {id: c, tools: [Bash]}
`)
  const call = { tool: 'Bash', args: { command: 'make' } }
  const recorded = recordResult(workflow, initialWorkflowState(workflow), 'a', call, facts).state
  const asked = evaluateWorkflow(workflow, recorded, { tool: 'Bash', args: { command: 'x' } }, facts)
  expect(asked.verdict).toBe('allow')
  const later = { ...recorded, activeStage: 'c', completedStages: ['a', 'b'], approvals: { b: 'approved' as const } }
  const reset = resetWorkflow(workflow, later, 'b').state
  expect(reset).toMatchObject({
    activeStage: 'b',
    completedStages: ['a'],
    approvals: {},
    pendingApproval: { required: true, stageId: 'b' },
  })
  expect(reset.evidence.stageCalls).toEqual({ a: ['make'] })
  expect(setWorkflowStage(workflow, later, 'a').state.approvals).toEqual({ b: 'approved' })
  expect(() => resetWorkflow(workflow, later, 'nowhere')).toThrow('no stage')
})

test('a state survives its stored form, in the spelling of every SDK', () => {
  const workflow = read('  - {id: a, tools: [Bash]}\n')
  const blocked = evaluateWorkflow(workflow, initialWorkflowState(workflow), { tool: 'other', args: {} }, facts).state
  expect(stateFromJson(stateToJson(blocked))).toEqual(blocked)
  const camel = {
    activeStage: 'a',
    completedStages: ['z'],
    evidence: { stageCalls: { a: ['x'] } },
    pendingApproval: { required: true, stageId: 'a', message: 'm' },
  }
  expect(stateFromJson(camel)).toMatchObject({
    activeStage: 'a',
    completedStages: ['z'],
    pendingApproval: { stageId: 'a' },
  })
})
