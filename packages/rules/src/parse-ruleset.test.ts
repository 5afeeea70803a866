import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { documentWith, errorsOf, preRule } from '../test/documents.ts'
import { rulesetData } from '../test/generate.ts'
import { parseRuleset } from './parse-ruleset.ts'

// Generated documents by the hundred; the machine may be busy.
vi.setConfig({ testTimeout: 120_000 })

function codes(source: string | Uint8Array): readonly string[] {
  return errorsOf(parseRuleset(source)).map((one) => one.code)
}

test('a valid document becomes a model in Ruleset words, with the lines of every rule', () => {
  const result = parseRuleset(`apiVersion: edictum/v1
kind: ContractBundle
metadata:
  name: first
  description: Ours
defaults: {mode: observe}
tools: {Read: {side_effect: read, idempotent: true}}
contracts:
  - id: no-drop
    type: pre
    tool: "sql_*"
    when: {any: [{args.q: {contains: DROP}}, {not: {principal.role: {equals: admin}}}]}
    then: {effect: approve, message: Sure?, timeout: 60, timeout_effect: allow, tags: [db]}
  - {id: box, type: sandbox, tool: Bash, within: [/srv], outside: deny, message: Stay}
`)
  expect(errorsOf(result)).toEqual([])
  expect(result.ok && result.ruleset).toMatchObject({
    dialect: 'ContractBundle',
    name: 'first',
    description: 'Ours',
    defaultMode: 'observe',
    tools: [{ name: 'Read', sideEffect: 'read', idempotent: true, line: 7 }],
    rules: [
      {
        id: 'no-drop',
        line: 9,
        endLine: 13,
        when: { is: 'any', line: 12 },
        then: { action: 'ask', timeoutSeconds: 60, timeoutAction: 'allow', tags: ['db'] },
      },
      {
        id: 'box',
        line: 14,
        endLine: 14,
        tools: ['Bash'],
        outside: 'block',
        timeoutSeconds: 300,
        timeoutAction: 'block',
      },
    ],
  })
})

test('all mistakes are reported at once, each at its place with a remedy', () => {
  const result = parseRuleset(`apiVersion: edictum/v2
kind: Ruleset
metadata: {name: Bad Name}
defaults: {mode: loud}
rules:
  - id: x
    type: pre
    tol: Bash
    when:
      args.x: {contans: a}
    then: {action: warn}
  - id: x
    type: sandbox
    tool: Bash
    not_within: [/etc]
    message: ""
`)
  const seen = errorsOf(result).map(({ code, line, column, path }) => `${line}:${column} ${code} ${path}`)
  expect(seen).toEqual([
    '1:13 doc.api_version /apiVersion',
    '3:18 doc.name /metadata/name',
    '4:18 doc.mode /defaults/mode',
    '6:5 rule.tool /rules/0/tool',
    '8:5 doc.unknown_field /rules/0/tol',
    '10:16 expr.operator /rules/0/when/args.x/contans',
    '11:12 rule.message /rules/0/then/message',
    '11:20 rule.action /rules/0/then/action',
    '12:5 rule.within /rules/1/within',
    '12:9 rule.duplicate_id /rules/1/id',
    '15:5 sandbox.dep /rules/1/not_within',
    '16:14 rule.message /rules/1/message',
  ])
  expect(errorsOf(result).find((one) => one.code === 'expr.operator')?.hint).toBe('Did you mean `contains`?')
})

