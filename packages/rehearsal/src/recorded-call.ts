import type { Call, JsonObject, JsonValue, Principal, Remains, Unknowns } from '@countersign/rules'

/** An event as it was recorded, its payload still text: most of them are never read. */
export interface RecordedEvent {
  readonly id: string
  readonly atMs: number
  readonly agent: string
  readonly environment: string
  readonly tool: string
  /** In canonical words, such as `call_blocked`. */
  readonly action: string
  readonly mode: string
  /** Empty when the event names none. */
  readonly rule: string
  readonly callId: string
  /** JSON, with the keys of every object in order. */
  readonly payload: string
  /** Made of `callIdentity`, so that events with the same one are of calls that are the same. */
  readonly digest?: string | undefined
}

/** What is left to say of an event when one with its digest was added before. */
export type RecordedLike = Pick<RecordedEvent, 'atMs' | 'callId'> & { readonly digest: string }

export type Was = 'allow' | 'block' | 'hold'

/** Actions that tell how a call was decided before it ran. The others only tell what came of it. */
export const decidingActions = ['call_allowed', 'call_blocked', 'call_would_block', 'call_asked'] as const

/** What became of the call, as the agent reported it. */
export function wasOf({ action, mode }: Pick<RecordedEvent, 'action' | 'mode'>): Was {
  if (action === 'call_asked') return 'hold'
  // Under an observing guard a block is only pronounced.
  return action === 'call_blocked' && mode !== 'observe' ? 'block' : 'allow'
}

/** The call inside an event, whichever of the older or newer shapes it has. */
export function callOf(event: RecordedEvent): { readonly call: Call; readonly source: string | undefined } {
  const whole = objectIn(parsed(event.payload)) ?? {}
  const inner = objectIn(whole['payload']) ?? whole
  const args = objectIn(inner['tool_args']) ?? objectIn(whole['tool_args']) ?? {}
  const recorded = objectIn(inner['principal']) ?? objectIn(whole['principal'])
  // An event that was too large may have lost who asked.
  const principal = recorded ?? (whole['_truncated'] === true ? lostPrincipal : undefined)
  const source = inner['decision_source']
  return {
    call: {
      tool: event.tool,
      args,
      environment: event.environment,
      ...(principal ? { principal: principalOf(principal) } : {}),
    },
    source: typeof source === 'string' ? source : undefined,
  }
}

const redacted = '[REDACTED]'
const lostPrincipal: JsonObject = {
  user_id: redacted,
  service_id: redacted,
  org_id: redacted,
  role: redacted,
  ticket_ref: redacted,
  claims: { _redacted: 'lost' },
}

/** Python writes snake case, TypeScript camel case. */
function principalOf(found: JsonObject): Principal {
  const word = (snake: string, camel: string): string | null => {
    const value = found[snake] ?? found[camel]
    return typeof value === 'string' ? value : null
  }
  return {
    userId: word('user_id', 'userId'),
    serviceId: word('service_id', 'serviceId'),
    orgId: word('org_id', 'orgId'),
    role: word('role', 'role'),
    ticketRef: word('ticket_ref', 'ticketRef'),
    claims: objectIn(found['claims']) ?? {},
  }
}

const tooDeep = '[nested too deep]'
/** SDKs cut texts to this length before they send them, three dots included. */
const cutLength = 1_000

/** True when some value of a payload may not be what the call had; cheap, and right for most payloads. */
export function mayHideValues(payload: string): boolean {
  return (
    payload.includes(redacted) ||
    payload.includes('..."') ||
    payload.includes(tooDeep) ||
    payload.includes('"_redacted"') ||
    payload.includes('\\\\u')
  )
}

/** What is left of a recorded value that was hidden or cut before it was stored. */
function remainsOfRecorded(value: JsonValue): Remains | undefined {
  if (typeof value === 'string') {
    if (value === redacted || value === tooDeep) return { is: 'anything' }
    const hidden = value.indexOf(redacted)
    if (hidden >= 0) return { is: 'text', start: value.slice(0, hidden) }
    // Text that cannot be stored is shown as its escape; whoever wrote the same six characters himself is asked again.
    const escape = value.search(/\\u[0-9a-f]{4}/)
    if (escape >= 0) return { is: 'text', start: value.slice(0, escape) }
    if (value.length === cutLength && value.endsWith('...')) return { is: 'text', start: value.slice(0, -3) }
    return undefined
  }
  // A whole event that was too large has this in place of its arguments.
  return objectIn(value) && Object.hasOwn(value as JsonObject, '_redacted') ? { is: 'anything' } : undefined
}

/** Events do not carry these, so nothing is known of them. */
export function isUnrecorded(selector: string): boolean {
  return !/^(?:args\.|principal\.|environment$|tool\.name$)/.test(selector)
}

export const recordedUnknowns: Unknowns = { value: remainsOfRecorded, selector: isUnrecorded }

function parsed(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    // An export that somebody edited; the call has then no arguments anybody knows.
    return { tool_args: { _redacted: 'unreadable' } }
  }
}

function objectIn(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
}
