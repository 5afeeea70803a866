import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { documentWith, errorsOf, preRule } from '../../test/documents.ts'
import { generatedCall, rulesetData } from '../../test/generate.ts'
import {
  compile,
  composeLayers,
  composeRuleset,
  decidePre,
  includeBaselines,
  parseRules,
  parseRuleset,
  type Rule,
  type Ruleset,
  renderings,
  ruleMode,
  ruleTexts,
  sameRuleset,
} from '../index.ts'

vi.setConfig({ testTimeout: 20_000 })

function read(source: string): Ruleset {
  const result = parseRuleset(source)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics[0]))
  return result.ruleset
}

function rule(text: string, id = 'one'): Rule {
  const result = parseRules(text, { id })
  const [first] = result.ok ? result.rules : []
  if (!first) throw new Error(JSON.stringify(result))
  return first
}

const single = `type: pre
tool: Bash
when: {args.command: {contains: rm}} # why
then: {action: block, message: Never}
`

test('rules are read in every shape they are pasted in, and in both vocabularies', () => {
  const list = preRule('a') + preRule('b')
  expect(parseRules(documentWith(list))).toMatchObject({ ok: true, shape: 'ruleset', ruleset: { name: 'sample' } })
  expect(parseRules(list)).toMatchObject({ ok: true, shape: 'list', rules: [{ id: 'a' }, { id: 'b' }] })
  expect(parseRules(single, { id: 'one' })).toMatchObject({
    ok: true,
    shape: 'rule',
    rules: [{ id: 'one' }],
    diagnostics: [],
  })
  const older = single.replace('action: block', 'effect: deny')
  expect(parseRules(older, { id: 'one' })).toMatchObject({ ok: true, diagnostics: [] })
  expect(rule(older).type).toBe('pre')
  expect(rule(`{type: pre, tool: x, when: {args.x: {exists: true}}, then: {action: ask, message: m}}`)).toMatchObject({
    tool: 'x',
  })
})

test.each([
  ['', 'rule.shape', 1, 'There is no rule'],
  ['[]', 'rule.shape', 1, 'There is no rule'],
  ['just words', 'rule.shape', 1, 'mapping'],
  [single.replace('tool: Bash\n', ''), 'rule.tool', 1, 'tool'],
  [single.replace('contains: rm', 'matches: "("'), 'expr.regex', 3, 'regex'],
  [`id: other\n${single}`, 'rule.id', 1, 'kept under the id "one"'],
  [single.replace('message: Never', 'mesage: Never'), 'doc.unknown_field', 4, 'mesage'],
  ['kind: Ruleset\nrules: []', 'doc.api_version', 1, 'apiVersion'],
  ['a: [', 'yaml.parse', 1, 'parse'],
])('a rule that cannot be kept is refused where it is wrong: %j', (text, code, line, word) => {
  const result = parseRules(text, { id: 'one' })
  expect(result.ok).toBe(false)
  const found = errorsOf(result).find((one) => one.code === code)
  expect(found, JSON.stringify(result)).toMatchObject({ line })
  expect(found?.message).toContain(word)
})

test('two rules of one name in a pasted list are refused', () => {
  expect(errorsOf(parseRules(preRule('a') + preRule('a')))).toMatchObject([
    { code: 'rule.duplicate_id', path: '/1/id' },
  ])
})

test('a rule taken out of a document and put back means the same, in both vocabularies', () => {
  fc.assert(
    fc.property(rulesetData(6), (data) => {
      const ruleset = read(stringify(data))
      const composed = (which: 'ruleset' | 'contractBundle'): Ruleset => {
        const rules = ruleset.rules.map((one) => rule(ruleTexts(one)[which], one.id))
        const made = composeRuleset({
          name: ruleset.name,
          description: ruleset.description,
          defaultMode: ruleset.defaultMode,
          items: rules.map((one) => ({ rule: one })),
          tools: Object.fromEntries(
            ruleset.tools.map((tool) => [tool.name, { side_effect: tool.sideEffect, idempotent: tool.idempotent }]),
          ),
        })
        if (!made.ok) throw new Error(JSON.stringify(made.diagnostics))
        return made.ruleset
      }
      // Modes are written out in a composition; that is the only difference.
      const explicit = { ...ruleset, rules: ruleset.rules.map((one) => ({ ...one, mode: ruleMode(one, ruleset) })) }
      expect(sameRuleset(composed('ruleset'), explicit)).toBe(true)
      expect(sameRuleset(composed('contractBundle'), explicit)).toBe(true)
    }),
    { numRuns: 100 },
  )
})

