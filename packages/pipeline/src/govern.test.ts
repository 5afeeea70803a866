import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Call, govern, type Stages } from './govern.ts'
import type { Allow, Block, Challenge, Hold, Verdict } from './verdict.ts'

type Who = { readonly name: string }
const ada: Who = { name: 'ada' }
const allow: Allow = { is: 'allow' }
const block: Block = { is: 'block', code: 'not_permitted', says: 'You may not.' }
const challenge: Challenge = { is: 'challenge', wants: 'second_factor', says: 'Touch your key.' }
const hold: Hold = { is: 'hold', says: 'A human is asked.', rule: 'no-friday' }

const write: Call = { isRead: false }
const read: Call = { isRead: true }

/** Stages that note every step in `log`; the end notes its outcome and who it was about. */
function stages(log: string[], other: Partial<Stages<Call, Who, string>> = {}): Stages<Call, Who, string> {
  const noted = <Args extends readonly unknown[], Value>(name: string, stage: (...args: Args) => Value) => {
    return (...args: Args): Value => {
      log.push(name)
      return stage(...args)
    }
  }
  return {
    authenticate: noted('authenticate', other.authenticate ?? (async () => ada)),
    authorize: noted('authorize', other.authorize ?? (async () => allow)),
    rules: noted('rules', other.rules ?? (async () => allow)),
    approval: noted('approval', other.approval ?? (async () => allow)),
    recordIntent: noted('intent', other.recordIntent ?? (async () => undefined)),
    execute: noted('execute', other.execute ?? (async () => 'result')),
    recordEnd: async (call, who, outcome) => {
      await other.recordEnd?.(call, who, outcome)
      log.push(`${outcome.is}${'at' in outcome ? ` at ${outcome.at}` : ''} by ${who?.name ?? 'anyone'}`)
    },
    endLost: other.endLost ?? (() => void log.push('end lost')),
  }
}

const full = async () => Promise.reject(new Error('disk full'))

test('an allowed call goes through every stage in order: intent before the effect, the end after it', async () => {
  const log: string[] = []
  expect(await govern(write, stages(log))).toEqual({ is: 'done', result: 'result' })
  expect(log).toEqual(['authenticate', 'authorize', 'rules', 'intent', 'execute', 'done by ada'])
})

test('a held call is approved before its intent is written, and the approval that is spent reaches intent and effect', async () => {
  const log: string[] = []
  const seen: unknown[] = []
  const spent: Allow = { is: 'allow', approval: 'a1' }
  const outcome = await govern(
    write,
    stages(log, {
      rules: async () => hold,
      approval: async (_call, _who, held) => (seen.push(held), spent),
      recordIntent: async (_call, _who, allowed) => void seen.push(allowed),
      execute: async (_call, _who, allowed) => (seen.push(allowed), 'result'),
    }),
  )
  expect(outcome.is).toBe('done')
  expect(seen).toEqual([hold, spent, spent])
  expect(log).toEqual(['authenticate', 'authorize', 'rules', 'approval', 'intent', 'execute', 'done by ada'])
})

test('an unknown caller is challenged, nothing else is asked, and the refusal is recorded', async () => {
  const log: string[] = []
  expect(await govern(write, stages(log, { authenticate: async () => undefined }))).toMatchObject({
    is: 'challenged',
    verdict: { wants: 'sign_in' },
  })
  expect(log).toEqual(['authenticate', 'challenged at authenticate by anyone'])
})

test('permission is settled before rules, a second factor and approval', async () => {
  for (const [verdict, word] of [
    [block, 'blocked'],
    [challenge, 'challenged'],
  ] as const) {
    const log: string[] = []
    expect(await govern(write, stages(log, { authorize: async () => verdict, rules: async () => hold }))).toEqual({
      is: word,
      at: 'authorize',
      verdict,
    })
    expect(log).toEqual(['authenticate', 'authorize', `${word} at authorize by ada`])
  }
})

