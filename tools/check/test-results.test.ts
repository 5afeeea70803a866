import { expect, test } from 'vitest'
import {
  addUp,
  filesThatFailed,
  type LaneResult,
  readReport,
  readRequired,
  summary,
  withSecondTry,
} from './test-results.ts'

const browser: LaneResult = { name: 'browser', passed: 0, failed: 0, seconds: 0, notRun: ['no Chromium was found'] }
const unit: LaneResult = { name: 'unit', passed: 7, failed: 0, seconds: 1.23, notRun: [] }
const whole = { hasRedis: true, hasPython: true, isWhole: true }

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
  const total = addUp([unit, browser], readRequired('browser, postgres15,redis,python'), {
    ...whole,
    hasRedis: false,
    hasPython: false,
  })
  expect(total).toMatchObject({ passed: 7, failed: 4 })
})

test('a skipped test fails a run that requires anything', () => {
  const skipping = { ...unit, notRun: ['limits hold with Redis'] }
  expect(addUp([skipping], readRequired('redis'), whole).faults).toEqual([
    'unit: required and not run: limits hold with Redis',
  ])
  expect(addUp([skipping], readRequired(undefined), whole).failed).toBe(0)
})

test('a requirement nobody knows is refused', () => {
  expect(() => readRequired('browsers')).toThrow(
    /browsers; it may name browser, full-disk, postgres15, python, radosgw, redis/,
  )
})

test('a run that ends badly without a failing test, or without any test, has failed', () => {
  const report = (...statuses: string[]) =>
    JSON.stringify({ testResults: [{ assertionResults: statuses.map((status) => ({ status, fullName: status })) }] })
  expect(readReport(undefined, 1).failed).toBe(1)
  expect(readReport(report(), 0).failed).toBe(1)
  expect(readReport(report('passed'), 1)).toMatchObject({ passed: 1, failed: 1, notRun: [] })
  expect(readReport(report('passed', 'failed', 'skipped'), 1)).toMatchObject({
    passed: 1,
    failed: 1,
    notRun: ['skipped'],
  })
  expect(readReport(report('passed'), 0)).toMatchObject({ passed: 1, failed: 0, notRun: [], failures: [] })
})

test('what failed, and what passed only when tried again, is named at the end', () => {
  const tests = [
    {
      status: 'failed',
      fullName: 'keys are kept',
      failureMessages: ['Error: lost one\n    at keys.ts:1', 'Error: lost two'],
    },
    { status: 'passed', fullName: 'streams end', failureMessages: ['Error: too early'] },
  ]
  const file = {
    name: 'broken.test.ts',
    status: 'failed',
    message: 'SyntaxError: no\nsuch thing',
    assertionResults: [],
  }
  const read = readReport(JSON.stringify({ testResults: [{ assertionResults: tests }, file] }), 1)
  const lane = { name: 'wire', seconds: 2, ...read }
  expect(summary([lane], addUp([lane], readRequired(''), whole))).toEqual([
    'wire     2.0 s  1 passed, 1 failed',
    'passed at the second try: wire: streams end',
    '✗ wire: keys are kept: Error: lost one',
    '✗ wire: broken.test.ts: SyntaxError: no',
    '1 passed, 1 failed',
  ])
})

test('a file run once more counts as it ended, and says which of its tests had failed before', () => {
  const file = (name: string, ...tests: readonly (readonly [string, string])[]) => ({
    name,
    status: tests.some(([, status]) => status === 'failed') ? 'failed' : 'passed',
    assertionResults: tests.map(([fullName, status]) => ({
      fullName,
      status,
      failureMessages: status === 'failed' ? ['too slow'] : [],
    })),
  })
  const report = (...testResults: readonly object[]) => JSON.stringify({ testResults })
  const first = report(file('a', ['one', 'failed'], ['two', 'passed']), file('b', ['three', 'passed']))
  expect(filesThatFailed(first)).toEqual(['a'])
  const better = withSecondTry(first, report(file('a', ['one', 'passed'], ['two', 'passed'])))
  expect(readReport(better, 0)).toMatchObject({ passed: 3, failed: 0, unsteady: ['one'] })
  const worse = withSecondTry(first, report(file('a', ['one', 'passed'], ['two', 'failed'])))
  expect(readReport(worse, 1)).toMatchObject({ passed: 2, failed: 1, failures: ['two: too slow'] })
})

test('a file whose process ended early is named, run once more and said to have been, whatever Vitest calls it', () => {
  const file = (name: string, ...statuses: readonly string[]) => ({
    name,
    status: 'passed',
    assertionResults: statuses.map((status, at) => ({ fullName: `${name}${at + 1}`, status, failureMessages: [] })),
  })
  const report = (...testResults: readonly object[]) => JSON.stringify({ testResults })
  const first = report(file('a', 'pending', 'pending'), file('b'), file('c', 'passed', 'skipped'))
  expect(filesThatFailed(first)).toEqual(['a', 'b'])
  const ended = 'its process ended before its tests did'
  expect(readReport(first, 1)).toMatchObject({
    passed: 1,
    failed: 1,
    notRun: ['c2'],
    failures: [`a: ${ended}`, `b: ${ended}`],
  })
  const better = withSecondTry(first, report(file('a', 'passed', 'passed'), file('b', 'passed')))
  expect(readReport(better, 0)).toMatchObject({ passed: 4, failed: 0, failures: [], unsteady: ['a1', 'b1'] })
  const again = withSecondTry(first, report(file('a', 'passed', 'passed'), file('b')))
  expect(readReport(again, 1)).toMatchObject({ failed: 1, failures: [`b: ${ended}`] })
})

test('a run without any test says so', () => {
  const total = addUp([], readRequired(''), whole)
  expect(summary([], total)).toEqual(['✗ no test ran', '0 passed, 0 failed'])
})
