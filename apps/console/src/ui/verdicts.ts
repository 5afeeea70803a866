/** The words people see. One colour, one icon and one word each, everywhere. */
export const verdictWords = {
  allowed: 'Allowed',
  blocked: 'Blocked',
  held: 'Held',
  approved: 'Approved',
  denied: 'Denied',
  'would-block': 'Would block',
  failed: 'Failed',
  'timed-out': 'Timed out',
  cancelled: 'Cancelled',
  running: 'Running',
  unknown: 'Unknown',
} as const

export type Verdict = keyof typeof verdictWords
export type VerdictTone = 'allowed' | 'blocked' | 'held' | 'would-block' | 'failed' | 'timed-out'

const tones: Readonly<Record<Verdict, VerdictTone>> = {
  allowed: 'allowed',
  approved: 'allowed',
  blocked: 'blocked',
  denied: 'blocked',
  held: 'held',
  'would-block': 'would-block',
  failed: 'failed',
  'timed-out': 'timed-out',
  cancelled: 'timed-out',
  running: 'timed-out',
  unknown: 'timed-out',
}

export function toneOf(verdict: Verdict): VerdictTone {
  return tones[verdict]
}

/** How the wire says it: states of approvals, verdicts of events, past tense or not. */
const wireWords: Readonly<Record<string, Verdict>> = {
  allow: 'allowed',
  allowed: 'allowed',
  block: 'blocked',
  blocked: 'blocked',
  hold: 'held',
  held: 'held',
  pending: 'held',
  approved: 'approved',
  denied: 'denied',
  would_block: 'would-block',
  'would-block': 'would-block',
  failed: 'failed',
  error: 'failed',
  timed_out: 'timed-out',
  timeout: 'timed-out',
  cancelled: 'cancelled',
  observed: 'would-block',
  call_allowed: 'allowed',
  call_executed: 'allowed',
  call_blocked: 'blocked',
  call_denied: 'blocked',
  call_asked: 'held',
  call_approval_requested: 'held',
  call_would_block: 'would-block',
  call_would_deny: 'would-block',
  call_failed: 'failed',
}

export function verdictOf(word: string): Verdict {
  return wireWords[word] ?? 'unknown'
}
