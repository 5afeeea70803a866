import type { ApprovalDetail } from '@countersign/wire'
import { type Approval, statusOf } from './approval.ts'

type Fate = ApprovalDetail['fate']

/** What the agent reported of a call of the same tool, at about that time. */
export type ReportedEvent = {
  readonly id: string
  readonly action: string
  readonly at: Date
  readonly receivedAt: Date
  readonly callId: string
  readonly sessionId: string | null
  /** Redacted, with sorted keys; null when the event brought none. */
  readonly args: string | null
}

export type Situation = {
  readonly approval: Approval
  /** The approval's arguments, redacted, with sorted keys. */
  readonly args: string | null
  readonly events: readonly ReportedEvent[]
  /** Other approvals that the same agent asked for with the same tool and arguments, while this one was open. */
  readonly twins: number
  readonly now: Date
}

/** What agents report of a call that waited for a human, in the words events are stored in. */
export const approvalActions: ReadonlySet<string> = new Set([
  'call_asked',
  'call_approval_granted',
  'call_approval_blocked',
  'call_approval_timeout',
])
/** Agents send their events every few seconds; a call that ran this long ago has been reported. */
const reportedWithinMs = 10 * 60_000

type ReportedCall = { readonly callId: string; readonly events: readonly ReportedEvent[] }

/**
 * What became of the call. Agents name no call when they ask, so it is looked for among the calls they report: same
 * tool, same arguments, same session, one that waited for a human. Says how sure that is.
 */
export function matchFate(situation: Situation): Fate {
  const { approval, twins } = situation
  if (statusOf(approval) === 'pending') return none('unknown', 'Nobody has decided yet.')
  const fitting = callsIn(situation.events).filter((call) => fits(call, situation))
  const telling = fitting.filter((call) => agrees(call, approval))
  const candidates = telling.length > 0 ? telling : fitting
  const [call] = candidates
  if (!call) return none(expected(approval), silence(approval))
  const certainty = candidates.length > 1 || twins > 0 ? 'ambiguous' : isSure(call, situation) ? 'certain' : 'likely'
  const outcome = outcomeOf(call, situation)
  return {
    outcome,
    certainty,
    sentence: `${sentenceFor(outcome, approval)}${doubts[certainty]}`,
    call_id: call.callId,
    events: call.events.map(({ id, action, at }) => ({ id, action, at: at.toISOString() })),
  }
}

const doubts = {
  certain: '',
  likely: ' Matched by tool and time; the agent did not say which call this was.',
  ambiguous: ' Several calls look alike, so this may be the fate of another one.',
}

function none(outcome: Fate['outcome'], sentence: string): Fate {
  return { outcome, certainty: 'none', sentence, call_id: null, events: [] }
}

function callsIn(events: readonly ReportedEvent[]): readonly ReportedCall[] {
  const calls = new Map<string, ReportedEvent[]>()
  for (const event of events.toSorted((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime())) {
    const known = calls.get(event.callId)
    if (known) known.push(event)
    else calls.set(event.callId, [event])
  }
  return [...calls].map(([callId, own]) => ({ callId, events: own }))
}

/** A call without any word of an approval was allowed by itself: it is not the one that was held. */
function fits({ events }: ReportedCall, { approval, args }: Situation): boolean {
  const since = approval.createdAt.getTime()
  return (
    events.some(({ action }) => approvalActions.has(action)) &&
    events.every(({ receivedAt }) => receivedAt.getTime() >= since) &&
    events.every((event) => event.args === null || args === null || event.args === args) &&
    events.every(
      ({ sessionId }) => sessionId === null || approval.sessionId === null || sessionId === approval.sessionId,
    )
  )
}

/** What the agent says it was told, by what was decided. */
export const answers = {
  approved: 'call_approval_granted',
  denied: 'call_approval_blocked',
  cancelled: 'call_approval_blocked',
  timed_out: 'call_approval_timeout',
} as const

/** The agent heard of this approval what was decided on it. */
function agrees({ events }: ReportedCall, approval: Approval): boolean {
  const status = statusOf(approval)
  return status !== 'pending' && events.some(({ action }) => action === answers[status])
}

function isSure({ events }: ReportedCall, { approval, args }: Situation): boolean {
  const hasSameArgs = args !== null && events.some((event) => event.args === args)
  const hasSameSession = approval.sessionId !== null && events.some(({ sessionId }) => sessionId === approval.sessionId)
  return hasSameArgs && hasSameSession
}

function outcomeOf({ events }: ReportedCall, { approval, now }: Situation): Fate['outcome'] {
  const actions = new Set(events.map(({ action }) => action))
  if (actions.has('call_failed')) return 'failed'
  if (actions.has('call_executed')) return 'succeeded'
  if (['call_blocked', 'call_approval_blocked'].some((action) => actions.has(action))) return 'blocked'
  if (expected(approval) === 'not_run') return 'not_run'
  const settledAt = approval.settlement?.at.getTime() ?? 0
  return now.getTime() - settledAt < reportedWithinMs ? 'running' : 'unknown'
}

function mayRun(approval: Approval): boolean {
  const status = statusOf(approval)
  return status === 'approved' || (status === 'timed_out' && approval.onTimeout === 'allow')
}

function expected(approval: Approval): Fate['outcome'] {
  return mayRun(approval) ? 'unknown' : 'not_run'
}

function silence(approval: Approval): string {
  return mayRun(approval)
    ? 'The agent has reported nothing about it since.'
    : 'It was not to run, and the agent has reported nothing to the contrary.'
}

function sentenceFor(outcome: Fate['outcome'], approval: Approval): string {
  const ran = outcome === 'succeeded' || outcome === 'failed'
  if (ran && !mayRun(approval)) return 'The agent reports that it ran although it was not allowed to.'
  switch (outcome) {
    case 'succeeded':
      return 'It ran and succeeded.'
    case 'failed':
      return 'It ran and failed.'
    case 'blocked':
      return 'The agent reports that it was blocked.'
    case 'not_run':
      return 'It did not run.'
    case 'running':
      return 'The agent heard the answer; the call has not been reported as finished.'
    case 'unknown':
      return 'The agent heard the answer and never reported how the call ended.'
  }
}
