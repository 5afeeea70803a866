import { expect, test } from 'vitest'
import { addUp, type LaneResult, readReport, readRequired, summary } from './test-results.ts'

const browser: LaneResult = { name: 'browser', passed: 0, failed: 0, seconds: 0, notRun: ['no Chromium was found'] }
const unit: LaneResult = { name: 'unit', passed: 7, failed: 0, seconds: 1.23, notRun: [] }
const whole = { hasRedis: true, isWhole: true }

test('what cannot run is listed and is no failure', () => {
  const total = addUp([unit, browser], readRequired(''), { ...whole, hasRedis: false })
  expect(summary([unit, browser], total)).toEqual([
    'unit        1.2 s  7 passed, 0 failed',
    'browser     0.0 s  not run',
    'not run: browser: no Chromium was found',
    '7 passed, 0 failed',
  ])
})

test('what is required and does not run is a failure', () => {
  const total = addUp([unit, browser], readRequired('browser, postgres15,redis'), { ...whole, hasRedis: false })
  expect(total).toMatchObject({ passed: 7, failed: 3 })
})

test('a skipped test fails a run that requires anything', () => {
  const skipping = { ...unit, notRun: ['limits hold with Redis'] }
  expect(addUp([skipping], readRequired('redis'), whole).faults).toEqual([
    'unit: required and not run: limits hold with Redis',
  ])
  expect(addUp([skipping], readRequired(undefined), whole).failed).toBe(0)
})

test('a requirement nobody knows is refused', () => {
  expect(() => readRequired('browsers')).toThrow(/browsers; it may name browser, postgres15, redis/)
})

test('a run that ends badly without a failing test, or without any test, has failed', () => {
  const report = (...statuses: string[]) =>
    JSON.stringify({ testResults: [{ assertionResults: statuses.map((status) => ({ status, fullName: status })) }] })
  expect(readReport(undefined, 1).failed).toBe(1)
  expect(readReport(report(), 0).failed).toBe(1)
  expect(readReport(report('passed'), 1)).toEqual({ passed: 1, failed: 1, notRun: [] })
  expect(readReport(report('passed', 'failed', 'pending'), 1)).toEqual({ passed: 1, failed: 1, notRun: ['pending'] })
  expect(readReport(report('passed'), 0)).toEqual({ passed: 1, failed: 0, notRun: [] })
})

test('a run without any test says so', () => {
  const total = addUp([], readRequired(''), whole)
  expect(summary([], total)).toEqual(['✗ no test ran', '0 passed, 0 failed'])
})
