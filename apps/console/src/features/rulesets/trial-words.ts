import type { RolloutTrial } from '@countersign/wire'
import { counted, countWords } from '../../ui/numbers.ts'

export const trialStatusWords: Readonly<Record<RolloutTrial['status'], string>> = {
  observing: 'observing',
  enforcing: 'about to enforce',
  enforced: 'enforcing',
  stopped: 'waits for a decision',
  superseded: 'replaced meanwhile',
  cancelled: 'abandoned',
}

/** What has to hold, as it was stated. */
export function conditionWords(max: number): string {
  return max === 0 ? 'no call would have been stopped' : `at most ${counted(max, 'call')} would have been stopped`
}

/** `3 calls would have been stopped so far, of 5 allowed`. */
export function tallyWords({ would_blocks, would_block_max }: Pick<RolloutTrial, 'would_blocks' | 'would_block_max'>) {
  const found =
    would_blocks === 0 ? 'No call would have been stopped' : `${counted(would_blocks, 'call')} would have been stopped`
  return `${found} so far; ${would_block_max === 0 ? 'none is' : `${countWords(would_block_max)} are`} allowed`
}

export const spans = [
  { value: 'minutes', label: 'minutes', minutes: 1 },
  { value: 'hours', label: 'hours', minutes: 60 },
  { value: 'days', label: 'days', minutes: 1440 },
] as const
export type Span = (typeof spans)[number]['value']

/** As long as a trial may last. */
const minutesMax = 43_200

/** Undefined where it is no length of time, or longer than the server takes. */
export function minutesOf(count: number | string, span: Span): number | undefined {
  const minutes = Number(count) * (spans.find(({ value }) => value === span)?.minutes ?? 1)
  return count !== '' && Number.isInteger(minutes) && minutes >= 1 && minutes <= minutesMax ? minutes : undefined
}
