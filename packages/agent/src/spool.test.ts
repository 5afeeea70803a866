import { appendFileSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../test/rulesets.ts'
import type { SpoolOptions } from './guard-options.ts'
import { systemClock } from './host.ts'
import { openSpool, type Spool } from './spool.ts'

function open(folder: string, options: SpoolOptions = { fsync: 'never' }): Spool {
  return openSpool({ folder, options, clock: systemClock, onSyncFailed: () => undefined })
}

/** Takes out everything that waits, in batches of so many. */
function drain(spool: Spool, linesMax = 3): string[] {
  const lines: string[] = []
  for (let batch = spool.next(linesMax); batch; batch = spool.next(linesMax)) {
    lines.push(...batch.lines)
    spool.done(batch)
  }
  return lines
}

test('what is appended comes out once and in order, whatever is delivered in between and however often it is reopened', async () => {
  const step = fc.oneof(
    fc.record({
      is: fc.constant('append' as const),
      lines: fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { minLength: 1 }),
    }),
    fc.record({ is: fc.constant('deliver' as const), linesMax: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ is: fc.constant('peek' as const) }),
    fc.record({ is: fc.constant('reopen' as const) }),
  )
  const root = await temporaryFolder()
  let runs = 0
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      runs += 1
      const folder = join(root, String(runs))
      let spool = open(folder)
      const given: string[] = []
      const taken: string[] = []
      for (const one of steps) {
        if (one.is === 'append') {
          // Events are JSON, so no line holds the end of one.
          const lines = one.lines.map((text) => JSON.stringify(text))
          spool.append(lines, 'after')
          given.push(...lines)
        } else if (one.is === 'deliver') {
          const batch = spool.next(one.linesMax)
          if (!batch) continue
          expect(batch.lines.length).toBeLessThanOrEqual(one.linesMax)
          taken.push(...batch.lines)
          spool.done(batch)
        } else if (one.is === 'peek') {
          expect(spool.next(2)?.lines).toEqual(spool.next(2)?.lines)
        } else {
          // Only what is not whole in a delivered file comes again, as after a crash.
          taken.push(...drain(spool))
          spool.close()
          spool = open(folder)
        }
      }
      taken.push(...drain(spool))
      expect(taken).toEqual(given)
      expect(spool.bytes()).toBe(0)
      spool.close()
      expect(readdirSync(folder)).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('what was not delivered is there for the next one, and a line that was cut off is not', async () => {
  const folder = await temporaryFolder()
  // Left by a process that is dead: nobody has this number.
  const dead = join(folder, `${hostname().replace(/[^A-Za-z0-9-]/g, '-')}.4194304.1.abc`)
  mkdirSync(dead)
  writeFileSync(join(dead, '000000001.jsonl'), '"a"\n"b"\n')
  writeFileSync(join(dead, '000000002.jsonl'), '"c"\n"torn')
  const spool = open(folder)
  spool.append(['"d"'], 'after')
  expect(drain(spool)).toEqual(['"a"', '"b"', '"c"', '"d"'])
  spool.close()
  expect(readdirSync(folder)).toEqual([])
})

test('what a living process, or another machine, keeps is left alone', async () => {
  const folder = await temporaryFolder()
  const first = open(folder)
  first.append(['"mine"'], 'after')
  const elsewhere = join(folder, 'another-host.1.1.abc')
  mkdirSync(elsewhere)
  writeFileSync(join(elsewhere, '000000001.jsonl'), '"theirs"\n')
  const second = open(folder)
  expect(second.next(10)).toBeUndefined()
  second.close()
  expect(drain(first)).toEqual(['"mine"'])
  first.close()
  expect(readdirSync(folder)).toEqual(['another-host.1.1.abc'])
})

test('no bound is passed, and what comes after an effect finds room longer than what comes before one', async () => {
  const spool = open(await temporaryFolder(), { bytesMax: 1_000, fsync: 'never' })
  const line = `"${'x'.repeat(47)}"`
  for (let size = 0; size < 900; size += 50) spool.append([line], 'before')
  expect(() => spool.append([line], 'before')).toThrow('bytes of events wait')
  spool.append([line], 'after')
  spool.append([line], 'after')
  expect(() => spool.append([line], 'after')).toThrow('bytes of events wait')
  expect(spool.bytes()).toBe(1_000)
  const batch = spool.next(500)
  expect(batch?.lines).toHaveLength(20)
  if (batch) spool.done(batch)
  spool.append([line], 'before')
  spool.close()
})

test.each(['always', 'interval', 'never'] as const)(
  'with fsync %s lines are in the file when append returns',
  async (fsync) => {
    const folder = await temporaryFolder()
    const spool = open(folder, { fsync })
    spool.append(['"a"', '"b"'], 'before')
    const [own = ''] = readdirSync(folder)
    const [file = ''] = readdirSync(join(folder, own))
    const path = join(folder, own, file)
    expect(statSync(path).size).toBe(8)
    expect(statSync(path).mode & 0o077).toBe(0)
    spool.close()
  },
)

test('a file somebody else wrote into gives no line that was not appended in whole', async () => {
  const folder = await temporaryFolder()
  const spool = open(folder)
  spool.append(['"a"'], 'after')
  const [own = ''] = readdirSync(folder)
  appendFileSync(join(folder, own, '000000001.jsonl'), '"half')
  expect(drain(spool)).toEqual(['"a"'])
  spool.close()
})
