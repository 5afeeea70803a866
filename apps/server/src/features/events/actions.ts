import type { EventSeries } from '@countersign/wire'

/** What older clients call it → what we store (agent-api §6.3). */
const aliases: ReadonlyMap<string, string> = new Map([
  ['call_denied', 'call_blocked'],
  ['call_would_deny', 'call_would_block'],
  ['call_approval_requested', 'call_asked'],
  ['call_approval_denied', 'call_approval_blocked'],
  ['allow', 'call_allowed'],
  ['allowed', 'call_allowed'],
  ['block', 'call_blocked'],
  ['blocked', 'call_blocked'],
  ['deny', 'call_blocked'],
  ['denied', 'call_blocked'],
  ['ask', 'call_asked'],
  ['asked', 'call_asked'],
])

const canonical = new Set([
  'call_allowed',
  'call_blocked',
  'call_would_block',
  'call_executed',
  'call_failed',
  'postcondition_warning',
  'call_asked',
  'call_approval_granted',
  'call_approval_blocked',
  'call_approval_timeout',
  'workflow_stage_advanced',
  'workflow_completed',
  'workflow_state_updated',
])

/** What `/api/v1/events` answers in `verdict`, as its readers know it. */
const legacy: ReadonlyMap<string, string> = new Map([
  ['call_blocked', 'call_denied'],
  ['call_would_block', 'call_would_deny'],
  ['call_asked', 'call_approval_requested'],
  ['call_approval_blocked', 'call_approval_denied'],
])

/** The canonical word for any spelling; a word nobody knows stays as it was sent. */
export function canonicalAction(raw: string): string {
  if (canonical.has(raw)) return raw
  const folded = raw.toLowerCase()
  return aliases.get(folded) ?? (canonical.has(folded) ? folded : raw)
}

export function legacyAction(action: string): string {
  return legacy.get(action) ?? action
}

/** Which bar of the histogram an event belongs to: exactly one. */
export function seriesOf(action: string, mode: string): EventSeries {
  switch (action) {
    case 'call_allowed':
    case 'call_executed':
    case 'call_approval_granted':
      return 'allowed'
    case 'call_would_block':
      return 'observed'
    case 'call_blocked':
    case 'call_approval_blocked':
    case 'call_approval_timeout':
      return mode === 'observe' ? 'observed' : 'blocked'
    case 'call_asked':
      return 'held'
    case 'call_failed':
      return 'failed'
    default:
      return 'other'
  }
}
