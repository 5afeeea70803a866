import type { event, Static } from '@countersign/wire'
import type { JsonValue } from '../../kernel/json.ts'
import type { StoredEvent } from './stored-event.ts'

export type ShownEvent = Static<typeof event>

/** An event as lists of /api/v2 show it. */
export function showEvent(one: StoredEvent): ShownEvent {
  const { details, payload } = one
  const duration = details['duration_ms'] ?? payload['duration_ms']
  return {
    id: one.id,
    at: isoOf(one.atMicros),
    received_at: one.receivedAt.toISOString(),
    environment: one.environment,
    agent_id: one.agent,
    tool: one.tool,
    verdict: one.verdict,
    series: one.series,
    mode: one.mode,
    rule: one.rule,
    reason: textOf(details['reason']),
    call_id: one.callId,
    session_id: one.sessionId,
    side_effect: textOf(details['side_effect']),
    revision: textOf(details['policy_version']),
    ruleset: textOf(details['bundle_name'] ?? details['ruleset_name']),
    duration_ms: typeof duration === 'number' ? duration : null,
    key_prefix: one.keyPrefix,
    flags: [...one.flags],
  }
}

export function isoOf(micros: number): string {
  return new Date(Math.floor(micros / 1_000)).toISOString()
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
