import { expect, test } from 'vitest'
import { conditionWords, minutesOf, tallyWords } from './trial-words.ts'

test('a length of time is whole minutes, at least one and at most thirty days', () => {
  expect(minutesOf(24, 'hours')).toBe(1440)
  expect(minutesOf('30', 'days')).toBe(43_200)
  expect(minutesOf(0.5, 'hours')).toBe(30)
  for (const [count, span] of [
    ['', 'days'],
    [0, 'minutes'],
    [31, 'days'],
    [0.5, 'minutes'],
    [-1, 'hours'],
  ] as const)
    expect(minutesOf(count, span)).toBeUndefined()
})

test('the condition and how it stands are said in words', () => {
  expect(conditionWords(0)).toBe('no call would have been stopped')
  expect(conditionWords(1)).toBe('at most 1 call would have been stopped')
  expect(tallyWords({ would_blocks: 3, would_block_max: 12_000 })).toBe(
    '3 calls would have been stopped so far; 12,000 are allowed',
  )
})
