import {
  type Fired,
  type JsonObject,
  type Principal,
  redactArguments,
  redactText,
  type SideEffect,
} from '@countersign/rules'
import type { FrozenCall } from './call.ts'

/** What happened to a call, in the words of the wire (agent-api §6.3). */
export type EventAction =
  | 'call_allowed'
  | 'call_blocked'
  | 'call_would_block'
  | 'call_executed'
  | 'call_failed'
  | 'call_asked'
  | 'call_approval_granted'
  | 'call_approval_blocked'
  | 'call_approval_timeout'

/** One event as it is reported: flat, snake case, arguments redacted. */
export type AgentEvent = Readonly<Record<string, unknown>> & {
  readonly call_id: string
  readonly tool_name: string
  readonly action: EventAction
  readonly timestamp: string
}

export type Reported = {
  readonly action: EventAction
  readonly at: Date
  readonly revision: string
  /** What spoke; none for a call that nothing objected to. */
  readonly fired?: Fired | undefined
  readonly reason?: string | undefined
  readonly source?: string | undefined
  /** Rules that fired, for the record of the whole decision. */
  readonly allFired?: readonly Fired[] | undefined
  readonly attempts?: number | undefined
  readonly executions?: number | undefined
  readonly succeeded?: boolean | undefined
  readonly passed?: boolean | undefined
  readonly durationMs?: number | undefined
  readonly error?: string | undefined
}

export type Reporter = { readonly agentId: string; readonly environment: string; readonly runId: string }

/** Larger than this an event loses its arguments, so that one call never fills a batch. */
const eventLengthMax = 32_768
const schemaVersion = '0.4.0'

/** Writes the events of one call as lines. What they share is written once. */
export type CallReport = (reported: Reported) => string

export function reportCall(
  reporter: Reporter,
  call: FrozenCall,
  sideEffect: SideEffect,
  callIndex: number,
): CallReport {
  const shared = {
    schema_version: schemaVersion,
    call_id: call.callId,
    agent_id: reporter.agentId,
    tool_name: call.tool,
    side_effect: sideEffect,
    environment: reporter.environment,
    principal: principalOnWire(call.principal),
    run_id: reporter.runId,
    call_index: callIndex,
    parent_call_id: call.parentCallId ?? null,
    session_id: call.sessionId,
    parent_session_id: call.metadata['parent_session_id'] ?? null,
    hooks_evaluated: null,
  }
  const args = JSON.stringify(redactArguments(call.args))
  const head = JSON.stringify(shared).slice(0, -1)
  return (reported) => {
    const tail = JSON.stringify(tailOf(reported)).slice(1)
    const line = `${head},"tool_args":${args},${tail}`
    return line.length <= eventLengthMax ? line : `${head},"_truncated":true,"tool_args":${tooLarge},${tail}`
  }
}

const tooLarge = JSON.stringify({ _redacted: 'payload exceeded 32KB' })

function tailOf(reported: Reported): object {
  const { fired, allFired = [] } = reported
  return {
    action: reported.action,
    mode: fired?.isObserved === true ? 'observe' : 'enforce',
    decision_source: reported.source ?? fired?.source ?? null,
    decision_name: fired?.name ?? null,
    reason: reported.reason ?? fired?.message ?? null,
    rules_evaluated: allFired.map(recordOf),
    policy_version: reported.revision,
    policy_error: fired?.policyError === true || allFired.some(({ policyError }) => policyError),
    timestamp: reported.at.toISOString(),
    tool_success: reported.succeeded ?? null,
    postconditions_passed: reported.passed ?? null,
    duration_ms: reported.durationMs === undefined ? null : Math.round(reported.durationMs),
    error: reported.error === undefined ? null : redactText(reported.error),
    result_summary: null,
    session_attempt_count: reported.attempts ?? null,
    session_execution_count: reported.executions ?? null,
  }
}

const kinds: Readonly<Record<Fired['source'], string>> = {
  attempt_limit: 'limit',
  operation_limit: 'limit',
  yaml_precondition: 'precondition',
  yaml_sandbox: 'sandbox',
  yaml_session: 'session_rule',
  yaml_postcondition: 'postcondition',
  workflow: 'workflow_gate',
}

function recordOf({ name, source, message, isObserved, policyError, metadata }: Fired): JsonObject {
  return {
    name,
    type: kinds[source],
    passed: false,
    message,
    ...(isObserved && { observed: true }),
    ...(policyError && { policy_error: true }),
    ...(Object.keys(metadata).length > 0 && { metadata }),
  }
}

function principalOnWire(principal: Principal | null): JsonObject | null {
  if (principal === null) return null
  const { userId, serviceId, orgId, role, ticketRef, claims } = principal
  return {
    ...(userId != null && { user_id: userId }),
    ...(serviceId != null && { service_id: serviceId }),
    ...(orgId != null && { org_id: orgId }),
    ...(role != null && { role }),
    ...(ticketRef != null && { ticket_ref: ticketRef }),
    ...(claims && { claims: redactArguments(claims) }),
  }
}