test('comments come with a rule: out of a document, into the library in both vocabularies, and into a composition', () => {
  const source = `apiVersion: edictum/v1
kind: Ruleset
# About the document.
metadata: {name: one}
defaults: {mode: enforce}
rules:
  # Nobody removes everything.
  # Ask Ada first.
  - id: no-rm # since March
    type: pre
    tool: Bash
    # Either spelling.
    when:
      any:
        # The short one.
        - args.command: {contains: "rm -r # not a comment"}
        - args.command: {contains: rm --recursive} # the long one
    then: {action: block, message: "No # either"} # final
  # The second rule.
  - {id: box, type: sandbox, tool: Read, within: [/srv], outside: block, message: m} # boxed
# About the tools.
tools:
  Read: {side_effect: read}
`
  const parsed = parseRules(source)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics))
  const library = parsed.rules.map((one, at) => ({ id: one.id, texts: ruleTexts(one, parsed.comments[at]) }))
  const composed = (which: 'ruleset' | 'contractBundle', from: typeof library): string => {
    const items = from.map(({ id, texts }) => {
      const read = parseRules(texts[which], { id })
      if (!read.ok || !read.rules[0]) throw new Error(JSON.stringify(read.diagnostics))
      return { rule: read.rules[0], comments: read.comments[0] }
    })
    const made = composeRuleset({ name: 'made', defaultMode: 'enforce', items })
    if (!made.ok) throw new Error(JSON.stringify(made.diagnostics))
    return made.text
  }
  const text = composed('ruleset', library)
  expect(text).toContain(`rules:
  # Nobody removes everything.
  # Ask Ada first.
  # since March
  - id: no-rm
    type: pre
    mode: enforce
    tool: Bash
    # Either spelling.
    # The short one.
    # the long one
    when:
`)
  expect(text).toContain('    # final\n    then:')
  expect(text).toContain('  # The second rule.\n  # boxed\n  - id: box\n')
  expect(text).not.toMatch(/# About the (?:document|tools)/)
  expect(composed('contractBundle', library)).toBe(text)
  // Out of the composition and in again: the same words at the same places.
  const again = parseRules(text)
  if (!again.ok) throw new Error(JSON.stringify(again.diagnostics))
  const second = again.rules.map((one, at) => ({ id: one.id, texts: ruleTexts(one, again.comments[at]) }))
  expect(composed('ruleset', second)).toBe(text)
})

