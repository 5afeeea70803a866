import { expect, test } from 'vitest'
import { documentWith, errorsOf, preRule } from '../test/documents.ts'
import { parseRuleset } from './index.ts'

/** One condition under which a document is refused: where it says so, the word that names the field, and what to do. */
interface Refusal {
  readonly what: string
  readonly source: string
  readonly code: string
  readonly at: string
  readonly word: string
  readonly remedy: string
}

const rule = preRule('x')
const post = (then: string): string =>
  `  - {id: p, type: post, tool: a, when: {args.x: {exists: true}}, then: ${then}}\n`
const session = (rest: string): string => `  - {id: s, type: session, ${rest}}\n`
const box = (rest: string): string => `  - {id: b, type: sandbox, ${rest}}\n`
const deep = (levels: number): string => `${'{not: '.repeat(levels)}{args.x: {exists: true}}${'}'.repeat(levels)}`
const older = (source: string): string => source.replace('Ruleset', 'ContractBundle').replace('rules:', 'contracts:')

const table: readonly (readonly [string, string, string, string, string, string])[] = [
  ['more than a mebibyte', documentWith(`${rule}# ${'a'.repeat(1_048_576)}`), 'yaml.size', '1:1', 'too large', 'Split'],
  ['YAML that does not parse', 'a: [1', 'yaml.parse', '1:6', 'parse', ''],
  [
    'a repeated key',
    documentWith(rule).replace('{name: sample}', '{name: a, name: b}'),
    'yaml.parse',
    '3:21',
    'parse',
    'Remove one',
  ],
  ['two documents', `${documentWith(rule)}---\na: 1\n`, 'yaml.parse', '12:1', 'parse', 'one'],
  ['an empty document', '', 'doc.not_mapping', '1:1', 'mapping', 'apiVersion'],
  ['a list at the top', '- a\n', 'doc.not_mapping', '1:1', 'mapping', 'apiVersion'],
  [
    'no apiVersion',
    documentWith(rule).replace('apiVersion: edictum/v1\n', ''),
    'doc.api_version',
    '1:1',
    'apiVersion',
    'edictum/v1',
  ],
  ['another apiVersion', documentWith(rule).replace('v1', 'v9'), 'doc.api_version', '1:13', 'apiVersion', 'edictum/v1'],
  ['no kind', documentWith(rule).replace('kind: Ruleset\n', ''), 'doc.kind', '1:1', 'kind', 'Ruleset'],
  ['another kind', documentWith(rule).replace('Ruleset', 'Policy'), 'doc.kind', '2:7', 'kind', 'Ruleset'],
  [
    'an unknown key',
    documentWith(rule).replace('defaults:', 'defaultz: {}\ndefaults:'),
    'doc.unknown_field',
    '4:1',
    'defaultz',
    'Did you mean "defaults"',
  ],
  [
    'no metadata',
    documentWith(rule).replace('metadata: {name: sample}\n', ''),
    'doc.metadata',
    '1:1',
    'metadata',
    'name',
  ],
  [
    'metadata that is text',
    documentWith(rule).replace('{name: sample}', 'sample'),
    'doc.metadata',
    '3:11',
    'metadata',
    'name',
  ],
  ['no name', documentWith(rule).replace('{name: sample}', '{}'), 'doc.name', '3:11', 'name', 'name'],
  ['a name in capitals', documentWith(rule).replace('sample', 'Sample'), 'doc.name', '3:18', 'name', 'lower-case'],
  [
    'no defaults',
    documentWith(rule).replace('defaults: {mode: enforce}\n', ''),
    'doc.defaults',
    '1:1',
    'defaults',
    'mode',
  ],
  [
    'defaults that are a list',
    documentWith(rule).replace('{mode: enforce}', '[]'),
    'doc.defaults',
    '4:11',
    'defaults',
    'mode',
  ],
  ['no mode', documentWith(rule).replace('{mode: enforce}', '{}'), 'doc.mode', '4:11', 'mode', 'enforce'],
  ['another mode', documentWith(rule).replace('enforce', 'loud'), 'doc.mode', '4:18', 'mode', 'enforce'],
  ['no rules', documentWith(rule).replace(/rules:[^]*/, ''), 'doc.rules', '1:1', 'rules', 'rule'],
  ['an empty list of rules', documentWith('').replace('rules:', 'rules: []'), 'doc.rules', '5:8', 'rules', 'rule'],
  ['rules that are a mapping', documentWith('  a: 1\n'), 'doc.rules', '6:3', 'rules', 'rule'],
  [
    'a tool without side_effect',
    documentWith(rule, 'tools: {A: {}}\n'),
    'tools.side_effect',
    '5:12',
    'side_effect',
    'irreversible',
  ],
  [
    'another side_effect',
    documentWith(rule, 'tools: {A: {side_effect: some}}\n'),
    'tools.side_effect',
    '5:26',
    'side_effect',
    'irreversible',
  ],
  ['a rule that is text', documentWith('  - block everything\n'), 'rule.shape', '6:5', 'id', 'type'],
  ['no id', documentWith(rule.replace('id: x\n    ', '')), 'rule.id', '6:5', 'id', 'no-force-push'],
  ['an empty id', documentWith(preRule('""')), 'rule.id', '6:9', 'id', 'no-force-push'],
  ['an id with a control character', documentWith(preRule('"a\\u0007"')), 'rule.id', '6:9', 'id', 'lower-case'],
  ['an id of more than 10,000 characters', documentWith(preRule('a'.repeat(10_001))), 'rule.id', '6:9', 'id', '10000'],
  ['one id twice', documentWith(rule + rule), 'rule.duplicate_id', '12:9', 'Duplicate rule id "x"', 'id of its own'],
  ['no type', documentWith(rule.replace('    type: pre\n', '')), 'rule.type', '6:5', 'type', 'sandbox'],
  ['another type', documentWith(rule.replace('pre', 'before')), 'rule.type', '7:11', 'type', 'sandbox'],
  ['a pre rule without tool', documentWith(rule.replace('    tool: Bash\n', '')), 'rule.tool', '6:5', 'tool', 'tool'],
  [
    'a sandbox with neither tool nor tools',
    documentWith(box('within: [/], message: m')),
    'rule.tool',
    '6:6',
    'tool',
    'tool',
  ],
  [
    'a sandbox with both',
    documentWith(box('tool: a, tools: [b], within: [/], message: m')),
    'rule.tool',
    '6:44',
    'tool',
    'tools:',
  ],
  ['no when', documentWith(rule.replace(/ {4}when:\n.*\n/, '')), 'rule.when', '6:5', 'when', 'selector'],
  [
    'when that is a list',
    documentWith(rule.replace(/when:\n.*\n/, 'when: []\n')),
    'rule.when',
    '9:11',
    'when',
    'selector',
  ],
  ['no then', documentWith(rule.replace(/ {4}then:.*\n/, '')), 'rule.then', '6:5', 'then', 'action'],
  ['then that is text', documentWith(rule.replace(/then:.*/, 'then: block')), 'rule.then', '11:11', 'then', 'action'],
  ['no action', documentWith(rule.replace('action: block, ', '')), 'rule.action', '11:12', 'action', 'block or ask'],
  [
    'an action of another type of rule',
    documentWith(post('{action: ask, message: m}')),
    'rule.action',
    '6:81',
    'action',
    'warn',
  ],
  [
    'an action in the older dialect',
    older(documentWith(rule.replace('action: block', 'effect: stop'))),
    'rule.action',
    '11:20',
    'effect',
    'deny',
  ],
  ['no message', documentWith(rule.replace(', message: Stopped', '')), 'rule.message', '11:12', 'message', 'message'],
  [
    'a message that is a number',
    documentWith(rule.replace('Stopped', '5')),
    'rule.message',
    '11:36',
    'message',
    'quotes',
  ],
  ['an empty message', documentWith(rule.replace('Stopped', '""')), 'rule.message', '11:36', 'message', ''],
  [
    'a message of 501 characters',
    documentWith(rule.replace('Stopped', '😀'.repeat(501))),
    'rule.message',
    '11:36',
    'message',
    '500',
  ],
  [
    'no limits',
    documentWith(session('then: {action: block, message: m}')),
    'rule.limits',
    '6:6',
    'limits',
    'max_tool_calls',
  ],
  [
    'empty limits',
    documentWith(session('limits: {}, then: {action: block, message: m}')),
    'rule.limits',
    '6:36',
    'limits',
    'max_tool_calls',
  ],
  [
    'a limit of half a call',
    documentWith(session('limits: {max_attempts: 0.5}, then: {action: block, message: m}')),
    'rule.limits',
    '6:51',
    'limits',
    '1',
  ],
  ['a sandbox that bounds nothing', documentWith(box('tool: a, message: m')), 'rule.within', '6:6', 'within', 'allows'],
  ['all of nothing', documentWith(preRule('x', 'all: []')), 'expr.all', '10:12', 'all', 'at least one'],
  ['any of text', documentWith(preRule('x', 'any: a')), 'expr.any', '10:12', 'any', 'list'],
  ['not of a list', documentWith(preRule('x', 'not: []')), 'expr.not', '10:12', 'not', 'expression'],
  [
    'a pattern list that is text',
    documentWith(preRule('x', 'args.x: {matches_any: a}')),
    'expr.operand',
    '10:29',
    'matches_any',
    'list',
  ],
  ['a comparison with text', documentWith(preRule('x', 'args.x: {gt: "5"}')), 'expr.operand', '10:20', 'gt', 'number'],
  [
    'exists of text',
    documentWith(preRule('x', 'args.x: {exists: maybe}')),
    'expr.operand',
    '10:24',
    'exists',
    'true or false',
  ],
  ['51 levels of conditions', documentWith(preRule('x', deep(51))), 'expr.depth', '10:313', 'depth', 'Flatten'],
  [
    'an unknown operator',
    documentWith(preRule('x', 'args.x: {contans: a}')),
    'expr.operator',
    '10:16',
    'unknown operator "contans"',
    'contains',
  ],
  [
    'a pattern that does not compile',
    documentWith(preRule('x', 'args.x: {matches: "a("}')),
    'expr.regex',
    '10:25',
    'regex "a("',
    'Python',
  ],
  [
    'output.text before the tool ran',
    documentWith(preRule('x', 'output.text: {contains: a}')),
    'expr.pre_output',
    '10:7',
    'output.text',
    'post rule',
  ],
  [
    'not_within alone',
    documentWith(box('tool: a, allows: {commands: [ls]}, not_within: [/etc], message: m')),
    'sandbox.dep',
    '6:63',
    'not_within',
    'within',
  ],
  [
    'not_allows alone',
    documentWith(box('tool: a, within: [/], not_allows: {domains: [x]}, message: m')),
    'sandbox.dep',
    '6:50',
    'not_allows',
    'allows',
  ],
  [
    'not_allows.domains without allows.domains',
    documentWith(box('tool: a, allows: {commands: [ls]}, not_allows: {domains: [x]}, message: m')),
    'sandbox.dep',
    '6:76',
    'not_allows.domains',
    'allows.domains',
  ],
  [
    'the key _observe',
    documentWith(rule.replace('    tool', '    _observe: true\n    tool')),
    'rule.reserved',
    '8:5',
    '_observe',
    'mode: observe',
  ],
  [
    'the key _shadow',
    documentWith(rule.replace('    tool', '    _shadow: true\n    tool')),
    'rule.reserved',
    '8:5',
    '_shadow',
    'mode: observe',
  ],
]

