import type { ApprovalDetail, ApprovalStatus } from '../../api/types.ts'
import type { Verdict } from '../../ui/verdicts.ts'

const verdicts: Readonly<Record<ApprovalStatus, Verdict>> = {
  pending: 'held',
  approved: 'approved',
  denied: 'denied',
  timed_out: 'timed-out',
  cancelled: 'cancelled',
}

export function verdictOfApproval(status: ApprovalStatus): Verdict {
  return verdicts[status]
}

const irreversible = new Set(['irreversible', 'destructive', 'delete', 'no-undo'])

/** Whether a rule that held the call says that it cannot be taken back; such a call is asked about once more. */
export function isIrreversible({ why }: Pick<ApprovalDetail, 'why'>): boolean {
  return why.rules.some(({ tags }) => tags.some((tag) => irreversible.has(tag.toLowerCase())))
}

const fates: Readonly<Record<ApprovalDetail['fate']['outcome'], { readonly word: string; readonly verdict: Verdict }>> =
  {
    succeeded: { word: 'Ran, succeeded', verdict: 'allowed' },
    failed: { word: 'Ran, failed', verdict: 'failed' },
    blocked: { word: 'Blocked', verdict: 'blocked' },
    not_run: { word: 'Did not run', verdict: 'cancelled' },
    running: { word: 'Running', verdict: 'unknown' },
    unknown: { word: 'Not known', verdict: 'unknown' },
  }

export function fateOf({ fate }: Pick<ApprovalDetail, 'fate'>) {
  return fates[fate.outcome]
}
