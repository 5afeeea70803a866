import { expect, test } from 'vitest'
import { expiryOf, isUnused } from './words.ts'

const now = Date.parse('2026-06-01T00:00:00Z')

test('a live token is marked as unused after 90 days without a call, also when it never made one', () => {
  const made_at = '2026-01-01T00:00:00Z'
  expect(isUnused({ status: 'live', last_used_at: null, made_at }, now)).toBe(true)
  expect(isUnused({ status: 'live', last_used_at: '2026-05-01T00:00:00Z', made_at }, now)).toBe(false)
  expect(isUnused({ status: 'revoked', last_used_at: null, made_at }, now)).toBe(false)
})

test('no chosen number of days leaves the end to the server', () => {
  expect(expiryOf('', now)).toBeUndefined()
  expect(expiryOf('7', now)).toBe('2026-06-08T00:00:00.000Z')
})
