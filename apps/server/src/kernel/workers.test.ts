import { describe, expect, test } from 'vitest'
import { testClock } from './clock.ts'
import { makeLog } from './log.ts'
import { makeWorkers } from './workers.ts'

const log = makeLog('error', { write: () => undefined })

function setUp(work: () => Promise<unknown>) {
  const clock = testClock()
  const workers = makeWorkers({ clock, log })
  workers.add({ name: 'sweeper', everyMs: 10_000, work })
  workers.start()
  return { clock, workers, state: () => workers.health()['sweeper'] }
}

describe('workers', () => {
  test('a worker that succeeds is running and says when it last did', async () => {
    const { clock, state } = setUp(() => Promise.resolve())
    await clock.moveBy(25_000)
    expect(state()).toMatchObject({ state: 'running', consecutiveFailures: 0 })
    expect(state()?.lastSuccessAt?.getTime()).toBe(clock.now().getTime() - 5_000)
  })

  test('a worker that fails on every pass is crashed after three periods, although its loop still turns', async () => {
    const { clock, state } = setUp(() => Promise.reject(new Error('no')))
    await clock.moveBy(25_000)
    expect(state()?.state).toBe('running')
    await clock.moveBy(10_000)
    expect(state()).toMatchObject({ state: 'crashed' })
    expect(state()?.consecutiveFailures).toBeGreaterThan(2)
  })

  test('a worker that throws before its first wait fails like any other and is tried again', async () => {
    let passes = 0
    const { clock, state } = setUp(() => {
      passes += 1
      if (passes === 1) throw new Error('at once')
      return Promise.resolve()
    })
    await clock.moveBy(60_000)
    expect(passes).toBeGreaterThan(1)
    expect(state()).toMatchObject({ state: 'running', consecutiveFailures: 0, failuresInAll: 1 })
  })

  test('a worker that recovers is running again', async () => {
    let isBroken = true
    const { clock, state } = setUp(() => (isBroken ? Promise.reject(new Error('no')) : Promise.resolve()))
    await clock.moveBy(40_000)
    isBroken = false
    await clock.moveBy(10_000)
    expect(state()).toMatchObject({ state: 'running', consecutiveFailures: 0 })
  })

  test('one that comes seldom tries again soon after a failure, and then keeps its period', async () => {
    const clock = testClock()
    const workers = makeWorkers({ clock, log })
    let passes = 0
    workers.add({
      name: 'hourly',
      everyMs: 3_600_000,
      work: () => {
        passes += 1
        return passes < 3 ? Promise.reject(new Error('no')) : Promise.resolve()
      },
    })
    workers.start()
    for (let n = 0; n < 10; n += 1) await clock.moveBy(10_000)
    expect(passes).toBe(3)
    await clock.moveBy(3_600_000)
    expect(passes).toBe(4)
    await workers.stop()
  })

  test('stopped workers say so', async () => {
    const { workers, state } = setUp(() => Promise.resolve())
    await workers.stop()
    expect(state()?.state).toBe('stopped')
  })
})
