import { isDeepStrictEqual } from 'node:util'
import { stringify } from 'yaml'
import {
  type Call,
  evaluateWorkflow,
  type JsonObject,
  type JsonValue,
  parseWorkflow,
  recordApproval,
  recordResult,
  resetWorkflow,
  setWorkflowStage,
  snapshotToJson,
  stateFromJson,
  stateToJson,
  type Workflow,
  type WorkflowEvent,
  type WorkflowState,
} from '../../src/index.ts'
import { asData, asList, type Case, type Data } from './cases.ts'

interface Event {
  readonly action: string
  readonly [key: string]: unknown
}

const facts = { now: '2026-01-01T00:00:00Z' }

export function runWorkflowCase({ data, shared, kind }: Case): readonly string[] {
  const parsed = parseWorkflow(stringify(shared[String(data['workflow'])]))
  if (!parsed.ok) return [`does not load: ${JSON.stringify(parsed.diagnostics[0])}`]
  const initial = asData(data['initial_state'])
  // The state goes through its stored form at every step, as it does between two calls of a session.
  let stored = initial as JsonValue
  const steps = asList(data['steps'])
  if (steps.length === 0) return ['the case has no steps']
  const lineage = data['lineage'] === undefined ? {} : asData(data['lineage'])
  return steps.flatMap((one) => {
    const step = asData(one)
    const taken = takeStep(parsed.workflow, stateFromJson(stored), step, {
      session_id: initial['session_id'],
      ...lineage,
    })
    stored = stateToJson(taken.state)
    return compare(asData(step['expect']), taken, kind === 'adapter').map(
      (difference) => `${String(step['id'])}: ${difference}`,
    )
  })
}

interface Taken {
  readonly state: WorkflowState
  readonly decision: string | undefined
  readonly reason: string
  readonly askedFor: string | undefined
  readonly events: readonly Event[]
}

function takeStep(workflow: Workflow, before: WorkflowState, step: Data, lineage: Data): Taken {
  const events: Event[] = []
  const emit = (action: string, state: WorkflowState, more: Data = {}): void => {
    events.push({ action, workflow: snapshotToJson(workflow, state), ...lineage, ...more })
  }
  const emitAll = (list: readonly WorkflowEvent[], state: WorkflowState): void => {
    for (const event of list) {
      const place = {
        ...(event.stageId ? { stage_id: event.stageId } : {}),
        ...(event.toStageId ? { to_stage_id: event.toStageId } : {}),
      }
      events.push({ action: event.action, workflow: { ...snapshotToJson(workflow, state), ...place }, ...lineage })
    }
  }
  for (const [key, change] of [
    ['reset_to', resetWorkflow],
    ['set_stage_to', setWorkflowStage],
  ] as const) {
    if (typeof step[key] !== 'string') continue
    const made = change(workflow, before, step[key])
    emitAll(made.events, made.state)
    return { state: made.state, decision: undefined, reason: '', askedFor: undefined, events }
  }
  const wanted = asData(step['call'])
  const call: Call = { tool: String(wanted['tool']), args: (wanted['args'] ?? {}) as Call['args'] }
  const outcomes = [...asList(step['approval_outcomes'])]
  let state = before
  for (let round = 0; round < 32; round += 1) {
    const decision = evaluateWorkflow(workflow, state, call, facts)
    state = decision.state
    emitAll(decision.events, state)
    const about = { tool_name: call.tool, reason: decision.message || null }
    const done = (name: string, reason: string, askedFor?: string): Taken => ({
      state,
      decision: name,
      reason,
      askedFor,
      events,
    })
    if (decision.verdict === 'block') {
      emit('call_blocked', state, about)
      return done('block', decision.message)
    }
    if (decision.verdict === 'ask') {
      emit('call_asked', state, about)
      const outcome = outcomes.shift()
      if (outcome === undefined) return done('pause', decision.message, decision.stageId)
      if (outcome !== 'approved') {
        emit('call_approval_blocked', state, about)
        return done('block', decision.message, decision.stageId)
      }
      emit('call_approval_granted', state, about)
      state = recordApproval(workflow, state, decision.stageId)
      continue
    }
    emit('call_allowed', state, { tool_name: call.tool })
    if (step['execution'] === 'error') emit('call_failed', state, { tool_name: call.tool })
    if (step['execution'] === 'success') {
      const result = step['mcp_result'] as JsonObject | undefined
      const recorded = recordResult(workflow, state, decision.stageId, call, facts, result)
      state = recorded.state
      emit('call_executed', state, { tool_name: call.tool })
      emitAll(recorded.events, state)
    }
    return done('allow', '')
  }
  throw new Error('more than 32 approvals')
}