test('what the rules block or challenge asks no approver and has no effect', async () => {
  for (const [verdict, word] of [
    [block, 'blocked'],
    [challenge, 'challenged'],
  ] as const) {
    const log: string[] = []
    expect(await govern(write, stages(log, { rules: async () => verdict }))).toEqual({ is: word, at: 'rules', verdict })
    expect(log).toEqual(['authenticate', 'authorize', 'rules', `${word} at rules by ada`])
  }
})

test('a call that waits, or that a human denied, has no effect', async () => {
  const waiting: Hold = { ...hold, approval: 'a1' }
  for (const [verdict, word] of [
    [waiting, 'held'],
    [block, 'blocked'],
  ] as const) {
    const log: string[] = []
    expect(await govern(write, stages(log, { rules: async () => hold, approval: async () => verdict }))).toEqual({
      is: word,
      at: 'approval',
      verdict,
    })
    expect(log).toEqual(['authenticate', 'authorize', 'rules', 'approval', `${word} at approval by ada`])
  }
})

test('nothing is executed when the trail cannot be written', async () => {
  const log: string[] = []
  await expect(govern(write, stages(log, { recordIntent: full }))).rejects.toThrow('disk full')
  expect(log).toEqual(['authenticate', 'authorize', 'rules', 'intent', 'failed at intent by ada'])
})

test('a failed effect is recorded as one that may have happened, and its cause is thrown', async () => {
  const log: string[] = []
  const cause = new Error('connection cut')
  await expect(govern(write, stages(log, { execute: async () => Promise.reject(cause) }))).rejects.toBe(cause)
  expect(log.at(-1)).toBe('failed at execute by ada')
})

test('a stage that throws ends the call without effect, and the end names the stage', async () => {
  for (const stage of ['authenticate', 'authorize', 'rules', 'approval'] as const) {
    const log: string[] = []
    await expect(govern(write, stages(log, { rules: async () => hold, [stage]: full }))).rejects.toThrow('disk full')
    expect(log).not.toContain('execute')
    expect(log).not.toContain('intent')
    expect(log.at(-1)).toBe(`failed at ${stage} by ${stage === 'authenticate' ? 'anyone' : 'ada'}`)
  }
})

test('a stage that throws before it promises anything is treated no better', async () => {
  const log: string[] = []
  const rules = () => {
    throw new Error('bug')
  }
  await expect(govern(write, stages(log, { rules }))).rejects.toThrow('bug')
  expect(log.at(-1)).toBe('failed at rules by ada')
})

test('when the trail is gone altogether the first failure is the one that is thrown', async () => {
  const log: string[] = []
  await expect(
    govern(write, stages(log, { recordIntent: full, recordEnd: async () => Promise.reject(new Error('also full')) })),
  ).rejects.toThrow('disk full')
  expect(log.at(-1)).toBe('end lost')
})

test('a refusal that cannot be recorded is an error, never a yes', async () => {
  const log: string[] = []
  await expect(govern(write, stages(log, { rules: async () => block, recordEnd: full }))).rejects.toThrow('disk full')
  expect(log).toEqual(['authenticate', 'authorize', 'rules'])
})

test('an effect whose end cannot be recorded is an error, so that nobody takes it for recorded', async () => {
  await expect(govern(write, stages([], { recordEnd: full }))).rejects.toThrow('disk full')
})

test('a read needs no intent and is answered when the trail cannot be written; its lost end is told', async () => {
  const log: string[] = []
  expect(await govern(read, stages(log, { recordIntent: full, recordEnd: full }))).toEqual({
    is: 'done',
    result: 'result',
  })
  expect(log).toEqual(['authenticate', 'authorize', 'rules', 'execute', 'end lost'])
})

