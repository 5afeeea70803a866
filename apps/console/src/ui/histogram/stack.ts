/** Every event is in exactly one of these, from the bottom up: what is usual below, what needs looking at on top. */
export const series = ['allowed', 'other', 'observed', 'failed', 'held', 'blocked'] as const
export type Series = (typeof series)[number]

export const seriesWords: Readonly<Record<Series, string>> = {
  allowed: 'Allowed',
  other: 'Other',
  observed: 'Would block',
  failed: 'Failed',
  held: 'Held',
  blocked: 'Blocked',
}

/** The token of each colour, as in `--cs-allowed`. */
export const seriesColors: Readonly<Record<Series, string>> = {
  allowed: 'allowed',
  other: 'timed-out',
  observed: 'would-block',
  failed: 'failed',
  held: 'held',
  blocked: 'blocked',
}

export type Counts = Readonly<Record<Series, number>>
export type Bucket = Counts & { readonly at: string }

/** Seconds since 1970, then for each series the sum up to it: what a stacked chart draws. */
export function stacked(buckets: readonly Bucket[]): { readonly times: number[]; readonly sums: number[][] } {
  const times = buckets.map(({ at }) => Date.parse(at) / 1000)
  const sums = series.map((_, upTo) =>
    buckets.map((bucket) => series.slice(0, upTo + 1).reduce((sum, one) => sum + bucket[one], 0)),
  )
  return { times, sums }
}

export function totalOf(counts: Counts): number {
  return series.reduce((sum, one) => sum + counts[one], 0)
}

export function sumOf(buckets: readonly Counts[]): Counts {
  const sums = { allowed: 0, other: 0, observed: 0, failed: 0, held: 0, blocked: 0 }
  for (const bucket of buckets) {
    for (const one of series) sums[one] += bucket[one]
  }
  return sums
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