test('no comment is lost or made up, wherever in a rule it stands, and none changes what the rule means', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(rulesetData(4), fc.array(fc.nat(), { maxLength: 6 }), (data, places) => {
      const { rules } = data as { readonly rules: readonly object[] }
      const lines = stringify(rules).trimEnd().split('\n')
      const wanted = places.map((place, at) => {
        // A line of its own, as deep as the line it stands before; in front of nothing that goes on from the line before.
        const line = place % lines.length
        const pad = /^ */.exec(lines[line] ?? '')?.[0] ?? ''
        const words = `# note ${at}`
        lines.splice(line, 0, `${pad}${words}`)
        return words
      })
      const read = parseRules(lines.join('\n'))
      // A comment in the midst of a text of several lines is part of the text.
      fc.pre(read.ok && !lines.some((line) => /[|>"']/.test(line)))
      if (!read.ok) return
      const plain = parseRules(stringify(rules))
      expect(read.rules).toEqual(plain.ok ? plain.rules.map(() => expect.anything()) : [])
      const found = [...read.comments].flatMap((one) => [...one.values()].flat())
      expect(found.toSorted()).toEqual(wanted.toSorted())
      const items = read.rules.map((one, at) => ({ rule: one, comments: read.comments[at] }))
      const made = composeRuleset({ name: 'made', defaultMode: 'enforce', items })
      const bare = composeRuleset({
        name: 'made',
        defaultMode: 'enforce',
        items: items.map(({ rule: one }) => ({ rule: one })),
      })
      expect(made.ok && bare.ok && sameRuleset(made.ruleset, bare.ruleset)).toBe(true)
      for (const words of wanted) expect(made.text).toContain(words)
      expect(
        made.text
          .split('\n')
          .filter((line) => !/^ *# note /.test(line))
          .join('\n'),
      ).toBe(bare.text)
    }),
    { numRuns: 100 },
  )
})

test('thousands of comments all come along', () => {
  const many = '#\n'.repeat(20_000)
  const read = parseRules(`- id: one\n  ${single.trimEnd().replaceAll('\n', '\n  ')}\n${many}`)
  expect(read).toMatchObject({ ok: true, rules: [{ id: 'one' }] })
  expect(read.ok && [...(read.comments[0]?.values() ?? [])].flat()).toHaveLength(20_001)
})

test('an item says the mode before its rule does, and the rule before the default', () => {
  const plain = rule(single, 'plain')
  const watching = rule(`mode: observe\n${single}`, 'watching')
  const made = composeRuleset({
    name: 'payments',
    defaultMode: 'enforce',
    items: [{ rule: plain }, { rule: watching }, { rule: { ...watching, id: 'strict' }, mode: 'enforce' }],
    tools: { Read: { side_effect: 'read' } },
    observability: { stdout: false },
  })
  if (!made.ok) throw new Error('refused')
  expect(made.rules.map(({ id, mode }) => [id, mode])).toEqual([
    ['plain', 'enforce'],
    ['watching', 'observe'],
    ['strict', 'enforce'],
  ])
  expect(made.text).toBe(`apiVersion: edictum/v1
kind: Ruleset
metadata:
  name: payments
defaults:
  mode: enforce
rules:
  - id: plain
    type: pre
    mode: enforce
    tool: Bash
    when:
      args.command:
        contains: rm
    then:
      action: block
      message: Never
  - id: watching
    type: pre
    mode: observe
    tool: Bash
    when:
      args.command:
        contains: rm
    then:
      action: block
      message: Never
  - id: strict
    type: pre
    mode: enforce
    tool: Bash
    when:
      args.command:
        contains: rm
    then:
      action: block
      message: Never
tools:
  Read:
    side_effect: read
observability:
  stdout: false
`)
  expect(renderings(made.text).ok).toBe(true)
})

test('a second version of a rule observes beside the first, whatever it is told', () => {
  const items = [{ rule: rule(single) }, { rule: rule(single.replace('rm', 'mv')), mode: 'enforce' as const }]
  const made = composeRuleset({ name: 'x', defaultMode: 'enforce', items })
  expect(made.ok && made.rules).toEqual([
    { id: 'one', of: 'one', mode: 'enforce', isShadow: false },
    { id: 'one_obs', of: 'one', mode: 'observe', isShadow: true },
  ])
})

test('a composition without rules, or with sections nobody can read, is refused and shown', () => {
  const empty = composeRuleset({ name: 'x', defaultMode: 'enforce', items: [] })
  expect(empty.ok).toBe(false)
  expect(errorsOf(empty)).toMatchObject([{ code: 'doc.rules' }])
  const bad = composeRuleset({
    name: 'x',
    defaultMode: 'enforce',
    items: [{ rule: rule(single) }],
    tools: { Read: 'read' },
  })
  expect(errorsOf(bad)).toMatchObject([{ code: 'tools.side_effect', path: '/tools/Read' }])
  expect(bad.text.split('\n')[(errorsOf(bad)[0]?.line ?? 0) - 1]).toContain('Read')
})

const layer = (label: string, source: string): { readonly label: string; readonly ruleset: Ruleset } => {
  return { label, ruleset: read(source) }
}

test('a later layer replaces a rule where it stands, adds its others behind, and its head wins', () => {
  const made = composeLayers([
    layer(
      'base',
      documentWith(preRule('a') + preRule('b'), 'tools: {Read: {side_effect: read}, Bash: {side_effect: write}}\n'),
    ),
    layer(
      'team',
      documentWith(preRule('c') + preRule('a', 'args.y: {equals: 2}'), 'tools: {Read: {side_effect: pure}}\n').replace(
        'enforce',
        'observe',
      ),
    ),
  ])
  if (!made.ok) throw new Error(made.problem)
  expect(made.ruleset.rules.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  expect(made.ruleset.rules[0]).toMatchObject({ when: { selector: 'args.y' } })
  expect(made.ruleset.defaultMode).toBe('observe')
  expect(made.ruleset.tools.map(({ name, sideEffect }) => [name, sideEffect])).toEqual([
    ['Read', 'pure'],
    ['Bash', 'write'],
  ])
  expect(made.overridden).toEqual([{ id: 'a', by: 'team', original: 'base' }])
  expect(made.candidates).toBeUndefined()
})

test('a layer that observes alongside changes nothing that is enforced', () => {
  const shadow = documentWith(
    preRule('a', 'args.y: {equals: 2}'),
    'observe_alongside: true\ntools: {Bash: {side_effect: read}}\n',
  )
  const made = composeLayers([layer('base', documentWith(preRule('a'))), layer('next', shadow)])
  if (!made.ok || !made.candidates) throw new Error('refused')
  expect(made.ruleset.tools).toEqual([])
  expect(made.observed).toEqual([{ id: 'a', source: 'next' }])
  const compiled = compile(made.ruleset, { candidates: made.candidates })
  expect(decidePre(compiled, { tool: 'Bash', args: { y: 2 } })).toMatchObject({
    verdict: 'allow',
    observed: [{ name: 'a', isCandidate: true }],
  })
  expect(decidePre(compiled, { tool: 'Bash', args: { x: 1 } }).verdict).toBe('block')
})

test('layers that run alongside may not share a rule, nor may one extend what nobody resolved', () => {
  const shadow = documentWith(preRule('a'), 'observe_alongside: true\n')
  const base = layer('base', documentWith(preRule('z')))
  expect(composeLayers([base, layer('x', shadow), layer('y', shadow)])).toMatchObject({
    ok: false,
    problem: expect.stringContaining('a is in two'),
  })
  expect(composeLayers([base, layer('x', documentWith(preRule('b'), 'extends: base\n'))]).ok).toBe(false)
  // Alone, the flag has nothing to run beside: the document decides as any other.
  const alone = composeLayers([layer('only', shadow)])
  expect(alone.ok && decidePre(compile(alone.ruleset), { tool: 'Bash', args: { x: 1 } }).verdict).toBe('block')
})

const baseline = {
  name: 'company',
  revision: 'r1',
  source: documentWith(preRule('never'), 'tools: {Read: {side_effect: read}}\n'),
}

test('a baseline stands in front, keeps its mode in a ruleset that only observes, and leaves comments alone', () => {
  const own = documentWith(`  # mine\n${preRule('a')}`).replace('enforce', 'observe')
  const made = includeBaselines(own, [baseline, { ...baseline, name: 'team', source: documentWith(preRule('later')) }])
  if (!made.ok) throw new Error(JSON.stringify(made.diagnostics))
  expect(made.ruleset.rules.map((one) => [one.id, ruleMode(one, made.ruleset)])).toEqual([
    ['never', 'enforce'],
    ['later', 'enforce'],
    ['a', 'observe'],
  ])
  expect(made.ruleset.tools.map(({ name }) => name)).toEqual(['Read'])
  expect(made.text).toContain('# mine')
  expect(made.parents).toEqual([
    { name: 'team', revision: 'r1' },
    { name: 'company', revision: 'r1' },
  ])
  expect(includeBaselines(own, [])).toMatchObject({ ok: true, text: own })
})

test('a baseline is included in the vocabulary of the document', () => {
  const both = renderings(documentWith(preRule('a')))
  const older = both.ok ? both.renderings.contractBundle.text : ''
  const made = includeBaselines(older, [baseline])
  if (!made.ok) throw new Error(JSON.stringify(made.diagnostics))
  expect(made.diagnostics).toEqual([])
  expect(made.text).toContain('effect: deny')
  expect(made.text).not.toContain('action:')
  expect(renderings(made.text).ok).toBe(true)
})

test('a baseline that cannot stand in front is refused', () => {
  expect(errorsOf(includeBaselines(documentWith(preRule('never')), [baseline]))).toMatchObject([
    { code: 'extends.duplicate_id', line: 6, message: expect.stringContaining('baseline "company"') },
  ])
  expect(errorsOf(includeBaselines(documentWith(preRule('a')), [{ ...baseline, source: 'x' }]))).toMatchObject([
    { code: 'baseline.invalid' },
  ])
  expect(errorsOf(includeBaselines(documentWith(preRule('a'), 'extends: b\n'), [baseline]))).toMatchObject([
    { code: 'baseline.extends' },
  ])
})

test('with a baseline in front, no call that the baseline blocks is let through', () => {
  const seen = { calls: 0, blocked: 0 }
  fc.assert(
    fc.property(
      rulesetData(16),
      rulesetData(6),
      fc.array(generatedCall, { minLength: 5, maxLength: 5 }),
      (front, own, calls) => {
        const renamed = (front['rules'] as { readonly id: string }[]).map((one) => ({ ...one, id: `base-${one.id}` }))
        const ground = { ...front, defaults: { mode: 'enforce' }, rules: renamed }
        const enforcing = { ...own, defaults: { mode: 'enforce' } }
        const made = includeBaselines(stringify(enforcing), [
          { name: 'ground', revision: 'r', source: stringify(ground) },
        ])
        if (!made.ok) throw new Error(JSON.stringify(made.diagnostics))
        const before = compile(read(stringify(ground)))
        const after = compile(made.ruleset)
        for (const { call, counters, env } of calls) {
          seen.calls += 1
          if (decidePre(before, call, { counters, env }).verdict !== 'block') continue
          seen.blocked += 1
          // An own rule may ask before a baseline's limit is reached; it never allows.
          expect(decidePre(after, call, { counters, env }).verdict).not.toBe('allow')
        }
      },
    ),
    { numRuns: 80 },
  )
  console.info('blocked by the baseline:', seen.blocked / seen.calls)
  expect(seen.blocked / seen.calls).toBeGreaterThan(0.2)
})
