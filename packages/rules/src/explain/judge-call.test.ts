import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { documentWith, preRule } from '../../test/documents.ts'
import { type GeneratedCall, generatedCall, rulesetData } from '../../test/generate.ts'
import {
  type Call,
  type Compiled,
  compile,
  decidePre,
  explain,
  type Facts,
  type JsonObject,
  type JsonValue,
  judgeCall,
  type PossibleDecision,
  parseRuleset,
  type Remains,
  type Unknowns,
} from '../index.ts'

vi.setConfig({ testTimeout: 120_000 })

function compiledFrom(source: string): Compiled {
  const result = parseRuleset(source)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics[0]))
  return compile(result.ruleset)
}

const hidden = '[REDACTED]'
const cutMark = '…'

const unknowns: Unknowns = {
  value: (value): Remains | undefined => {
    if (value === hidden) return { is: 'anything' }
    return typeof value === 'string' && value.endsWith(cutMark) ? { is: 'text', start: value.slice(0, -1) } : undefined
  },
}

const replacement = fc.constantFrom<JsonValue>(
  null,
  '',
  'rm -rf /',
  'git status',
  '/etc/passwd',
  '/srv/a.txt',
  'DROP TABLE users',
  'https://evil.test',
  'https://api.example.com/x',
  'admin',
  12,
  0,
  true,
  { x: 'admin' },
  { x: 12 },
  ['/etc/passwd'],
)
const ending = fc.constantFrom(
  '',
  ' -rf /',
  '; rm',
  '/../../etc/passwd',
  ' DROP TABLE users',
  ' https://evil.test',
  's',
  '/',
)

interface Hidden {
  /** As it was recorded. */
  readonly recorded: Call
  /** What it may have been. */
  readonly origins: readonly Call[]
}

/** Hides or cuts some of a call's arguments, and makes other calls that would have been recorded the same. */
function hide(
  call: Call,
  picks: readonly ('keep' | 'hide' | 'cut' | 'inside')[],
  fillings: readonly Filling[],
): Hidden {
  const keys = [...new Set([...Object.keys(call.args), 'command', 'path', 'q'])]
  const change = (values: Filling | undefined): JsonObject => {
    const args: Record<string, JsonValue> = { ...call.args }
    for (const [index, key] of keys.entries()) {
      const value = args[key] ?? null
      const pick = picks[index % picks.length]
      const filling = values?.values[index % values.values.length] ?? null
      if (pick === 'hide') args[key] = values ? filling : hidden
      if (pick === 'cut' && typeof value === 'string') {
        const start = value.slice(0, Math.ceil(value.length / 2))
        args[key] = values ? `${start}${values.endings[index % values.endings.length] ?? ''}` : `${start}${cutMark}`
      }
      if (pick === 'inside' && Array.isArray(value)) args[key] = [...value, values ? filling : hidden]
      if (pick === 'inside' && typeof value === 'object' && value !== null && !Array.isArray(value)) {
        args[key] = { ...value, x: values ? filling : hidden }
      }
    }
    return args
  }
  return {
    recorded: { ...call, args: change(undefined) },
    origins: fillings.map((values) => ({ ...call, args: change(values) })),
  }
}

interface Filling {
  readonly values: readonly JsonValue[]
  readonly endings: readonly string[]
}

const pick = fc.constantFrom('keep', 'hide', 'hide', 'cut', 'inside')
const filling = fc.record({
  values: fc.array(replacement, { minLength: 3, maxLength: 3 }),
  endings: fc.array(ending, { minLength: 3, maxLength: 3 }),
})

/** Counters of a session that has just begun: limits know no hidden values, and would settle half of the calls. */
function facts({ env }: GeneratedCall): Facts {
  return { env }
}

/** The same rules, of which more block than ask and observe: what is hidden changes a block into something else most often. */
function leaningToBlock(data: Record<string, unknown>): Record<string, unknown> {
  const rules = data['rules'] as readonly { readonly type: string; readonly mode?: string; readonly then?: object }[]
  const lean = (rule: (typeof rules)[number], at: number): object => {
    if (rule.type !== 'pre' || at % 3 === 2) return rule
    const { mode: _observing, ...rest } = rule
    return { ...rest, then: { ...rule.then, action: 'block' } }
  }
  return { ...data, rules: rules.map(lean) }
}

test('a call said to be decided gets that verdict whatever its hidden values were', () => {
  const seen = { hiding: 0, decided: 0, open: 0, calls: 0, firing: 0, blocked: 0 }
  fc.assert(
    fc.property(
      rulesetData(24).map(leaningToBlock),
      fc.array(
        fc.tuple(
          generatedCall,
          fc.array(pick, { minLength: 3, maxLength: 3 }),
          fc.array(filling, { minLength: 8, maxLength: 8 }),
        ),
        { minLength: 4, maxLength: 4 },
      ),
      (data, calls) => {
        const compiled = compiledFrom(stringify(data))
        for (const [generated, picks, fillings] of calls) {
          const { recorded, origins } = hide(generated.call, picks, fillings)
          const judged = judgeCall(compiled, recorded, facts(generated), unknowns)
          for (const origin of [...origins]) {
            const { verdict, decidedBy, observed } = decidePre(compiled, origin, facts(generated))
            seen.calls += 1
            if (decidedBy || observed.length > 0) seen.firing += 1
            if (verdict === 'block') seen.blocked += 1
            const context = JSON.stringify({ data, recorded, origin, facts: facts(generated) })
            expect(judged.possible, context).toContainEqual(decidedBy ? { verdict, name: decidedBy.name } : { verdict })
            if (judged.isDecided) expect(verdict, context).toBe(judged.verdict)
          }
          const explained = explain(compiled, recorded, facts(generated), { unknowns })
          expect(explained.possible).toEqual(judged.possible)
          expect(explained.isDecided).toBe(judged.isDecided)
          if (JSON.stringify(recorded) === JSON.stringify(generated.call)) continue
          seen.hiding += 1
          if (judged.isDecided) seen.decided += 1
          else seen.open += 1
        }
      },
    ),
    { numRuns: 400 },
  )
  const share = (part: number, of: number): string => `${((100 * part) / of).toFixed(1)} %`
  // Every document is accepted: one that is not ends the test.
  console.info(
    `${seen.hiding} calls that hide something: ${share(seen.decided, seen.hiding)} decided, ${share(seen.open, seen.hiding)} open; ` +
      `${seen.calls} calls they may have been: ${share(seen.firing, seen.calls)} firing, ${share(seen.blocked, seen.calls)} blocked`,
  )
  expect(seen.firing / seen.calls).toBeGreaterThan(0.2)
  expect(seen.blocked / seen.calls).toBeGreaterThan(0.2)
  // Neither answer is always right: a judge that calls everything open would pass the rest.
  expect(seen.decided / seen.hiding).toBeGreaterThan(0.2)
  expect(seen.open / seen.hiding).toBeGreaterThan(0.1)
})

