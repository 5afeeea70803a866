import fc from 'fast-check'
import { expect, test } from 'vitest'
import { idleOf } from './idle.ts'

const halfHour = 1800

test('a session of half an hour is asked about a minute before the server may end it', () => {
  expect(idleOf(0, halfHour, 27 * 60_000)).toEqual({ is: 'used' })
  expect(idleOf(0, halfHour, 28 * 60_000 + 30_000)).toEqual({ is: 'ending', leftMs: 30_000 })
  expect(idleOf(0, halfHour, 29 * 60_000)).toEqual({ is: 'ended' })
})

test('a page that has used nothing yet asks nothing', () => {
  expect(idleOf(null, halfHour, 1e12)).toEqual({ is: 'used' })
})

test('however short a session is, it is not asked about as it begins, and always before it ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 1e6 }), (seconds) => {
      expect(idleOf(0, seconds, 0).is).toBe('used')
      const states = Array.from({ length: 201 }, (_, step) => idleOf(0, seconds, (seconds * 1000 * step) / 200).is)
      expect(states.includes('ending') || seconds > 6000).toBe(true)
      expect(states.at(-1)).toBe('ended')
    }),
  )
})
