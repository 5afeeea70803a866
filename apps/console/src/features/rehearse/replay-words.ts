import type { Replay, ReplayChange, ReplayCounts } from '@countersign/wire'
import { counted, countWords } from '../../ui/numbers.ts'
import type { Verdict } from '../../ui/verdicts.ts'

type Mark = { readonly verdict: Verdict; readonly word: string }

export const changeMarks: Readonly<Record<ReplayChange, Mark>> = {
  newly_blocked: { verdict: 'blocked', word: 'Newly blocked' },
  newly_held: { verdict: 'held', word: 'Newly held' },
  newly_allowed: { verdict: 'allowed', word: 'Newly allowed' },
  undecided: { verdict: 'unknown', word: 'Undecided' },
  same: { verdict: 'unknown', word: 'Same' },
}

/** What is worth looking at, most pressing first; calls that stay as they were are only counted. */
export const changesShown = ['newly_blocked', 'newly_held', 'newly_allowed', 'undecided'] as const
export type ChangeShown = (typeof changesShown)[number]

export function isChange(value: unknown): value is ChangeShown {
  return changesShown.some((one) => one === value)
}

const statusWords: Readonly<Record<Replay['status'], string>> = {
  queued: 'Waiting for its turn',
  running: 'Running',
  done: 'Done',
  cancelled: 'Cancelled',
  failed: 'Failed',
}

export function stateWords({ status, is_cancelling, progress: { rows_read, rows_total } }: Replay): string {
  if (is_cancelling && (status === 'queued' || status === 'running')) return 'Stopping'
  if (status !== 'running') return statusWords[status]
  return rows_total === null
    ? `${countWords(rows_read)} calls read`
    : `${countWords(rows_read)} of ${countWords(rows_total)} calls`
}

/** Percent, as far as it can be told. */
export function percentOf({ progress: { rows_read, rows_total } }: Pick<Replay, 'progress'>): number {
  if (rows_total === null || rows_total === 0) return 0
  return Math.min(100, Math.floor((rows_read / rows_total) * 100))
}

/** `12 newly blocked, 3 newly held`; nothing would change is said so. */
export function countsWords(counts: ReplayCounts): string {
  const words = changesShown
    .filter((change) => counts[change] > 0)
    .map((change) => `${countWords(counts[change])} ${changeMarks[change].word.toLowerCase()}`)
  return words.length === 0 ? 'No recorded call would end differently' : words.join(', ')
}

export function ofCallsWords({ calls, distinct_calls }: ReplayCounts): string {
  return `${counted(calls, 'recorded call')}, ${countWords(distinct_calls)} of them different`
}

export function nameOf({ ruleset, version }: Pick<Replay, 'ruleset' | 'version'>): string {
  return version === null ? `a draft of ${ruleset}` : `${ruleset} v${version}`
}
