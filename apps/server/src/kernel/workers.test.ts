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

  test('a worker whose pass hangs is crashed, and begun anew within a minute of that', async () => {
    const clock = testClock()
    const workers = makeWorkers({ clock, log })
    let passes = 0
    let isHung = true
    const hangs = new Promise<void>(() => undefined)
    workers.add({
      name: 'sweeper',
      everyMs: 1_000,
      work: () => {
        passes += 1
        return isHung ? hangs : Promise.resolve()
      },
    })
    workers.start()
    let crashedMs: number | undefined
    let elapsedMs = 0
    for (; passes < 2 && elapsedMs < 300_000; elapsedMs += 1_000) {
      await clock.moveBy(1_000)
      if (workers.health()['sweeper']?.state === 'crashed') crashedMs ??= elapsedMs
    }
    expect(crashedMs).toBeLessThan(10_000)
    expect(elapsedMs - (crashedMs ?? 0)).toBeLessThanOrEqual(60_000)
    isHung = false
    await clock.moveBy(120_000)
    expect(workers.health()['sweeper']).toMatchObject({ state: 'running', restarts: 2 })
  })

  test('a process that is not to do periodic work still tends its own memory', async () => {
    const clock = testClock()
    const workers = makeWorkers({ clock, log })
    const done: string[] = []
    const noting = (name: string) => () => Promise.resolve(void done.push(name))
    workers.add({ name: 'shared', everyMs: 1_000, work: noting('shared') })
    workers.add({ name: 'own', everyMs: 1_000, work: noting('own'), isOwn: true })
    workers.start('own')
    await clock.moveBy(3_000)
    expect(new Set(done)).toEqual(new Set(['own']))
    expect(workers.health()).toMatchObject({ shared: { state: 'stopped' }, own: { state: 'running' } })
    await workers.stop()
    expect(workers.health()['own']?.state).toBe('stopped')
  })

  test('stopped workers say so', async () => {
    const { workers, state } = setUp(() => Promise.resolve())
    await workers.stop()
    expect(state()?.state).toBe('stopped')
  })
})
