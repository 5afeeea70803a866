import { isList, isObject, type JsonObject } from '../evaluate/call.ts'
import type { JsonValue } from '../model.ts'
import type { Noted, PendingApproval, Workflow, WorkflowState } from './workflow.ts'

/** Key under which a session stores the state; `legacyStateKey` is read when this one is empty, then deleted. */
export function stateKey(workflow: string): string {
  return `workflow:${workflow}:state`
}
export function legacyStateKey(workflow: string): string {
  return `workflow_state__${workflow}`
}

export function stateToJson(state: WorkflowState): JsonObject {
  return {
    active_stage: state.activeStage,
    completed_stages: state.completedStages,
    approvals: state.approvals,
    evidence: {
      reads: state.evidence.reads,
      stage_calls: state.evidence.stageCalls,
      mcp_results: state.evidence.mcpResults,
    },
    ...statusToJson(state),
  }
}

/** The `workflow` object of events. */
export function snapshotToJson(workflow: Workflow, state: WorkflowState): JsonObject {
  return {
    name: workflow.name,
    ...(workflow.version ? { version: workflow.version } : {}),
    active_stage: state.activeStage,
    completed_stages: state.completedStages,
    ...statusToJson(state),
  }
}

function statusToJson(state: WorkflowState): JsonObject {
  const { pendingApproval: pending, lastBlockedAction: blocked, lastRecordedEvidence: recorded } = state
  return {
    blocked_reason: state.blockedReason,
    pending_approval: pending.required
      ? { required: true, stage_id: pending.stageId, message: pending.message }
      : { required: false },
    ...(blocked ? { last_blocked_action: { ...blocked } } : {}),
    ...(recorded ? { last_recorded_evidence: { ...recorded } } : {}),
  }
}

/** Either spelling of the SDKs. Throws when it is not a state: the caller must then block, not begin anew. */
export function stateFromJson(json: JsonValue): WorkflowState {
  if (!isObject(json)) throw new Error('A workflow state must be an object.')
  const pick = (snake: string, camel: string): JsonValue | undefined => json[snake] ?? json[camel]
  const activeStage = pick('active_stage', 'activeStage')
  if (typeof activeStage !== 'string') throw new Error('A workflow state needs its active stage.')
  const evidence = pick('evidence', 'evidence')
  const seen = isObject(evidence) ? evidence : {}
  const blockedReason = pick('blocked_reason', 'blockedReason')
  const lastBlocked = noted(pick('last_blocked_action', 'lastBlockedAction'))
  const lastRecorded = noted(pick('last_recorded_evidence', 'lastRecordedEvidence'))
  return {
    activeStage,
    completedStages: texts(pick('completed_stages', 'completedStages')),
    approvals: approved(pick('approvals', 'approvals')),
    evidence: {
      reads: texts(seen['reads']),
      stageCalls: lists(seen['stage_calls'] ?? seen['stageCalls'], texts),
      mcpResults: lists(seen['mcp_results'] ?? seen['mcpResults'], (list) =>
        isList(list) ? list.filter(isObject) : [],
      ),
    },
    blockedReason: typeof blockedReason === 'string' ? blockedReason : null,
    pendingApproval: pendingFrom(pick('pending_approval', 'pendingApproval')),
    ...(lastBlocked ? { lastBlockedAction: { ...lastBlocked, message: lastBlocked.message ?? '' } } : {}),
    ...(lastRecorded ? { lastRecordedEvidence: lastRecorded } : {}),
  }
}

function texts(value: JsonValue | undefined): readonly string[] {
  if (value === undefined || value === null) return []
  if (!isList(value) || !value.every((one) => typeof one === 'string'))
    throw new Error('A workflow state holds a broken list.')
  return value
}

function approved(value: JsonValue | undefined): WorkflowState['approvals'] {
  if (!isObject(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([id, one]) => (one === 'approved' ? [[id, 'approved' as const]] : [])),
  )
}

function lists<Item>(
  value: JsonValue | undefined,
  read: (list: JsonValue) => readonly Item[],
): Readonly<Record<string, readonly Item[]>> {
  if (!isObject(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, list]) => [key, read(list)]))
}

function pendingFrom(value: JsonValue | undefined): PendingApproval {
  if (!isObject(value) || value['required'] !== true) return { required: false }
  return {
    required: true,
    stageId: String(value['stage_id'] ?? value['stageId'] ?? ''),
    message: String(value['message'] ?? ''),
  }
}

function noted(value: JsonValue | undefined): (Noted & { readonly message?: string }) | undefined {
  if (!isObject(value)) return undefined
  const { tool, summary, timestamp, message } = value
  const made = { tool: String(tool ?? ''), summary: String(summary ?? ''), timestamp: String(timestamp ?? '') }
  return typeof message === 'string' ? { ...made, message } : made
}
