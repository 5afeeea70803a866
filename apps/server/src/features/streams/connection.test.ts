import { expect, test } from 'vitest'
import { type Connection, pendingBytesMax, send, tend } from './connection.ts'
import { eventFrame, type Frame } from './frame.ts'
import type { Sink } from './sink.ts'

/** A reader that takes nothing until it is told to. */
function stalled() {
  let pending = 0
  let drain: (() => void) | undefined
  const calls: string[] = []
  const sink: Sink = {
    write: ({ chunk }: Frame) => {
      pending += chunk.length
      return pending < 16_384
    },
    pendingBytes: () => pending,
    end: () => calls.push('end'),
    cut: () => calls.push('cut'),
    onDrain: (hear) => {
      drain = hear
    },
  }
  const take = (): void => {
    pending = 0
    drain?.()
  }
  const connection = { sink, behindSince: undefined, isClosed: false, closesAt: 1e15 } as unknown as Connection
  return { connection, calls, take, pending: () => pending }
}

const frame = (bytes: number) => eventFrame('contract_update', JSON.stringify('x'.repeat(bytes)))

test('however often something is sent to a reader that takes nothing, one update waits for it at the most', () => {
  const { connection, calls, pending } = stalled()
  const results = Array.from({ length: 100 }, (_, n) => send(connection, frame(700_000), n, () => undefined))
  expect(results.filter(Boolean)).toHaveLength(1)
  expect(pending()).toBeLessThan(pendingBytesMax)
  expect(calls).toEqual([])
})

test('what waits for a reader never passes the limit without his being cut off', () => {
  const { connection, calls } = stalled()
  expect(send(connection, frame(pendingBytesMax), 0, () => undefined)).toBe(false)
  expect(calls).toEqual(['cut'])
})

test('a reader that catches up is told so once and served again; one that does not is cut off in time', () => {
  const { connection, take } = stalled()
  let caughtUp = 0
  send(connection, frame(100_000), 0, () => {
    caughtUp += 1
  })
  expect(tend(connection, 29_999)).toBe('kept')
  expect(tend(connection, 30_000)).toBe('cut')
  take()
  expect(caughtUp).toBe(1)
  expect(send(connection, frame(10), 1, () => undefined)).toBe(true)
  expect(tend(connection, 30_000)).toBe('kept')
})
