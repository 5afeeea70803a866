import { bashCommandOf, type Call, filePathOf, type JsonObject } from '../evaluate/call.ts'
import type { JsonValue } from '../model.ts'
import { evaluateWorkflow, summaryOf, type WorkflowFacts } from './evaluate-workflow.ts'
import { type PendingApproval, type Workflow, type WorkflowEvent, type WorkflowState } from './workflow.ts'

export interface WorkflowChange {
  readonly state: WorkflowState
  readonly events: readonly WorkflowEvent[]
}

const entriesMax = 1_000
const textMax = 4_096

/** After a successful execution only: what was read, run or answered becomes evidence for the gates. */
export function recordResult(
  workflow: Workflow,
  state: WorkflowState,
  stageId: string,
  call: Call,
  facts: WorkflowFacts,
  mcpResult?: JsonObject,
): WorkflowChange {
  const recorded = withEvidence(state, stageId, call, facts, mcpResult)
  return finishLast(workflow, recorded, stageId, facts)
}

function withEvidence(
  state: WorkflowState,
  stageId: string,
  call: Call,
  { now }: WorkflowFacts,
  mcpResult: JsonObject | undefined,
): WorkflowState {
  const { evidence } = state
  const path = call.tool === 'Read' ? filePathOf(call) : undefined
  const command = bashCommandOf(call)
  let { reads, stageCalls, mcpResults } = evidence
  if (path !== undefined && isEvidence(path) && !reads.includes(path) && reads.length < entriesMax)
    reads = [...reads, path]
  if (command && isEvidence(command)) {
    // The oldest goes: a late command that satisfies a gate must count.
    const commands = [...(Object.hasOwn(stageCalls, stageId) ? (stageCalls[stageId] ?? []) : []), command]
    stageCalls = { ...stageCalls, [stageId]: commands.slice(-entriesMax) }
  }
  if (mcpResult) {
    const results = [...(Object.hasOwn(mcpResults, call.tool) ? (mcpResults[call.tool] ?? []) : []), tidy(mcpResult)]
    mcpResults = { ...mcpResults, [call.tool]: results.slice(-entriesMax) }
  }
  const isNew = reads !== evidence.reads || stageCalls !== evidence.stageCalls || mcpResults !== evidence.mcpResults
  if (!isNew && path === undefined) return state
  const lastRecordedEvidence = { tool: call.tool, summary: summaryOf(call), timestamp: now }
  return { ...state, evidence: { reads, stageCalls, mcpResults }, lastRecordedEvidence }
}

/** Line feeds and tabs are part of commands; other control characters are not evidence of anything. */
function isEvidence(text: string): boolean {
  return text.length <= textMax && !/[\u0000-\u0008\u000B-\u001F\u007F]/.test(text)
}

function tidy(result: JsonObject): JsonObject {
  const made: Record<string, JsonValue> = {}
  for (const [key, value] of Object.entries(result)) {
    made[key] = value === null || (typeof value === 'string' && !isEvidence(value)) ? '' : value
  }
  return made
}

/** The last stage is left when its gates are met; with neither gates nor approval it stays for ever. */
function finishLast(workflow: Workflow, state: WorkflowState, stageId: string, facts: WorkflowFacts): WorkflowChange {
  const last = workflow.stages.at(-1)
  if (!last || last.id !== stageId || state.activeStage !== stageId || last.isTerminal) return { state, events: [] }
  if (last.exit.length === 0 && last.approval === undefined) return { state, events: [] }
  if (last.approval !== undefined && state.approvals[last.id] !== 'approved') return { state, events: [] }
  // Asked as a stage of gates only, the last stage completes exactly when all of them pass.
  const gates = { ...workflow, stages: [{ ...last, tools: [], checks: [] }] }
  const decision = evaluateWorkflow(gates, state, { tool: '', args: {} }, facts)
  if (decision.verdict !== 'allow') return { state, events: [] }
  return { state: { ...decision.state }, events: decision.events }
}

/** A human said yes to leaving the stage. */
export function recordApproval(workflow: Workflow, state: WorkflowState, stageId: string): WorkflowState {
  stageIndex(workflow, stageId)
  const { lastBlockedAction: _, ...rest } = state
  return {
    ...rest,
    approvals: { ...state.approvals, [stageId]: 'approved' },
    blockedReason: null,
    pendingApproval: { required: false },
  }
}

/** Back to a stage as if it and all behind it had never been: their approvals and evidence are gone. */
export function resetWorkflow(workflow: Workflow, state: WorkflowState, stageId: string): WorkflowChange {
  const index = stageIndex(workflow, stageId)
  const kept = new Set(workflow.stages.slice(0, index).map((stage) => stage.id))
  const keep = <Value>(record: Readonly<Record<string, Value>>): Readonly<Record<string, Value>> =>
    Object.fromEntries(Object.entries(record).filter(([id]) => kept.has(id)))
  const approvals = keep(state.approvals)
  const { lastBlockedAction: _, ...rest } = state
  const reset: WorkflowState = {
    ...rest,
    activeStage: stageId,
    completedStages: [...kept],
    approvals,
    evidence: {
      reads: index === 0 ? [] : state.evidence.reads,
      stageCalls: keep(state.evidence.stageCalls),
      // Stale answers must not satisfy a gate that was rewound.
      mcpResults: {},
    },
    blockedReason: null,
    pendingApproval: pendingFor(workflow, index, approvals),
  }
  return { state: reset, events: [{ action: 'workflow_state_updated' }] }
}

/** To a stage, keeping what was approved and seen. */
export function setWorkflowStage(workflow: Workflow, state: WorkflowState, stageId: string): WorkflowChange {
  const index = stageIndex(workflow, stageId)
  const { lastBlockedAction: _, ...rest } = state
  const set: WorkflowState = {
    ...rest,
    activeStage: stageId,
    completedStages: workflow.stages.slice(0, index).map((stage) => stage.id),
    blockedReason: null,
    pendingApproval: pendingFor(workflow, index, state.approvals),
  }
  return { state: set, events: [{ action: 'workflow_state_updated' }] }
}

function pendingFor(workflow: Workflow, index: number, approvals: WorkflowState['approvals']): PendingApproval {
  const stage = workflow.stages[index]
  if (stage?.approval === undefined || approvals[stage.id] === 'approved') return { required: false }
  return { required: true, stageId: stage.id, message: stage.approval }
}

function stageIndex(workflow: Workflow, stageId: string): number {
  const index = workflow.stages.findIndex((stage) => stage.id === stageId)
  if (index === -1) throw new Error(`The workflow ${workflow.name} has no stage ${JSON.stringify(stageId)}.`)
  return index
}