const refusals: readonly Refusal[] = table.map(([what, source, code, at, word, remedy]) => {
  return { what, source, code, at, word, remedy }
})

test.each(refusals)(
  '$what is refused where it stands, with the word that names it and what to do',
  ({ source, code, at, word, remedy }) => {
    const errors = errorsOf(parseRuleset(source))
    const found = errors.find((one) => one.code === code)
    if (!found) throw new Error(JSON.stringify(errors))
    expect(`${found.line}:${found.column}`).toBe(at)
    expect(found.message.toLowerCase()).toContain(word.toLowerCase())
    expect(found.hint ?? '').not.toBe('')
    expect(`${found.message} ${found.hint}`).toContain(remedy)
  },
)

test('a type nobody knows does not hide what is wrong beside it', () => {
  const text = documentWith(rule.replace('pre', 'before').replace('tool: Bash', 'tool: [Bash]'))
  expect(parseRuleset(text).diagnostics.map(({ code }) => code)).toEqual(['rule.type', 'rule.tool'])
})

test.each([
  ['a: [\n', '['],
  ['a: {b: 1\n', '{'],
])('%j names the bracket that is open', (text, opener) => {
  const [finding] = parseRuleset(text).diagnostics
  expect(finding?.message).toContain(`a ${opener} above is not closed`)
})