function compare(expect: Data, taken: Taken, isAdapter: boolean): readonly string[] {
  const found: string[] = []
  const json = stateToJson(taken.state)
  const evidence = asData(json['evidence'])
  const same = (name: string, actual: unknown, wanted: unknown): void => {
    if (!isDeepStrictEqual(normal(actual), normal(wanted)))
      found.push(`${name} ${JSON.stringify(actual)}, expected ${JSON.stringify(wanted)}`)
  }
  if (taken.decision !== undefined) {
    const wanted = expect['decision']
    if (typeof wanted !== 'string') return ['the step has no expected decision']
    same('decision', taken.decision, wanted === 'deny' ? 'block' : wanted)
  }
  const part = expect['message_contains']
  if (typeof part === 'string' && !taken.reason.includes(part))
    found.push(`reason ${JSON.stringify(taken.reason)} lacks ${part}`)
  if ('approval_requested_for' in expect)
    same('approval_requested_for', taken.askedFor, expect['approval_requested_for'])
  const wantedEvidence = asData(expect['evidence'])
  same('active_stage', json['active_stage'], expect['active_stage'])
  same('completed_stages', json['completed_stages'], expect['completed_stages'])
  same('approvals', json['approvals'], expect['approvals'])
  same('reads', evidence['reads'], wantedEvidence['reads'])
  same('stage_calls', evidence['stage_calls'], wantedEvidence['stage_calls'])
  if ('mcp_results' in wantedEvidence) same('mcp_results', evidence['mcp_results'], wantedEvidence['mcp_results'])
  if (!isAdapter) return found
  same('blocked_reason', json['blocked_reason'], expect['blocked_reason'])
  same('pending_approval', json['pending_approval'], expect['pending_approval'])
  const wantedEvents = asList(expect['audit_events']).map(asData)
  same(
    'events',
    taken.events.map((event) => event.action),
    wantedEvents.map((event) => newerAction(event['action'])),
  )
  for (const [index, wanted] of wantedEvents.entries()) {
    const { action: _, ...rest } = wanted
    if (!covers(taken.events[index], rest))
      found.push(`event ${index} ${JSON.stringify(taken.events[index])}, expected ${JSON.stringify(rest)}`)
  }
  return found
}

const renamed: Readonly<Record<string, string>> = {
  call_denied: 'call_blocked',
  call_approval_requested: 'call_asked',
  call_approval_denied: 'call_approval_blocked',
}

function newerAction(action: unknown): string {
  return renamed[String(action)] ?? String(action)
}

/** Every listed key matches; keys that are not listed do not matter. */
function covers(actual: unknown, wanted: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null || Array.isArray(wanted))
    return isDeepStrictEqual(normal(actual), normal(wanted))
  if (typeof actual !== 'object' || actual === null) return false
  return Object.entries(wanted).every(([key, one]) => covers((actual as Data)[key], one))
}

/** Order of keys is no difference, and one fixture writes `KEY: VALUE` without quotes in a list of commands. */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normal)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key,
      key === 'stage_calls' || !Array.isArray(one) ? normal(one) : one.map(commandText),
    ]),
  )
}

function commandText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return normal(value)
  const [only, more] = Object.entries(value)
  return only && !more && typeof only[1] === 'string' ? `${only[0]}: ${only[1]}` : normal(value)
}
