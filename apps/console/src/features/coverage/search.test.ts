import { expect, test } from 'vitest'
import { readSearch, sinceOf } from './search.ts'

test('the address keeps what differs from the usual and nothing else', () => {
  expect(readSearch({ tab: 'agents', range: '7d' })).toEqual({ tab: 'agents', range: '7d' })
  expect(readSearch({ tab: 'tools', range: '24h' })).toEqual({})
  expect(readSearch({ tab: 7, range: 'forever' })).toEqual({})
})

test('within a minute the same range begins at the same moment', () => {
  const now = Date.UTC(2026, 2, 3, 12, 0, 1)
  expect(sinceOf('24h', now)).toBe('2026-03-02T12:00:00.000Z')
  expect(sinceOf('24h', now + 58_000)).toBe(sinceOf('24h', now))
})