const rule = preRule('x')
const refusals: readonly (readonly [string, string, string])[] = [
  ['an empty document', '', 'doc.not_mapping'],
  ['a list', '- a', 'doc.not_mapping'],
  ['a missing kind', 'apiVersion: edictum/v1', 'doc.kind'],
  ['a workflow', 'apiVersion: edictum/v1\nkind: Workflow', 'doc.kind'],
  ['the list key of the other dialect', documentWith(rule).replace('rules:', 'contracts:'), 'doc.unknown_field'],
  ['no rules', documentWith('').replace('rules:', 'rules: []'), 'doc.rules'],
  ['rules that are no list', documentWith('  a: 1\n'), 'doc.rules'],
  ['a tool without side_effect', documentWith(rule, 'tools: {A: {}}\n'), 'tools.side_effect'],
  ['an id in capitals', documentWith(preRule('ABC')), 'rule.id'],
  ['an id with a line feed', documentWith(preRule('"a\\nb"')), 'rule.id'],
  ['a number for an id', documentWith(preRule('12')), 'rule.id'],
  ['the same id twice', documentWith(rule + rule), 'rule.duplicate_id'],
  ['an unknown type', documentWith(rule.replace('pre', 'before')), 'rule.type'],
  ['when that is a list', documentWith(rule.replace(/when:\n.*\n/, 'when: []\n')), 'rule.when'],
  ['then that is text', documentWith(rule.replace(/then:.*/, 'then: block')), 'rule.then'],
  [
    'two actions that disagree',
    documentWith(rule.replace('action: block', 'action: block, effect: approve')),
    'rule.action',
  ],
  ['a message of 501 characters', documentWith(rule.replace('Stopped', 'é'.repeat(501))), 'rule.message'],
  ['a timeout of zero', documentWith(rule.replace('Stopped', 'm, timeout: 0')), 'rule.timeout'],
  [
    'a timeout on a post rule',
    documentWith(rule.replace('pre', 'post').replace('Stopped', 'm, timeout: 5')),
    'doc.unknown_field',
  ],
  ['a reserved key', documentWith(rule.replace('    tool', '    _observe: true\n    tool')), 'rule.reserved'],
  [
    'empty limits',
    documentWith('  - {id: s, type: session, limits: {}, then: {action: block, message: m}}\n'),
    'rule.limits',
  ],
  [
    'a limit of zero',
    documentWith('  - {id: s, type: session, limits: {max_attempts: 0}, then: {action: block, message: m}}\n'),
    'rule.limits',
  ],
  [
    'ask for a session',
    documentWith('  - {id: s, type: session, limits: {max_attempts: 1}, then: {action: ask, message: m}}\n'),
    'rule.action',
  ],
  [
    'tool and tools',
    documentWith('  - {id: s, type: sandbox, tool: a, tools: [b], within: [/], message: m}\n'),
    'rule.tool',
  ],
  [
    'not_allows.domains alone',
    documentWith(
      '  - {id: s, type: sandbox, tool: a, allows: {commands: [a]}, not_allows: {domains: [b]}, message: m}\n',
    ),
    'sandbox.dep',
  ],
  ['all of nothing', documentWith(preRule('x', 'all: []')), 'expr.all'],
  ['any of text', documentWith(preRule('x', 'any: a')), 'expr.any'],
  ['not of a list', documentWith(preRule('x', 'not: []')), 'expr.not'],
  [
    'all beside any',
    documentWith(preRule('x', '{all: [{args.x: {exists: true}}], any: [{args.x: {exists: true}}]}')),
    'expr.shape',
  ],
  ['two operators', documentWith(preRule('x', 'args.x: {equals: 1, exists: true}')), 'expr.shape'],
  ['exists of text', documentWith(preRule('x', 'args.x: {exists: "yes"}')), 'expr.operand'],
  ['in of nothing', documentWith(preRule('x', 'args.x: {in: []}')), 'expr.operand'],
  ['gt of a boolean', documentWith(preRule('x', 'args.x: {gt: true}')), 'expr.operand'],
  ['contains_any of numbers', documentWith(preRule('x', 'args.x: {contains_any: [1]}')), 'expr.operand'],
  ['a pattern that does not compile', documentWith(preRule('x', 'args.x: {matches: "a("}')), 'expr.regex'],
  ['output.text before there is any', documentWith(preRule('x', 'output.text: {contains: a}')), 'expr.pre_output'],
  [
    'extends in the older dialect',
    documentWith(rule, 'extends: base\n').replace('Ruleset', 'ContractBundle').replace('rules:', 'contracts:'),
    'doc.unknown_field',
  ],
]

