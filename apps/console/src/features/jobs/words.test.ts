import { expect, test } from 'vitest'
import { doesWords, everyWords } from './words.ts'

test('periods are said in the unit people think in', () => {
  expect([0.05, 1, 10, 300, 3600, 7200].map(everyWords)).toEqual([
    'every 50 ms',
    'every 1 s',
    'every 10 s',
    'every 5 min',
    'every hour',
    'every 2 h',
  ])
})

test('periodic work that this page does not know is named readably', () => {
  expect(doesWords('something_new')).toBe('something new')
})
