import type { Replay } from '@countersign/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countsWords, nameOf, percentOf, stateWords } from './replay-words.ts'

const replay = (change: Partial<Replay>): Replay => ({
  id: 'r1',
  ruleset: 'guard',
  version: null,
  draft_hash: '',
  baseline: null,
  since: '',
  until: '',
  environment: null,
  agents: [],
  tools: [],
  status: 'running',
  progress: { rows_read: 0, rows_total: null, distinct_calls: 0 },
  counts: null,
  failure: null,
  made_by: { kind: 'person', id: 'p', label: 'p' },
  made_at: '',
  started_at: null,
  ended_at: null,
  is_cancelling: false,
  ...change,
})

test('how far a replay is, is never more than all of it, whatever the counts say', () => {
  fc.assert(
    fc.property(fc.nat(), fc.option(fc.nat()), (rows_read, rows_total) => {
      const percent = percentOf({ progress: { rows_read, rows_total, distinct_calls: 0 } })
      expect(percent).toBeGreaterThanOrEqual(0)
      expect(percent).toBeLessThanOrEqual(100)
    }),
  )
})

test('its state is told in words', () => {
  expect(stateWords(replay({ progress: { rows_read: 12_000, rows_total: 40_000, distinct_calls: 9 } }))).toBe(
    '12,000 of 40,000 calls',
  )
  expect(stateWords(replay({ is_cancelling: true }))).toBe('Stopping')
  expect(stateWords(replay({ is_cancelling: true, status: 'cancelled' }))).toBe('Cancelled')
  expect(nameOf({ ruleset: 'guard', version: null })).toBe('a draft of guard')
})

test('what would change is told by kind, and that nothing would is told too', () => {
  const none = { calls: 9, distinct_calls: 3, newly_blocked: 0, newly_held: 0, newly_allowed: 0, same: 9, undecided: 0 }
  expect(countsWords(none)).toBe('No recorded call would end differently')
  expect(countsWords({ ...none, newly_blocked: 12_000, undecided: 1 })).toBe('12,000 newly blocked, 1 undecided')
})
