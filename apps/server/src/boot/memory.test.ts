import { expect, test, vi } from 'vitest'
import { testClock } from '../kernel/clock.ts'
import { giveMemoryBack, keepMemoryLow } from './memory.ts'

/** What is garbage as soon as this returns. */
function waste(megabytes: number): number {
  const rows = Array.from({ length: megabytes * 8 }, (_, row) => Array.from({ length: 16_384 }, (__, at) => row + at))
  return rows.length
}

test('what was needed for a moment is given back in a quiet one', async () => {
  giveMemoryBack()
  const before = process.memoryUsage().heapTotal
  expect(waste(100)).toBe(800)
  const clock = testClock()
  const stop = keepMemoryLow({ clock })
  const isLow = (): boolean => process.memoryUsage().heapTotal < before + 60 * 1_048_576
  // A test is no idle server: it looks until it finds the loop at rest.
  await vi.waitUntil(
    async () => {
      await clock.moveBy(10_000)
      return isLow()
    },
    { timeout: 30_000, interval: 50 },
  )
  stop()
  expect(isLow()).toBe(true)
})
