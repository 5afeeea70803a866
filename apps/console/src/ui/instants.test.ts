import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dateWords, durationWords, exactWords, relativeWords, remainingWords } from './instants.ts'

const now = Date.UTC(2026, 2, 3, 12)

test.each([
  [0, 'now'],
  [-4000, 'now'],
  [-59_000, '59s ago'],
  [-60_000, '1m ago'],
  [-3_599_000, '59m ago'],
  [-3_600_000, '1h ago'],
  [7_200_000, 'in 2h'],
  [-86_400_000, '1d ago'],
  [-8 * 86_400_000, '23 Feb'],
  [-400 * 86_400_000, '27 Jan 2025'],
])('an instant %i ms away reads %s', (distance, words) => {
  expect(relativeWords(now + distance, now).replaceAll(' ', ' ')).toBe(words)
})

test('a date of another year says the year, an exact instant says its zone', () => {
  expect(dateWords(Date.UTC(2025, 11, 31, 12), now)).toContain('2025')
  expect(exactWords(now)).toMatch(/3 Mar 2026.*12:00:00.*(UTC|GMT)|3 Mar 2026.*:00:00/)
})

test('remaining time is shown to the second below an hour and never below zero', () => {
  expect(remainingWords(245_000)).toBe('4:05')
  expect(remainingWords(244_001)).toBe('4:05')
  expect(remainingWords(0)).toBe('0:00')
  expect(remainingWords(-5)).toBe('0:00')
  expect(remainingWords(7_500_000)).toBe('2h 05m')
  expect(remainingWords(270_000_000)).toBe('3d 3h')
})

test('a duration is never written with sixty seconds or sixty minutes', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), (milliseconds) => {
      expect(durationWords(milliseconds)).not.toMatch(/\b60 (s|min)\b/)
    }),
  )
})
