import { bashCommandOf, type Call, filePathOf } from '../evaluate/call.ts'
import { redactText } from '../evaluate/redact.ts'
import type { JsonValue } from '../model.ts'
import type { Pattern } from '../pattern/pattern.ts'
import type { Check, Gate, Stage, Workflow, WorkflowEvent, WorkflowState } from './workflow.ts'

export interface WorkflowFacts {
  /** RFC 3339, from the caller's clock. */
  readonly now: string
  /** Exit code of a command; only where `exec` conditions are allowed. Whatever it throws blocks the call. */
  readonly exec?: (command: string) => number
}

export type WorkflowDecision = {
  readonly verdict: 'allow' | 'block' | 'ask'
  /** The stage the call belongs to (allow), was stopped by, or waits for. Empty when the workflow has nothing to say. */
  readonly stageId: string
  readonly message: string
  readonly policyError: boolean
  /** To be stored even when the call is blocked: a stage may have been completed on the way. */
  readonly state: WorkflowState
  readonly events: readonly WorkflowEvent[]
}

interface Step {
  readonly verdict: 'allow' | 'block' | 'ask'
  readonly stageId: string
  readonly message: string
  readonly state: WorkflowState
  readonly events: readonly WorkflowEvent[]
}

const mismatch = 'Tool is not allowed in this workflow stage'
const finished = 'workflow complete — no further tool calls are accepted'

/** What the workflow says to a call, and where the session then stands. */
export function evaluateWorkflow(
  workflow: Workflow,
  state: WorkflowState,
  call: Call,
  facts: WorkflowFacts,
): WorkflowDecision {
  try {
    const step = walk(workflow, state, call, facts, [])
    return { ...step, state: withStatus(step, call, facts), policyError: false }
  } catch (cause) {
    // Corrupt state, an unknown stage, a spent budget, a command that would not run: nobody knows, so no.
    const message = `Workflow evaluation error: ${cause instanceof Error ? cause.message : String(cause)}`
    return { verdict: 'block', stageId: 'workflow_error', message, policyError: true, state, events: [] }
  }
}