test('a read is refused like any call', async () => {
  const log: string[] = []
  expect(await govern(read, stages(log, { authorize: async () => block }))).toEqual({
    is: 'blocked',
    at: 'authorize',
    verdict: block,
  })
  expect(log).toEqual(['authenticate', 'authorize', 'blocked at authorize by ada'])
})

const verdicts = fc.constantFrom<Verdict>(allow, block, challenge, hold)
const broken = new Error('broken')

/** A stage that gives this verdict, or throws. */
const stage = <Given extends Verdict>(given: fc.Arbitrary<Given>) => fc.option(given, { nil: undefined })
/** At once or after a while: what a stage says is the same. */
const said = <Given>(given: Given | undefined, isPrompt: boolean): Given | Promise<Given> => {
  if (!isPrompt) return given === undefined ? Promise.reject(broken) : Promise.resolve(given)
  if (given === undefined) throw broken
  return given
}

test('whatever the stages say: an effect happens only when all allow and the intent is durable, and there is exactly one end', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.boolean(),
      stage(fc.constantFrom(allow, block, challenge)),
      stage(verdicts),
      stage(fc.constantFrom(allow, block, hold)),
      fc.boolean(),
      fc.boolean(),
      async (isRead, isKnown, permitted, ruled, approved, isTrailUp, isPrompt) => {
        const log: string[] = []
        const ends: string[] = []
        const known = isKnown ? ada : undefined
        const paved = stages(log, {
          authenticate: () => (isPrompt ? known : Promise.resolve(known)),
          authorize: () => said(permitted, isPrompt),
          rules: () => said(ruled, isPrompt),
          approval: () => said(approved, isPrompt),
          recordIntent: () => {
            if (isTrailUp) return isPrompt ? undefined : Promise.resolve()
            if (isPrompt) throw new Error('disk full')
            return full()
          },
          recordEnd: async (_call, _who, outcome) => void ends.push(outcome.is),
        })
        const outcome = await govern({ isRead }, paved).catch((cause: unknown) => ({ is: 'threw', cause }) as const)
        const isAllowed =
          isKnown &&
          permitted?.is === 'allow' &&
          (ruled?.is === 'allow' || (ruled?.is === 'hold' && approved?.is === 'allow'))
        const acts = isAllowed && (isRead || isTrailUp)
        expect(log.includes('execute')).toBe(acts)
        expect(outcome.is === 'done').toBe(acts)
        if (acts && !isRead) expect(log.indexOf('intent')).toBeLessThan(log.indexOf('execute'))
        expect(ends).toEqual([outcome.is === 'threw' ? 'failed' : outcome.is])
        if (log.includes('approval')) expect([permitted?.is, ruled?.is]).toEqual(['allow', 'hold'])
      },
    ),
    { numRuns: 500 },
  )
})

test('a stage that gives no verdict ends the call without effect', async () => {
  const log: string[] = []
  const odd: unknown = { is: 'maybe' }
  const untyped = { ...stages(log), authorize: async () => odd } as unknown as Stages<Call, Who, string>
  await expect(govern(write, untyped)).rejects.toThrow('The stage authorize gave no verdict.')
  expect(log).not.toContain('execute')
})

test('an answer that can be waited for is waited for, whatever realm its promise is of', async () => {
  const later = (answer: unknown) => ({
    then: (resolve: (value: unknown) => void) => setImmediate(() => resolve(answer)),
  })
  const log: string[] = []
  const foreign = {
    ...stages(log),
    authenticate: () => later(undefined),
  } as unknown as Stages<Call, Who, string>
  expect(await govern(write, foreign)).toMatchObject({ is: 'challenged', at: 'authenticate' })
  const refusing = {
    ...stages(log),
    recordIntent: () => ({ then: (_: unknown, reject: (cause: Error) => void) => reject(new Error('disk full')) }),
  } as unknown as Stages<Call, Who, string>
  await expect(govern(write, refusing)).rejects.toThrow('disk full')
  expect(log).not.toContain('execute')
})
