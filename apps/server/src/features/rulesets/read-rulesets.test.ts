import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { largeRulesetYaml, rulesetYaml } from '../../../test/rulesets-scene.ts'
import { testClock } from '../../kernel/clock.ts'
import { problems } from '../../kernel/problem.ts'
import { type ReadRulesets, readRulesets, startThread, type ThreadLimits } from './read-rulesets.ts'
import { perform } from './ruleset-work.ts'

const large = largeRulesetYaml('large', 24_000)
const slow = largeRulesetYaml('slow', 500_000)
const quiet = { warn: () => undefined, error: () => undefined }
let opened: ReadRulesets[] = []
afterEach(async () => {
  for (const one of opened) await one.stop()
  opened = []
})

/** Its threads are told of as they come, so that tests can wait for them and kill them. */
function scene(limits: Partial<ThreadLimits> = {}) {
  const clock = testClock()
  const threads: Worker[] = []
  const makeThread = (memoryMb: number): Worker => {
    const thread = startThread(memoryMb)
    threads.push(thread)
    return thread
  }
  const read = readRulesets({ clock, log: quiet, limits, makeThread })
  opened.push(read)
  /** Once it is ready the first document is at work. */
  const atWork = async (): Promise<Worker> => {
    const thread = threads.at(-1)
    if (!thread) throw new Error('no thread was started')
    await once(thread, 'message')
    return thread
  }
  return { clock, read, threads, atWork }
}

test('a small document is read without a thread', async () => {
  const { read, threads } = scene()
  const yaml = rulesetYaml('small')
  expect(await read.renderings('t', yaml)).toEqual(perform('renderings', { yaml }))
  expect(threads).toEqual([])
})

test('whatever a thread reads is the same as read here, mistakes included', async () => {
  const { read, threads } = scene()
  const [other, broken] = [large.replace('No.', 'Never.'), large.replace('action: block', 'action: explode')]
  const child = large.replace('kind: Ruleset', 'kind: Ruleset\nextends: base')
  const parents = new Map([['base', { source: rulesetYaml('base').replaceAll('no-env', 'own'), revision: 'r' }]])
  expect(await read.renderings('t', large)).toEqual(perform('renderings', { yaml: large }))
  expect(await read.renderings('t', broken)).toEqual(perform('renderings', { yaml: broken }))
  expect(await read.resolve('t', child, parents)).toEqual(perform('resolve', { yaml: child, parents }))
  expect(await read.model('t', large)).toEqual(perform('model', { text: large }))
  expect(await read.outline('t', large)).toEqual(perform('outline', { text: large }))
  expect(await read.compare('t', large, other)).toEqual(perform('compare', { before: large, after: other }))
  await expect(read.model('t', broken)).rejects.toThrow('A stored revision is refused')
  expect(threads.length).toBe(1)
})

test('an idle thread is ended, and the next document starts another', async () => {
  const { clock, read, threads } = scene({ idleMs: 30_000 })
  await read.model('t', large)
  await clock.moveBy(29_000)
  expect(read.isAwake()).toBe(true)
  await clock.moveBy(1_000)
  expect(read.isAwake()).toBe(false)
  await read.model('t', large)
  expect(threads.length).toBe(2)
})

test('a document that takes too long is refused and those behind it are read', async () => {
  const { clock, read, threads, atWork } = scene({ documentMs: 15_000 })
  const refused = expect(read.renderings('t', slow)).rejects.toMatchObject({
    kind: problems.invalidInput,
    detail: 'Reading this ruleset takes longer than 15 s. Split it or simplify it.',
  })
  const behind = read.renderings('t', large)
  await atWork()
  await clock.moveBy(15_000)
  await refused
  expect(await behind).toMatchObject({ ok: true })
  expect(threads.length).toBe(2)
})

test('a document that takes too much memory is refused and the next one is read', async () => {
  const { read } = scene({ memoryMb: 32 })
  await expect(read.renderings('t', slow)).rejects.toMatchObject({
    kind: problems.invalidInput,
    detail: 'Reading this ruleset takes more than 32 MB of memory. Split it or simplify it.',
  })
  expect(await read.renderings('t', large)).toMatchObject({ ok: true })
})

test('when the thread dies at work the caller is told to try again, and those behind it are read', async () => {
  const { read, atWork } = scene()
  const refused = expect(read.renderings('t', slow)).rejects.toMatchObject({ kind: problems.unavailable })
  const behind = read.renderings('t', large)
  await (await atWork()).terminate()
  await refused
  expect(await behind).toMatchObject({ ok: true })
})

test('a thread that does not start fails those who wait instead of letting them hang', async () => {
  const { clock, read, threads } = scene({ startMs: 30_000 })
  const refused = expect(read.renderings('t', slow)).rejects.toMatchObject({ kind: problems.unavailable })
  await clock.moveBy(30_000)
  await refused
  await threads[0]?.terminate()
  expect(await read.renderings('t', large)).toMatchObject({ ok: true })
})

test('the queue is short, and no tenant may fill it alone', async () => {
  const { read } = scene({ waitingMax: 2, perTenantMax: 1 })
  const kept = [read.model('a', large), read.model('b', large)]
  await expect(read.model('a', large)).rejects.toMatchObject({ kind: problems.tooManyRequests, retryAfterSeconds: 5 })
  await expect(read.model('c', large)).rejects.toMatchObject({ kind: problems.unavailable, retryAfterSeconds: 5 })
  await Promise.all(kept)
  expect(await read.model('c', large)).toMatchObject({ name: 'large' })
})

test('stopping refuses what waits', async () => {
  const { read } = scene()
  const refused = expect(read.renderings('t', slow)).rejects.toMatchObject({ kind: problems.unavailable })
  await read.stop()
  await refused
  expect(read.isAwake()).toBe(false)
})