/** One stage, and those behind it when it is done. Goes forward only, so it ends. */
function walk(
  workflow: Workflow,
  state: WorkflowState,
  call: Call,
  facts: WorkflowFacts,
  events: readonly WorkflowEvent[],
): Step {
  if (state.activeStage === '') return { verdict: 'allow', stageId: '', message: '', state, events }
  const index = workflow.stages.findIndex((stage) => stage.id === state.activeStage)
  const stage = workflow.stages[index]
  if (!stage) throw new Error(`unknown active stage ${JSON.stringify(state.activeStage)}`)
  const next = workflow.stages[index + 1]
  const world = { state, stage, facts }
  const block = (message: string): Step => ({ verdict: 'block', stageId: stage.id, message, state, events })

  if (stage.isTerminal && !failing(stage.exit, world)) return block(finished)
  const own = ownTest(stage, call)
  if (own.is === 'handled') return { verdict: 'allow', stageId: stage.id, message: '', state, events }
  const objection = own.is === 'boundary' ? '' : own.message
  if (!next && own.is !== 'boundary') return block(objection)

  const done = { ...state, completedStages: [...new Set([...state.completedStages, stage.id])] }
  const hasBoundary = stage.exit.length > 0 || stage.approval !== undefined
  const advance = (): Step => {
    if (!next) {
      const event: WorkflowEvent = { action: 'workflow_completed', stageId: stage.id }
      return {
        verdict: 'allow',
        stageId: '',
        message: '',
        state: { ...done, activeStage: '' },
        events: [...events, event],
      }
    }
    const event: WorkflowEvent = { action: 'workflow_stage_advanced', stageId: stage.id, toStageId: next.id }
    return walk(workflow, { ...done, activeStage: next.id }, call, facts, [...events, event])
  }
  const mayEnter = (): Gate | undefined => next && failing(next.entry, { state: done, stage: next, facts })

  if (own.is === 'check' && own.check.isProhibition && next) {
    // Forbidden here. It may be the next stage's own work, but only when this one has no gate of its own to pass.
    const isNextWork =
      !hasBoundary &&
      !mayEnter() &&
      ownTest(next, call).is === 'handled' &&
      next.checks.some((check) => !check.isProhibition)
    return isNextWork ? advance() : block(objection)
  }

  const exit = failing(stage.exit, world)
  if (exit) return block(exit.message || objection || `Not yet: ${exit.text}`)
  if (stage.approval !== undefined && state.approvals[stage.id] !== 'approved') {
    return { verdict: 'ask', stageId: stage.id, message: stage.approval, state, events }
  }
  if (!next) return hasBoundary ? advance() : block(objection)
  const entry = mayEnter()
  if (entry) return block(entry.message || objection || `Not yet: ${entry.text}`)
  if (hasBoundary || next.isTerminal) return advance()
  if (stage.tools.some(({ glob }) => /[*?[]/.test(glob))) return block(objection)
  // Nothing says that this stage is over but the call itself: it is, if a later stage takes the call.
  const ahead = advance()
  return ahead.verdict === 'block' ? block(objection) : ahead
}

type OwnTest =
  | { readonly is: 'handled' }
  /** A stage that does no work, only waits for its gates. */
  | { readonly is: 'boundary' }
  | { readonly is: 'tool'; readonly message: string }
  | { readonly is: 'check'; readonly message: string; readonly check: Check }

function ownTest(stage: Stage, call: Call): OwnTest {
  const works = stage.tools.length > 0 || stage.checks.length > 0
  if (!works && (stage.exit.length > 0 || stage.approval !== undefined)) return { is: 'boundary' }
  const takesTool = stage.tools.length === 0 ? !stage.isTerminal : stage.tools.some(({ matches }) => matches(call.tool))
  if (!takesTool) return { is: 'tool', message: mismatch }
  const command = bashCommandOf(call) ?? ''
  const check = stage.checks.find((one) => found(one.pattern, command) === one.isProhibition)
  return check ? { is: 'check', message: check.message, check } : { is: 'handled' }
}

interface World {
  readonly state: WorkflowState
  readonly stage: Stage
  readonly facts: WorkflowFacts
}

function failing(gates: readonly Gate[], world: World): Gate | undefined {
  return gates.find((gate) => !holds(gate, world))
}

function holds({ condition }: Gate, { state, stage, facts }: World): boolean {
  const commands = own(state.evidence.stageCalls, stage.id) ?? []
  switch (condition.is) {
    case 'stage_complete':
      return state.completedStages.includes(condition.stageId)
    case 'file_read':
      return state.evidence.reads.includes(condition.path)
    case 'approval':
      return own(state.approvals, condition.stageId ?? stage.id) === 'approved'
    case 'command_matches':
      return commands.some((command) => found(condition.pattern, command))
    case 'command_not_matches':
      return !commands.some((command) => found(condition.pattern, command))
    case 'mcp_result_matches': {
      const results = own(state.evidence.mcpResults, condition.tool) ?? []
      return results.some((result) => asText(own(result, condition.field)) === condition.value)
    }
    case 'exec':
      if (!facts.exec) throw new Error('exec conditions are switched off')
      return facts.exec(condition.command) === condition.exitCode
  }
}

function found(pattern: Pattern, text: string): boolean {
  const answer = pattern.test(text)
  if (answer === 'exhausted') throw new Error(`the regex ${JSON.stringify(pattern.source)} took too many steps`)
  return answer === 'match'
}

function asText(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

function own<Value>(record: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

function withStatus(step: Step, call: Call, { now }: WorkflowFacts): WorkflowState {
  const { state, message, stageId } = step
  switch (step.verdict) {
    case 'allow':
      return { ...state, blockedReason: null, pendingApproval: { required: false } }
    case 'ask':
      return { ...state, blockedReason: null, pendingApproval: { required: true, stageId, message } }
    case 'block': {
      const noted = { tool: call.tool, summary: summaryOf(call), message }
      const last = state.lastBlockedAction
      const isSame = last?.tool === noted.tool && last.summary === noted.summary && last.message === message
      const lastBlockedAction = isSame ? last : { ...noted, timestamp: now }
      return { ...state, blockedReason: message, pendingApproval: { required: false }, lastBlockedAction }
    }
  }
}

export function summaryOf(call: Call): string {
  return redactText(bashCommandOf(call) || filePathOf(call) || call.tool).slice(0, 4_096)
}
