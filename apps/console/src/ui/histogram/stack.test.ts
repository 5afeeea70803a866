import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Bucket, rangeOf, series, stacked, sumOf, totalOf } from './stack.ts'

const count = fc.nat(1e9)
const bucket = fc.record({
  at: fc.constant('2026-03-03T12:00:00.000Z'),
  allowed: count,
  other: count,
  observed: count,
  failed: count,
  held: count,
  blocked: count,
})

test('each layer stands on the one below, and the top is the total', () => {
  fc.assert(
    fc.property(fc.array(bucket), (buckets) => {
      const { sums } = stacked(buckets)
      for (const [index, one] of buckets.entries()) {
        const heights = sums.map((layer) => layer[index] ?? -1)
        expect(heights.toSorted((low, high) => low - high)).toEqual(heights)
        expect(heights.at(-1)).toBe(totalOf(one))
      }
      expect(totalOf(sumOf(buckets))).toBe(buckets.reduce((sum, one) => sum + totalOf(one), 0))
    }),
  )
})

test('a brush covers its last bucket whole, whichever way it was drawn', () => {
  const hour = 3_600_000
  const empty = Object.fromEntries(series.map((one) => [one, 0]))
  const buckets = [0, 1, 2].map((n) => ({ ...empty, at: new Date(n * hour).toISOString() })) as unknown as Bucket[]
  const range = { since: '1970-01-01T01:00:00.000Z', until: '1970-01-01T03:00:00.000Z' }
  expect(rangeOf(buckets, 1, 2, hour)).toEqual(range)
  expect(rangeOf(buckets, 2, 1, hour)).toEqual(range)
  expect(rangeOf(buckets, 1, 7, hour)).toBeNull()
})
