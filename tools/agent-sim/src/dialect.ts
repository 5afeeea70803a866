/** What an SDK of one generation calls and says (agent-api §8.2). */
export type Dialect = {
  readonly name: 'A2' | 'D'
  readonly prefix: '/api/v1' | '/v1'
  readonly rulesets: 'bundles' | 'rulesets'
  readonly words: Readonly<Record<CallAction, string>>
  /** The field of an approval request that says what happens when nobody answers, and its words. */
  readonly onTimeout: (action: 'block' | 'allow') => Readonly<Record<string, string>>
  readonly event: (event: SimEvent, words: Dialect['words']) => Readonly<Record<string, unknown>>
}

export type CallAction =
  | 'call_allowed'
  | 'call_blocked'
  | 'call_would_block'
  | 'call_executed'
  | 'call_failed'
  | 'call_asked'
  | 'call_approval_granted'
  | 'call_approval_blocked'
  | 'call_approval_timeout'

export type SimEvent = {
  readonly callId: string
  readonly agentId: string
  readonly environment: string
  readonly sessionId: string
  readonly tool: string
  readonly args: Readonly<Record<string, unknown>>
  readonly sideEffect: string
  readonly action: CallAction
  readonly mode: 'enforce' | 'observe'
  readonly at: string
  readonly revision: string | null
  readonly ruleset: string | null
  readonly rule: string | null
  readonly source: string | null
  readonly reason: string | null
  readonly principal: Readonly<Record<string, unknown>> | null
  readonly durationMs: number | null
  readonly succeeded: boolean | null
}

const newWords = Object.fromEntries(
  (
    [
      'call_allowed',
      'call_blocked',
      'call_would_block',
      'call_executed',
      'call_failed',
      'call_asked',
      'call_approval_granted',
      'call_approval_blocked',
      'call_approval_timeout',
    ] as const
  ).map((word) => [word, word]),
) as Record<CallAction, string>

/** Python 0.12.1 to 0.16, TypeScript 0.1, Go 0.2: nested events, old words, contract bundles. */
export const dialectA2: Dialect = {
  name: 'A2',
  prefix: '/api/v1',
  rulesets: 'bundles',
  words: {
    ...newWords,
    call_blocked: 'call_denied',
    call_would_block: 'call_would_deny',
    call_asked: 'call_approval_requested',
    call_approval_blocked: 'call_approval_denied',
  },
  onTimeout: (action) => ({ timeout_effect: action === 'block' ? 'deny' : 'allow' }),
  event: (event, words) => ({
    call_id: event.callId,
    agent_id: event.agentId,
    tool_name: event.tool,
    verdict: words[event.action],
    mode: event.mode,
    timestamp: event.at,
    payload: {
      tool_args: event.args,
      side_effect: event.sideEffect,
      environment: event.environment,
      principal: event.principal,
      decision_source: event.source,
      decision_name: event.rule,
      reason: event.reason,
      policy_version: event.revision,
      bundle_name: event.ruleset,
      duration_ms: event.durationMs,
    },
  }),
}

/** Python 0.18, TypeScript 0.4, Go 0.4 and later: flat events, new words, rulesets. */
export const dialectD: Dialect = {
  name: 'D',
  prefix: '/v1',
  rulesets: 'rulesets',
  words: newWords,
  onTimeout: (action) => ({ timeout_action: action }),
  event: (event, words) => ({
    schema_version: '0.3.0',
    call_id: event.callId,
    agent_id: event.agentId,
    tool_name: event.tool,
    tool_args: event.args,
    side_effect: event.sideEffect,
    environment: event.environment,
    principal: event.principal,
    action: words[event.action],
    decision_source: event.source,
    decision_name: event.rule,
    reason: event.reason,
    hooks_evaluated: null,
    rules_evaluated:
      event.rule === null ? [] : [{ name: event.rule, type: 'precondition', passed: false, message: event.reason }],
    mode: event.mode,
    policy_version: event.revision,
    timestamp: event.at,
    run_id: event.sessionId,
    call_index: 0,
    parent_call_id: null,
    session_id: event.sessionId,
    parent_session_id: null,
    tool_success: event.succeeded,
    postconditions_passed: null,
    duration_ms: event.durationMs,
    error: null,
    result_summary: null,
    session_attempt_count: null,
    session_execution_count: null,
    policy_error: false,
  }),
}
