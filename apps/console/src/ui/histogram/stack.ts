import type { VerdictTone } from '../verdicts.ts'

export type Bucket = {
  readonly at: string
  readonly counts: Readonly<Partial<Record<VerdictTone, number>>>
}

/** From the bottom up: what is usual lies below, what needs looking at stands on top. */
export const stackOrder: readonly VerdictTone[] = ['allowed', 'timed-out', 'would-block', 'failed', 'held', 'blocked']

/** Seconds since 1970, then for each tone of the order the sum up to it: what a stacked chart draws, tallest first. */
export function stacked(buckets: readonly Bucket[]): { readonly times: number[]; readonly sums: number[][] } {
  const times = buckets.map(({ at }) => Date.parse(at) / 1000)
  const sums = stackOrder.map((_, upTo) =>
    buckets.map(({ counts }) => stackOrder.slice(0, upTo + 1).reduce((sum, tone) => sum + (counts[tone] ?? 0), 0)),
  )
  return { times, sums }
}

export function totalOf({ counts }: Bucket): number {
  return stackOrder.reduce((sum, tone) => sum + (counts[tone] ?? 0), 0)
}

/** The moments a brush from one bucket to another covers: from the first's begin to the last's end. */
export function rangeOf(
  buckets: readonly Bucket[],
  from: number,
  to: number,
  widthMs: number,
): { readonly since: string; readonly until: string } | null {
  const first = buckets[Math.min(from, to)]
  const last = buckets[Math.max(from, to)]
  if (!first || !last) return null
  return { since: first.at, until: new Date(Date.parse(last.at) + widthMs).toISOString() }
}