test('a call that hides nothing is always decided, and as it is decided without asking', () => {
  fc.assert(
    fc.property(rulesetData(8), generatedCall, (data, generated) => {
      const compiled = compiledFrom(stringify(data))
      const decision = decidePre(compiled, generated.call, facts(generated))
      const judged = judgeCall(compiled, generated.call, facts(generated), unknowns)
      expect(judged).toMatchObject({ isDecided: true, verdict: decision.verdict, undecidedRules: [] })
      expect(judged.possible.length).toBe(1)
    }),
    { numRuns: 500 },
  )
})

function judge(when: string, args: JsonObject, more: Unknowns = {}): PossibleDecision {
  return judgeCall(compiledFrom(documentWith(preRule('a', when))), { tool: 'Bash', args }, {}, { ...unknowns, ...more })
}

test.each([
  ['a hidden value that no condition reads', 'args.x: {equals: 1}', { y: hidden }, 'allow'],
  [
    'one behind a condition that fails before it',
    'all: [{args.x: {equals: 1}}, {args.y: {contains: z}}]',
    { x: 2, y: hidden },
    'allow',
  ],
  [
    'one beside a condition that settles it',
    'any: [{args.x: {equals: 1}}, {args.y: {equals: z}}]',
    { x: 1, y: hidden },
    'block',
  ],
  ['a cut text whose beginning holds what is looked for', 'args.y: {contains: rm}', { y: `rm -rf${cutMark}` }, 'block'],
  ['a cut text that begins otherwise', 'args.y: {starts_with: git}', { y: `rm${cutMark}` }, 'allow'],
  ['a cut text longer than what it is compared with', 'args.y: {in: [rm, git]}', { y: `rm -rf${cutMark}` }, 'allow'],
  ['a cut text compared as a number', 'args.y: {gt: 1}', { y: `1${cutMark}` }, 'block'],
  ['a path through a cut text', 'args.y.z: {exists: true}', { y: `x${cutMark}` }, 'allow'],
] as const)('%s leaves the call decided', (_, when, args, verdict) => {
  expect(judge(when, args)).toMatchObject({ isDecided: true, verdict })
})

test.each([
  ['a hidden value', 'args.y: {equals: 1}', { y: hidden }],
  ['a value below a hidden one', 'args.y.z: {equals: 1}', { y: hidden }],
  ['a hidden value inside one that is compared whole', 'args.y: {equals: {z: 1}}', { y: { z: hidden } }],
  ['the rest of a cut text', 'args.y: {contains: rm}', { y: `git${cutMark}` }],
  ['a pattern over a cut text', 'args.y: {matches: "rm$"}', { y: `rm${cutMark}` }],
] as const)('%s leaves the call open', (_, when, args) => {
  expect(judge(when, args)).toEqual({
    isDecided: false,
    possible: [{ verdict: 'block', name: 'a' }, { verdict: 'allow' }],
    undecidedRules: ['a'],
  })
})

test('what was never recorded is unknown by its selector', () => {
  const selector = (name: string): boolean => name.startsWith('env.')
  expect(judge('env.REGION: {equals: eu}', {}, { selector }).isDecided).toBe(false)
  expect(judge('env.REGION: {equals: eu}', {}).isDecided).toBe(true)
})

test('two rules that would both block leave the verdict certain and the rule open', () => {
  const source = documentWith(preRule('a', 'args.y: {contains: rm}') + preRule('b', 'args.x: {equals: 1}'))
  const judged = judgeCall(compiledFrom(source), { tool: 'Bash', args: { x: 1, y: hidden } }, {}, unknowns)
  expect(judged).toEqual({
    isDecided: true,
    verdict: 'block',
    possible: [
      { verdict: 'block', name: 'a' },
      { verdict: 'block', name: 'b' },
    ],
    undecidedRules: ['a'],
  })
})

test('a hidden result leaves post rules that read it open', () => {
  const source = documentWith(
    '  - {id: p, type: post, tool: "*", when: {output.text: {contains: x}}, then: {action: warn, message: Hm}}\n',
  )
  const made = explain(
    compiledFrom(source),
    { tool: 'Bash', args: {} },
    {},
    { output: { result: { a: hidden } }, unknowns },
  )
  expect(made.rules).toMatchObject([{ id: 'p', outcome: 'unknown', effect: 'open' }])
})