test.each(refusals)('%s is refused', (_, source, code) => {
  expect(codes(source)).toContain(code)
})

const hostile: readonly (readonly [string, string | Uint8Array, string, number])[] = [
  ['a byte order mark', `\uFEFF${documentWith(rule)}`, 'yaml.bom', 1],
  ['a byte order mark in bytes', new TextEncoder().encode(`\uFEFF${documentWith(rule)}`), 'yaml.bom', 1],
  ['invalid UTF-8', Uint8Array.from([...new TextEncoder().encode('a: 1\nb: '), 0xc3, 0x28]), 'yaml.encoding', 2],
  ['an unpaired surrogate', documentWith(rule).replace('Stopped', '\uD800'), 'yaml.character', 11],
  ['NUL', documentWith(rule).replace('Stopped', '\0'), 'yaml.nul', 11],
  ['another control character', documentWith(rule).replace('Stopped', '\u0007'), 'yaml.character', 11],
  ['a lone carriage return', documentWith(rule).replace('kind', '\rkind'), 'yaml.line_break', 2],
  ['a tag', documentWith(rule).replace('Stopped', '!!str x'), 'yaml.tag', 11],
  ['a tag that runs code elsewhere', 'a: !!python/object/apply:os.system [ls]', 'yaml.tag', 1],
  ['another YAML version', `%YAML 1.1\n---\n${documentWith(rule)}`, 'yaml.directive', 1],
  ['a merge key', documentWith(rule).replace('{name: sample}', '{<<: {name: sample}}'), 'yaml.merge', 3],
  ['a repeated key', documentWith(rule).replace('{name: sample}', '{name: sample, name: other}'), 'yaml.parse', 3],
  ['two documents', `${documentWith(rule)}---\n${documentWith(rule)}`, 'yaml.parse', 12],
  ['a number for a key', documentWith(rule).replace('{name: sample}', '{name: sample, 1: 2}'), 'yaml.key', 3],
  ['a mapping for a key', documentWith(rule).replace('{name: sample}', '{name: sample, {a: b}: 2}'), 'yaml.key', 3],
  ['a number that is none', documentWith(preRule('x', 'args.x: {equals: .nan}')), 'yaml.number', 10],
  ['an alias to itself', documentWith(rule).replace('Stopped', '"m", metadata: &a {b: *a}'), 'yaml.parse', 11],
  ['an alias to nothing', documentWith(rule).replace('Stopped', '*nobody'), 'yaml.parse', 11],
  ['an open quote', documentWith(rule).replace('Stopped', '"Stopped'), 'yaml.parse', 12],
  ['tabs for indentation', 'a:\n\tb: 1\n', 'yaml.parse', 2],
]

test.each(hostile)('%s is refused at its line', (_, source, code, line) => {
  const found = errorsOf(parseRuleset(source)).find((one) => one.code === code)
  expect(found, JSON.stringify(errorsOf(parseRuleset(source)))).toBeDefined()
  expect(found?.line).toBe(line)
})

test('aliases that multiply ("billion laughs") are refused by what they would become', () => {
  const levels = Array.from({ length: 9 }, (_, n) => `l${n + 1}: &l${n + 1} [${`*l${n}, `.repeat(9)}]`)
  const source = `l0: &l0 [lol]\n${levels.join('\n')}\n`
  const started = performance.now()
  expect(codes(source)).toContain('yaml.nodes')
  expect(performance.now() - started).toBeLessThan(500)
})

test('aliases and anchors around conditions and messages are followed', () => {
  const source = documentWith(
    `${preRule('a', 'args.x: &test {matches: "^a"}').replace('Stopped', '&m Stopped')}${preRule('b', 'args.y: *test').replace('Stopped', '*m')}`,
  )
  const result = parseRuleset(source)
  expect(result.ok && result.ruleset.rules[1]).toMatchObject({
    when: { operator: 'matches' },
    then: { message: 'Stopped' },
  })
})

