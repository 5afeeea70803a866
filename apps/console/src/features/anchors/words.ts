import type { AnchorShown, AnchorState, Hold } from '@countersign/wire'
import { counted } from '../../ui/numbers.ts'
import type { Verdict } from '../../ui/verdicts.ts'

type On = Extract<AnchorState['anchoring'], { is_on: true }>
type Mark = { readonly verdict: Verdict; readonly word: string }

export function anchorMark({ written_at, attempts, error }: AnchorShown): Mark {
  if (written_at !== null) return { verdict: 'allowed', word: 'Locked' }
  return error === null ? { verdict: 'held', word: 'Waits' } : { verdict: 'failed', word: `Failed ${attempts}×` }
}

export function healthMark({ is_healthy, failures }: On): Mark {
  if (!is_healthy) return { verdict: 'blocked', word: 'Somebody has to act' }
  return failures > 0
    ? { verdict: 'held', word: 'Being tried again' }
    : { verdict: 'allowed', word: 'Anchored in time' }
}

export function intervalWords(minutes: number): string {
  if (minutes === 60) return 'every hour'
  if (minutes % 1440 === 0) return minutes === 1440 ? 'every day' : `every ${minutes / 1440} days`
  return minutes % 60 === 0 ? `every ${minutes / 60} hours` : `every ${counted(minutes, 'minute')}`
}

export const variablesText = `COUNTERSIGN_ANCHOR_BUCKET=my-anchors
COUNTERSIGN_ANCHOR_CHAIN_ID=countersign-production
COUNTERSIGN_S3_REGION=eu-central-1`

/** Which entries a hold keeps; its end is the first moment that is not held any more. */
export function holdWords({ from, until }: Pick<Hold, 'from' | 'until'>): string {
  const [first, last] = [from?.slice(0, 10), until === null ? undefined : lastDay(until)]
  if (first === undefined && last === undefined) return 'every entry'
  if (first === undefined) return `entries through ${last}`
  return last === undefined ? `entries from ${first} on` : `entries from ${first} through ${last}`
}

function lastDay(until: string): string {
  return new Date(Date.parse(until) - 1).toISOString().slice(0, 10)
}
