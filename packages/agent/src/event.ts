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
  | 'workflow_stage_advanced'
  | 'workflow_completed'
  | 'workflow_state_updated'

/** One event as it is reported: flat, snake case, arguments redacted; what there is nothing to say of is left out. */
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
  /** Where the session stands in its workflow, when it has one. */
  readonly workflow?: JsonObject | undefined
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
  const { principal, parentCallId, callId, sessionId } = call
  const parentSession = call.metadata['parent_session_id']
  const args = JSON.stringify(redactArguments(call.args))
  const who = principal === null ? '' : `,"principal":${principalText(principal)}`
  const parent = parentCallId === undefined ? '' : `,"parent_call_id":${JSON.stringify(parentCallId)}`
  const outer = parentSession === undefined ? '' : `,"parent_session_id":${JSON.stringify(parentSession)}`
  const head = `${reporterText(reporter)},"call_id":${text(callId)},"tool_name":${toolText(call.tool)},"side_effect":"${sideEffect}","call_index":${callIndex},"session_id":${text(sessionId)}${who}${parent}${outer}`
  return (reported) => {
    const tail = tailOf(reported)
    const line = `${head},"tool_args":${args},${tail}`
    return line.length <= eventLengthMax ? line : `${head},"_truncated":true,"tool_args":${tooLarge},${tail}`
  }
}

const reporters = new WeakMap<Reporter, string>()

/** What every event of a guard begins with. */
function reporterText(reporter: Reporter): string {
  const known = reporters.get(reporter)
  if (known !== undefined) return known
  const { agentId, environment, runId } = reporter
  const made = `{"schema_version":"${schemaVersion}","agent_id":"${agentId}","environment":"${environment}","run_id":"${runId}"`
  reporters.set(reporter, made)
  return made
}

const toolsRemembered = 1_000
const tools = new Map<string, string>()

function toolText(tool: string): string {
  const known = tools.get(tool)
  if (known !== undefined) return known
  if (tools.size >= toolsRemembered) tools.clear()
  const made = JSON.stringify(tool)
  tools.set(tool, made)
  return made
}

const tooLarge = JSON.stringify({ _redacted: 'payload exceeded 32KB' })

/** Written by hand where a value cannot need an escape: every call writes this twice before it goes on. */
function tailOf(reported: Reported): string {
  const { action, revision, fired, allFired, error, reason, source, succeeded, passed, durationMs } = reported
  const { attempts, executions, workflow } = reported
  const isPlain = fired === undefined && reason === undefined && source === undefined && !allFired?.length
  let tail = `${isPlain ? plainWords(action, revision) : words(reported)},"timestamp":"${isoOf(reported.at)}"`
  if (attempts !== undefined) tail += `,"session_attempt_count":${attempts}`
  if (executions !== undefined) tail += `,"session_execution_count":${executions}`
  if (succeeded !== undefined) tail += `,"tool_success":${succeeded}`
  if (passed !== undefined) tail += `,"postconditions_passed":${passed}`
  if (durationMs !== undefined) tail += `,"duration_ms":${Math.round(durationMs)}`
  if (error !== undefined) tail += `,"error":${text(redactText(error))}`
  if (workflow !== undefined) tail += `,"workflow":${JSON.stringify(workflow)}`
  return `${tail}}`
}

function words({ action, revision, fired, allFired = [], reason, source }: Reported): string {
  return JSON.stringify({
    action,
    mode: fired?.isObserved === true ? 'observe' : 'enforce',
    decision_source: source ?? fired?.source,
    decision_name: fired?.name,
    reason: reason ?? fired?.message,
    rules_evaluated: allFired.map(recordOf),
    policy_version: revision,
    policy_error: fired?.policyError === true || allFired.some((one) => one.policyError),
  }).slice(1, -1)
}

let plainRevision = ''
const plain = new Map<EventAction, string>()

/** What is said of calls that nothing objected to differs by action and revision alone. */
function plainWords(action: EventAction, revision: string): string {
  if (revision !== plainRevision) plain.clear()
  plainRevision = revision
  const known = plain.get(action)
  if (known !== undefined) return known
  const made = words({ action, revision, at: new Date(0) })
  plain.set(action, made)
  return made
}

let isoMs = Number.NaN
let iso = ''

/** The events of a call mostly fall into one millisecond, and writing a time costs more than all else of one. */
function isoOf(at: Date): string {
  const ms = at.getTime()
  if (ms !== isoMs) {
    iso = at.toISOString()
    isoMs = ms
  }
  return iso
}

const needsEscape = /[^A-Za-z0-9 ._:@-]/

/** Most ids need no escape, and finding that out is quicker than asking for one. */
function text(value: string): string {
  return needsEscape.test(value) ? JSON.stringify(value) : `"${value}"`
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

const principals = new WeakMap<Principal, string>()

/** Written once for the guard's own, which most calls are made for. */
function principalText(principal: Principal): string {
  const known = principals.get(principal)
  if (known !== undefined) return known
  const made = JSON.stringify(principalOnWire(principal))
  principals.set(principal, made)
  return made
}

function principalOnWire(principal: Principal): JsonObject {
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
