import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { documentWith, preRule } from '../test/documents.ts'
import { rulesetData } from '../test/generate.ts'
import { diffRulesets, parseRuleset, type Ruleset, renderings } from './index.ts'

// Generated documents by the hundred; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

function read(source: string): Ruleset {
  const result = parseRuleset(source)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics))
  return result.ruleset
}

test('a diff names what was added, removed and changed, field by field, in a stable order', () => {
  const before = read(documentWith(preRule('a') + preRule('b') + preRule('c'), 'tools: {Read: {side_effect: read}}\n'))
  const after = read(
    documentWith(
      preRule('c').replace('Stopped', 'Other') +
        preRule('a', 'args.x: {equals: 2}').replace('    tool', '    mode: observe\n    tool') +
        preRule('d'),
      'tools: {Read: {side_effect: write}, Fetch: {side_effect: pure}}\n',
    ),
  )
  const diff = diffRulesets(before, after)
  expect(diff.isSame).toBe(false)
  expect(diff.added.map((rule) => rule.id)).toEqual(['d'])
  expect(diff.removed.map((rule) => rule.id)).toEqual(['b'])
  expect(diff.changed.map(({ id, fields }) => [id, fields])).toEqual([
    ['c', [{ field: 'then.message', before: 'Stopped', after: 'Other' }]],
    [
      'a',
      [
        { field: 'when', before: { 'args.x': { equals: 1 } }, after: { 'args.x': { equals: 2 } } },
        { field: 'mode', after: 'observe' },
      ],
    ],
  ])
  expect(diff.modes).toEqual([{ id: 'a', before: 'enforce', after: 'observe' }])
  expect(diff.moved).toHaveLength(1)
  expect(diff.tools.map((tool) => tool.name)).toEqual(['Read', 'Fetch'])
})

test('a changed default mode changes the mode of every rule that names none', () => {
  const before = read(documentWith(preRule('a')))
  const diff = diffRulesets(before, { ...before, defaultMode: 'observe' })
  expect(diff.document).toEqual([{ field: 'defaults.mode', before: 'enforce', after: 'observe' }])
  expect(diff.changed).toEqual([])
  expect(diff.modes).toEqual([{ id: 'a', before: 'enforce', after: 'observe' }])
})

test('a mode that is written out where it was inherited is no difference', () => {
  const before = read(documentWith(preRule('a')))
  const after = read(documentWith(preRule('a').replace('    tool', '    mode: enforce\n    tool')))
  expect(diffRulesets(before, after).isSame).toBe(true)
})

test('comments, layout and vocabulary are no difference', () => {
  fc.assert(
    fc.property(rulesetData(), (data) => {
      const source = stringify(data)
      const both = renderings(source)
      if (!both.ok) throw new Error('not rendered')
      const other = read(`# a comment\n\n${both.renderings.contractBundle.text}`)
      expect(diffRulesets(read(source), other).isSame).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('a diff is the same backwards with the sides exchanged', () => {
  fc.assert(
    fc.property(rulesetData(), rulesetData(), (one, two) => {
      const [a, b] = [read(stringify(one)), read(stringify(two))]
      const there = diffRulesets(a, b)
      const back = diffRulesets(b, a)
      expect(there.added.map((rule) => rule.id)).toEqual(back.removed.map((rule) => rule.id))
      expect(there.changed.map((rule) => rule.id)).toEqual(back.changed.map((rule) => rule.id))
      expect(there.isSame).toBe(back.isSame)
    }),
    { numRuns: 100 },
  )
})
