import { expect, test } from 'vitest'
import { chooseRendering, kindOf, overdueMs, stateOf } from './rollout.ts'

test('the rendering a key is set to wins, then the path, then what the agent was seen to speak, then the older one', () => {
  const auto = { keyRendering: 'auto', seenDialect: undefined } as const
  expect(chooseRendering({ ...auto, prefix: '/v1' })).toBe('ruleset')
  expect(chooseRendering({ ...auto, prefix: '/v1', seenDialect: 'contract_bundle' })).toBe('ruleset')
  expect(chooseRendering({ ...auto, prefix: '/api/v1' })).toBe('contract_bundle')
  expect(chooseRendering({ ...auto, prefix: '/api/v1', seenDialect: 'ruleset' })).toBe('ruleset')
  expect(chooseRendering({ ...auto, prefix: '/v1', keyRendering: 'contract_bundle' })).toBe('contract_bundle')
  expect(chooseRendering({ prefix: '/api/v1', keyRendering: 'contract_bundle', seenDialect: 'ruleset' })).toBe(
    'contract_bundle',
  )
})

test('a step back is a rollback, a version from elsewhere a promotion, anything else a rollout', () => {
  expect(kindOf({ version: 1, previous: 2, isLiveElsewhere: true })).toBe('rollback')
  expect(kindOf({ version: 2, previous: 1, isLiveElsewhere: true })).toBe('promotion')
  expect(kindOf({ version: 2, previous: undefined, isLiveElsewhere: true })).toBe('promotion')
  expect(kindOf({ version: 3, previous: 2, isLiveElsewhere: false })).toBe('rollout')
  expect(kindOf({ version: 2, previous: 2, isLiveElsewhere: false })).toBe('rollout')
})

const start = new Date('2026-01-01T00:00:00Z')
const later = (ms: number): Date => new Date(start.getTime() + ms)
const fresh = {
  sentAt: null,
  fetchedAt: null,
  runningAt: null,
  rolledOutAt: start,
  isConnected: true,
  isCurrent: true,
} as const

test('only an agent that was seen to run it counts as running, connected or not, however late', () => {
  const seen = { ...fresh, sentAt: later(1), runningAt: later(9), isConnected: false }
  expect(stateOf(seen, later(overdueMs * 9))).toEqual({ state: 'running', since: later(9) })
  expect(stateOf({ ...fresh, sentAt: later(1), fetchedAt: later(2) }, later(3)).state).toBe('fetched')
  expect(stateOf({ ...fresh, sentAt: later(1) }, later(3)).state).toBe('sent')
  expect(stateOf(fresh, later(3)).state).toBe('waiting')
})

test('five minutes without word make a connected agent overdue, to the millisecond', () => {
  const sent = { ...fresh, sentAt: later(1_000) }
  expect(stateOf(sent, later(1_000 + overdueMs - 1)).state).toBe('sent')
  expect(stateOf(sent, later(1_000 + overdueMs))).toEqual({ state: 'overdue', since: later(1_000 + overdueMs) })
})

test('an agent that is away is offline and never overdue, and after the next rollout nobody is either', () => {
  const away = { ...fresh, sentAt: later(1), isConnected: false }
  expect(stateOf(away, later(overdueMs * 2)).state).toBe('offline')
  expect(stateOf({ ...away, isCurrent: false }, later(overdueMs * 2)).state).toBe('sent')
  expect(stateOf({ ...fresh, isCurrent: false, sentAt: later(1) }, later(overdueMs * 2)).state).toBe('sent')
})
