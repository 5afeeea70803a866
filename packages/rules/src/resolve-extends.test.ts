import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { documentWith, errorsOf, preRule } from '../test/documents.ts'
import { rulesetData } from '../test/generate.ts'
import { parseRuleset, renderings, resolveExtends } from './index.ts'

// Generated documents by the hundred; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

function named(name: string, rules: string, head = ''): string {
  return documentWith(rules, head).replace('name: sample', `name: ${name}`)
}

const base = {
  source: named('base', preRule('b1'), 'tools: {Read: {side_effect: read}, Fetch: {side_effect: pure}}\n'),
  revision: 'abc',
}

test("the parent's rules come first, its tools beside the child's, and the child's comments stay", () => {
  const child = `# mine
apiVersion: edictum/v1
kind: Ruleset
extends: base # why
metadata: {name: child}
defaults: {mode: observe}
tools:
  Read: {side_effect: write} # stricter
rules:
  # my only rule
  - id: c1
    type: session
    limits: {max_attempts: 3}
    then: {action: block, message: m}
`
  const result = resolveExtends(child, new Map([['base', base]]))
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  expect(result.parents).toEqual([{ name: 'base', revision: 'abc' }])
  expect(result.ruleset.extends).toBeUndefined()
  expect(result.ruleset.defaultMode).toBe('observe')
  expect(result.ruleset.rules.map((rule) => rule.id)).toEqual(['b1', 'c1'])
  expect(result.ruleset.tools.map((tool) => [tool.name, tool.sideEffect])).toEqual([
    ['Fetch', 'pure'],
    ['Read', 'write'],
  ])
  expect(result.text).toContain('# from ruleset "base", revision "abc" # why')
  for (const comment of ['# mine', '# stricter', '# my only rule']) expect(result.text).toContain(comment)
  expect(renderings(result.text).ok).toBe(true)
  expect(resolveExtends(child, new Map([['base', base]]))).toEqual(result)
})

test('a child without rules of its own has those of its parent', () => {
  const child = named('child', '', 'extends: base\n').replace('rules:\n', '')
  const result = resolveExtends(child, new Map([['base', base]]))
  expect(result.ok && result.ruleset.rules.map((rule) => rule.id)).toEqual(['b1'])
})

test('a parent in the older dialect, and parents of parents, are merged in order', () => {
  const older = renderings(base.source)
  const grand = { source: older.ok ? older.renderings.contractBundle.text : '', revision: 'g' }
  const middle = { source: named('middle', preRule('m1'), 'extends: base\n'), revision: 'm' }
  const result = resolveExtends(
    named('child', preRule('c1'), 'extends: middle\n'),
    new Map([
      ['base', grand],
      ['middle', middle],
    ]),
  )
  expect(result.ok && result.ruleset.rules.map((rule) => rule.id)).toEqual(['b1', 'm1', 'c1'])
  expect(result.ok && result.parents.map((parent) => parent.name)).toEqual(['middle', 'base'])
})

test('a document that extends nothing is returned as it is', () => {
  expect(resolveExtends(base.source, new Map())).toMatchObject({ ok: true, text: base.source, parents: [] })
})

test('names and revisions cannot break out of the comment that pins them', () => {
  const revision = 'x\nrules: []\u2028y'
  const result = resolveExtends(
    named('child', preRule('c1'), 'extends: base\n'),
    new Map([['base', { ...base, revision }]]),
  )
  expect(result.ok && result.ruleset.rules.length).toBe(2)
})

test.each([
  ['a missing parent', named('child', preRule('c'), 'extends: nobody\n'), 'extends.missing'],
  ['itself', named('child', preRule('c'), 'extends: child\n'), 'extends.cycle'],
  ['a circle', named('child', preRule('c'), 'extends: one\n'), 'extends.cycle'],
  ['a broken parent', named('child', preRule('c'), 'extends: broken\n'), 'extends.invalid'],
  ['an id that the parent has', named('child', preRule('b1'), 'extends: base\n'), 'extends.duplicate_id'],
])('%s is refused with a position', (_, source, code) => {
  const parents = new Map([
    ['base', base],
    ['one', { source: named('one', preRule('r1'), 'extends: two\n'), revision: '1' }],
    ['two', { source: named('two', preRule('r2'), 'extends: one\n'), revision: '2' }],
    ['broken', { source: 'kind: Ruleset', revision: '3' }],
  ])
  const result = resolveExtends(source, parents)
  const [first] = errorsOf(result)
  expect(first?.code).toBe(code)
  expect(first?.line).toBe(code === 'extends.duplicate_id' ? 7 : 5)
  if (code === 'extends.missing') expect(!result.ok && result.missing).toBe('nobody')
})

test('32 parents in a row are accepted, 33 refused', () => {
  const chain = new Map(
    Array.from({ length: 33 }, (_, n) => {
      const source = n === 32 ? named('p32', preRule('p32')) : named(`p${n}`, preRule(`p${n}`), `extends: p${n + 1}\n`)
      return [`p${n}`, { source, revision: `${n}` }]
    }),
  )
  expect(resolveExtends(named('child', preRule('c'), 'extends: p1\n'), chain).ok).toBe(true)
  expect(errorsOf(resolveExtends(named('child', preRule('c'), 'extends: p0\n'), chain))[0]?.code).toBe('extends.depth')
})

test('however child and parent are laid out, the assembled document holds both', () => {
  fc.assert(
    fc.property(
      rulesetData(4),
      rulesetData(4),
      fc.boolean(),
      fc.constantFrom(0, 1, 2),
      (parent, child, isFlow, style) => {
        const mine = { ...child, metadata: { name: 'child' }, extends: 'base', rules: renamed(child['rules'], 'c') }
        const source = isFlow ? JSON.stringify(mine) : stringify(mine, { indent: style + 2, indentSeq: style > 0 })
        const parents = new Map([
          ['base', { source: stringify({ ...parent, rules: renamed(parent['rules'], 'p') }), revision: 'r' }],
        ])
        const result = resolveExtends(source, parents)
        if (!result.ok) throw new Error(JSON.stringify(result.diagnostics[0]))
        const again = parseRuleset(result.text)
        const alone = parseRuleset(stringify({ ...mine, extends: undefined }))
        const count = (parent['rules'] as unknown[]).length + (child['rules'] as unknown[]).length
        expect(again.ok && again.ruleset.rules.length).toBe(count)
        expect(again.ok && alone.ok && again.ruleset.defaultMode === alone.ruleset.defaultMode).toBe(true)
      },
    ),
    { numRuns: 100 },
  )
})

function renamed(rules: unknown, prefix: string): unknown {
  return Array.isArray(rules) ? rules.map((rule: object, index) => ({ ...rule, id: `${prefix}${index}` })) : rules
}
