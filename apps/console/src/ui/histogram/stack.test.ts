import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Bucket, rangeOf, stacked, stackOrder, totalOf } from './stack.ts'

const bucket = fc.record({
  at: fc.constant('2026-03-03T12:00:00.000Z'),
  counts: fc.dictionary(fc.constantFrom(...stackOrder), fc.nat(1e9)),
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
    }),
  )
})

test('a brush covers its last bucket whole, whichever way it was drawn', () => {
  const hour = 3_600_000
  const buckets: Bucket[] = [0, 1, 2].map((n) => ({ at: new Date(n * hour).toISOString(), counts: {} }))
  const range = { since: '1970-01-01T01:00:00.000Z', until: '1970-01-01T03:00:00.000Z' }
  expect(rangeOf(buckets, 1, 2, hour)).toEqual(range)
  expect(rangeOf(buckets, 2, 1, hour)).toEqual(range)
  expect(rangeOf(buckets, 1, 7, hour)).toBeNull()
})