test('__proto__ is a key like any other', () => {
  const source = documentWith(
    rule.replace('Stopped', 'm, metadata: {__proto__: {a: 1}}'),
    'tools: {__proto__: {side_effect: read}}\n',
  )
  const result = parseRuleset(source)
  if (!result.ok || result.ruleset.rules[0]?.type !== 'pre') throw new Error('not read')
  expect(result.ruleset.tools[0]?.name).toBe('__proto__')
  expect(Object.keys(result.ruleset.rules[0].then.metadata)).toEqual(['__proto__'])
  expect(({} as Record<string, unknown>)['a']).toBeUndefined()
})

test.each([
  ['yes', 'a boolean'],
  ['2024-01-01', 'a date'],
  ['1:30', 'a number (base 60)'],
  ['017', 'an octal number'],
  ['1e3', 'text'],
])('unquoted %s, which Python agents read as %s, is warned about', (word, what) => {
  const result = parseRuleset(documentWith(preRule('x', `args.x: {equals: ${word}}`)))
  expect(result.ok && result.diagnostics[0]).toMatchObject({ severity: 'warning', code: 'yaml.ambiguous', line: 10 })
  expect(result.diagnostics[0]?.message).toContain(what)
})

test('what loads with a warning: unknown selectors, costly patterns, words of the other dialect', () => {
  const warnings = (source: string): readonly string[] => {
    const result = parseRuleset(source)
    expect(result.ok, JSON.stringify(errorsOf(result))).toBe(true)
    return result.diagnostics.map((one) => one.code)
  }
  expect(warnings(documentWith(preRule('x', 'agent_id: {equals: a}')))).toEqual(['expr.selector'])
  expect(warnings(documentWith(preRule('x', 'args.x: {matches: "^(?!/srv/).*"}')))).toEqual(['expr.regex_costly'])
  expect(warnings(documentWith(rule.replace('action: block', 'effect: deny')))).toEqual([
    'doc.mixed_words',
    'doc.mixed_words',
  ])
  expect(parseRuleset(documentWith(preRule('x', 'agent_id: {equals: a}')), { isStrict: true }).ok).toBe(false)
})

test('custom operators and selectors load when they are announced', () => {
  const source = documentWith(preRule('x', 'team.name: {is_oncall: true}'))
  expect(parseRuleset(source).ok).toBe(false)
  expect(parseRuleset(source, { customOperators: ['is_oncall'], customSelectors: ['team'] })).toMatchObject({
    ok: true,
    diagnostics: [],
  })
})

test('whatever the bytes, parsing never throws, and refuses or accepts with positions inside the text', () => {
  let accepted = 0
  let runs = 0
  const valid = rulesetData(4).map((data) => stringify(data))
  const spoiled = fc
    .tuple(
      valid,
      fc.nat(),
      fc.constantFrom(
        '',
        ' ',
        '\n',
        '"',
        "'",
        '&a ',
        '*a',
        ': ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '#',
        '\t',
        '? ',
        '|',
        '\\',
        '!x ',
        '---\n',
        '\0',
      ),
      fc.nat({ max: 6 }),
    )
    .map(([text, where, what, cut]) => {
      const at = where % (text.length + 1)
      return text.slice(0, at) + what + text.slice(at + cut)
    })
  const bytes = fc.uint8Array({ maxLength: 200 })
  fc.assert(
    fc.property(
      fc.oneof({ weight: 4, arbitrary: valid }, { weight: 8, arbitrary: spoiled }, { weight: 1, arbitrary: bytes }),
      (source) => {
        runs += 1
        const result = parseRuleset(source)
        if (result.ok) accepted += 1
        else expect(errorsOf(result).length).toBeGreaterThan(0)
        const lines = (typeof source === 'string' ? source : new TextDecoder().decode(source)).split('\n')
        for (const { line, column, endLine } of result.diagnostics) {
          expect(line).toBeGreaterThanOrEqual(1)
          expect(endLine).toBeLessThanOrEqual(lines.length)
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1)
        }
      },
    ),
    { numRuns: 1_500 },
  )
  // A generator that never passes would prove nothing.
  expect(accepted / runs).toBeGreaterThan(0.2)
})
