import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { Document, isMap, isPair, isScalar, visit } from 'yaml'
import { documentWith, errorsOf, preRule } from '../test/documents.ts'
import { rulesetData } from '../test/generate.ts'
import { renderings, sameRuleset, servedBytesMax } from './index.ts'

// Generated documents by the hundred; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

/** The same data laid out in many ways: flow or block, quoted or plain, with comments that hold the words to be changed. */
const laidOut = fc.tuple(rulesetData(5), fc.infiniteStream(fc.nat(9)), fc.boolean()).map(([data, choices, isCrlf]) => {
  const next = (): number => choices.next().value ?? 0
  const document = new Document(data)
  visit(document, (key, node) => {
    if (isScalar(node) && typeof node.value === 'string') {
      const style = next()
      if (style === 0) node.type = 'QUOTE_DOUBLE'
      if (style === 1) node.type = 'QUOTE_SINGLE'
      if (style === 2 && key === 'value') node.comment = ' deny effect: contracts'
    }
    if (isMap(node) && next() === 0) node.flow = true
    if (isPair(node) && isScalar(node.key) && next() === 0) node.key.commentBefore = ' action: block # rules'
    if (isPair(node) && isScalar(node.key) && next() === 1) node.key.spaceBefore = true
  })
  const text = document.toString({ lineWidth: 0 })
  return isCrlf ? text.replaceAll('\n', '\r\n') : text
})

test('both renderings mean the same, and there and back gives the same bytes', () => {
  fc.assert(
    fc.property(laidOut, (source) => {
      const there = renderings(source)
      if (!there.ok) throw new Error(`${JSON.stringify(errorsOf(there)[0])}\n${source}`)
      expect(there.renderings.ruleset.text).toBe(source)
      const older = there.renderings.contractBundle
      expect(older.bytes).toBe(new TextEncoder().encode(older.text).length)
      const back = renderings(older.text)
      if (!back.ok) throw new Error(`${JSON.stringify(errorsOf(back)[0])}\n${older.text}`)
      expect(back.ruleset.dialect).toBe('ContractBundle')
      expect(sameRuleset(there.ruleset, back.ruleset)).toBe(true)
      expect(back.renderings.ruleset.text).toBe(source)
      expect(back.diagnostics.filter((one) => one.code === 'doc.mixed_words')).toEqual([])
    }),
    { numRuns: 250 },
  )
})

test('only the words change: comments, layout, quotes and messages stay', () => {
  const result = renderings(`# block rules
apiVersion: edictum/v1
kind:   "Ruleset"   # kind: Ruleset
metadata: {name: a}
defaults: {mode: enforce}
rules:   # rules
  - {id: x, type: pre, tool: t, when: {args.action: {equals: block}}, then: {"action" : 'ask', message: "action: block", timeout_action: allow}}
  - id: s
    type: sandbox
    tool: block
    within: [/]
    outside: block # outside: block
    timeout_action: block
    message: block
`)
  expect(result.ok && result.renderings.contractBundle.text).toBe(`# block rules
apiVersion: edictum/v1
kind:   "ContractBundle"   # kind: Ruleset
metadata: {name: a}
defaults: {mode: enforce}
contracts:   # rules
  - {id: x, type: pre, tool: t, when: {args.action: {equals: block}}, then: {"effect" : 'approve', message: "action: block", timeout_effect: allow}}
  - id: s
    type: sandbox
    tool: block
    within: [/]
    outside: deny # outside: block
    timeout_effect: deny
    message: block
`)
})

test('a document that mixes vocabularies renders to one that does not, with the same meaning', () => {
  const source = documentWith(preRule('x').replace('action: block', 'effect: approve, timeout_effect: deny'))
  const result = renderings(source)
  expect(result.ok && result.renderings.ruleset.text).toBe(source)
  const older = result.ok ? renderings(result.renderings.contractBundle.text) : result
  expect(older.ok && older.diagnostics).toEqual([])
  expect(result.ok && older.ok && sameRuleset(result.ruleset, older.ruleset)).toBe(true)
})

const shared: readonly (readonly [string, string, number])[] = [
  ['an anchored action', documentWith(preRule('x').replace('action: block', 'action: &a block')), 11],
  [
    'an action by alias',
    documentWith(preRule('x').replace('tool: Bash', 'tool: &a block').replace('action: block', 'action: *a ')),
    11,
  ],
  ['an anchored then', documentWith(preRule('x').replace('then: {', 'then: &t {')), 11],
  [
    'then by alias',
    documentWith(preRule('x').replace('then: {', 'then: &t {') + preRule('y').replace(/then: .*/, 'then: *t')),
    11,
  ],
  ['a rule by alias', `${documentWith(preRule('x').replace('- id: x', '- &r\n    id: x'))}  - *r\n`, 6],
]

test.each(shared)('%s around a changed word is refused at its place', (name, source, line) => {
  const result = renderings(source)
  expect(result.ok).toBe(false)
  // The same rule twice is refused for its id before anything is rendered.
  const wanted = name === 'a rule by alias' ? 'rule.duplicate_id' : 'render.shared'
  const found = errorsOf(result).find((one) => one.code === wanted)
  expect(found).toBeDefined()
  if (wanted === 'render.shared') expect(found?.line).toBe(line)
})

test('anchors elsewhere do not hinder', () => {
  const source = documentWith(
    `${preRule('x', '&w args.x: &o {equals: 1}')}${preRule('y', 'args.y: *o')}`.replace('&w ', ''),
  )
  expect(renderings(source).ok).toBe(true)
})

test('a changed word that is not written plainly is refused', () => {
  const result = renderings(documentWith(preRule('x').replace('action: block', 'action: "bl\\x6fck"')))
  expect(errorsOf(result)[0]).toMatchObject({ code: 'render.spelling', line: 11, column: 20 })
})

test('a document whose other rendering is over 512 KiB is refused, and one that just fits is not', () => {
  const document = documentWith(preRule('x'))
  // `rules` to `contracts` and the other words make the older rendering longer by this much.
  const small = renderings(document)
  const growth = small.ok ? small.renderings.contractBundle.bytes - small.renderings.ruleset.bytes : 0
  expect(growth).toBeGreaterThan(0)
  const pad = (bytes: number): string => `${document}# ${'a'.repeat(bytes - document.length - 2)}`
  expect(renderings(pad(servedBytesMax - growth)).ok).toBe(true)
  expect(errorsOf(renderings(pad(servedBytesMax - growth + 1)))[0]?.code).toBe('render.size')
})

test('a document that still extends another is not rendered', () => {
  expect(errorsOf(renderings(documentWith(preRule('x'), 'extends: base\n')))[0]?.code).toBe('render.extends')
})
