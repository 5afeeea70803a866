import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { compileGlob } from '../src/evaluate/glob.ts'
import { pathKeys } from '../src/evaluate/sandbox.ts'
import {
  type Compiled,
  type CompileOptions,
  compile,
  composeLayers,
  type Diagnostic,
  decidePost,
  decidePre,
  evaluateWorkflow,
  includeBaselines,
  initialWorkflowState,
  type JsonValue,
  operators,
  type ParentSource,
  type ParseResult,
  parseRuleset,
  parseWorkflow,
  type Ruleset,
  recordApproval,
  recordResult,
  renderings,
  resolveExtends,
  sideEffectOf,
  sideEffects,
} from '../src/index.ts'
import { defaultLimits, diagnosticsMax, type Limits, servedBytesMax } from '../src/limits.ts'
import { actionsOf } from '../src/read/rule-parts.ts'
import { exactSelectors, openSelectors, resultSelectors } from '../src/read/selector.ts'
import { words } from '../src/read/words.ts'
import { documentWith, errorsOf, preRule } from './documents.ts'
import { codeOf, outcomeOf, readPage, type Table, wholeOf } from './rules-page.ts'

// docs/rules.md holds what the engine does: its examples are compiled, its calls decided, its tables compared with the
// lists of the code. What it says in sentences is tried below, section by section.

const { examples, tables } = readPage()
const rulesets = examples.filter(({ text }) => !text.includes('kind: Workflow'))
const parents = new Map<string, ParentSource>(
  rulesets
    .filter(({ text }) => text.startsWith('apiVersion:'))
    .map(({ text }) => {
      const { metadata } = parse(text) as { readonly metadata: { readonly name: string } }
      return [metadata.name, { source: text, revision: 'printed' }]
    }),
)

/** The text an agent is sent, and nothing to complain of. */
function served(text: string): Ruleset {
  const resolved = resolveExtends(text, parents, { isServed: true, isStrict: true })
  expect(resolved.diagnostics, text).toEqual([])
  if (!resolved.ok) throw new Error('refused')
  expect(renderings(resolved.text).diagnostics, text).toEqual([])
  return resolved.ruleset
}

function tablesOf(heading: string): readonly Table[] {
  const found = tables.filter((table) => table.heading === heading)
  if (found.length === 0) throw new Error(`no table under ${heading}`)
  return found
}

function rowsOf(heading: string, which = 0): Table['rows'] {
  return tablesOf(heading)[which]?.rows ?? []
}

function namesIn(rows: Table['rows']): readonly string[] {
  return rows.flatMap(([cell]) => codeOf(cell))
}

function compiled(text: string, options: CompileOptions = {}): Compiled {
  const parsed = parseRuleset(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics))
  return compile(parsed.ruleset, options)
}

function compiledRules(rules: string, head = '', options: CompileOptions = {}): Compiled {
  return compiled(documentWith(rules.replaceAll(/^(?=.)/gm, '  '), head), options)
}

function findings({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] }): readonly string[] {
  return diagnostics.map(({ severity, code }) => `${severity} ${code}`)
}

test('every example is a ruleset or a workflow that is accepted in either dialect, without a warning', () => {
  expect(rulesets.length).toBeGreaterThan(12)
  for (const example of rulesets) served(wholeOf(example))
  for (const { text } of examples.filter((one) => !rulesets.includes(one))) {
    expect(parseWorkflow(text)).toMatchObject({ ok: true, diagnostics: [] })
    expect(findings(parseRuleset(text))).toEqual(['error doc.kind'])
  }
  expect(examples.length - rulesets.length).toBe(1)
})

const calls = tables
  .filter(({ head }) => head[0] === 'Call')
  .flatMap(({ rows, example, heading }) =>
    rows.map(([call = '', says = '']) => ({ heading, call: codeOf(call)[0] ?? '', says, example })),
  )

test("the README's ruleset does what the README says of it", () => {
  const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
  const ruleset = served(/^```yaml\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? '')
  const says = (path: string) => decidePre(compile(ruleset), { tool: 'read_file', args: { path } }).verdict
  expect([says('/etc/hosts'), says('.env')]).toEqual(['allow', 'block'])
})

test('there are calls to try, and every example but those without any is tried', () => {
  expect(calls.length).toBeGreaterThan(70)
})

test.each(calls)('$heading: what becomes of $call', ({ call, says, example }) => {
  if (!example) throw new Error('no example above')
  expect(outcomeOf(compile(served(wholeOf(example))), call)).toBe(says)
})

test('the second document is the first one in the older dialect, word for word, and the words are those of the table', () => {
  const [first, second] = rulesets
  const rendered = renderings(first?.text ?? '')
  expect(rendered.ok && rendered.renderings.contractBundle.text).toBe(second?.text)
  const pairs = rowsOf('The two dialects').map((row) => row.map((cell) => codeOf(cell)[0]?.replace('kind: ', '')))
  expect(pairs).toEqual(Object.values(words).map(({ Ruleset, ContractBundle }) => [Ruleset, ContractBundle]))
})

// What the reader knows in each place, as it says itself of a field that it does not know.

type Data = { [key: string]: unknown }
const oddField = 'z'.repeat(30)

function known(refused: { readonly diagnostics: readonly Diagnostic[] }): readonly string[] {
  const [hint = ''] = refused.diagnostics.flatMap((one) => (one.message.includes(oddField) ? [one.hint ?? ''] : []))
  const found = /^Known here: (.*)\.$/.exec(hint)?.[1]
  if (found === undefined) throw new Error(`nothing is said of the odd field: ${JSON.stringify(refused.diagnostics)}`)
  return found.split(', ').toSorted()
}

const document: Data = {
  apiVersion: 'edictum/v1',
  kind: 'Ruleset',
  metadata: { name: 'one', description: 'all of it' },
  defaults: { mode: 'enforce' },
  tools: { Read: { side_effect: 'read', idempotent: true } },
  observe_alongside: false,
  observability: {
    stdout: true,
    file: null,
    otel: {
      enabled: true,
      endpoint: 'https://otel.example.com',
      protocol: 'grpc',
      service_name: 'one',
      insecure: false,
      resource_attributes: { team: 'one' },
    },
  },
  rules: [],
}
const told = { action: 'block', message: 'no', tags: ['a'], metadata: { any: [1] } }
const head = { enabled: true, mode: 'enforce' }
const samples: Readonly<Record<keyof typeof actionsOf, Data>> = {
  pre: {
    ...{ id: 'one', type: 'pre', ...head, tool: 'a', when: { 'args.x': { equals: 1 } } },
    then: { ...told, timeout: 10, timeout_action: 'allow' },
  },
  post: { id: 'one', type: 'post', ...head, tool: 'a', when: { 'args.x': { equals: 1 } }, then: told },
  session: {
    ...{ id: 'one', type: 'session', ...head, then: told },
    limits: { max_tool_calls: 1, max_attempts: 1, max_calls_per_tool: { a: 1 } },
  },
  sandbox: {
    ...{ id: 'one', type: 'sandbox', ...head, tools: ['a'], within: ['/a'], not_within: ['/a/b'], message: 'no' },
    ...{ allows: { commands: ['ls'], domains: ['*'] }, not_allows: { domains: ['b'] } },
    ...{ outside: 'ask', timeout: 10, timeout_action: 'allow' },
  },
}

/** Reads the document with one rule, changed at a dotted place. */
function readWith(
  type: keyof typeof actionsOf,
  place: string,
  change: (parent: Data, key: string) => void,
): ParseResult {
  const data = structuredClone({ ...document, rules: [samples[type]] })
  const path = place.split('.')
  const key = path.pop() ?? ''
  let parent: Data = data
  for (const step of path) parent = parent[step] as Data
  change(parent, key)
  return parseRuleset(stringify(data))
}

function knownAt(place: string, type: keyof typeof actionsOf = 'pre'): readonly string[] {
  return known(readWith(type, `${place}${oddField}`, (parent, key) => Object.assign(parent, { [key]: 1 })))
}

/** Fields of a table that begin with a prefix, without it and without what is below them. */
function fieldsOf(rows: Table['rows'], prefix = ''): readonly string[] {
  const below = namesIn(rows).filter((name) => name.startsWith(prefix))
  const names = below.map((name) => name.slice(prefix.length)).filter((name) => !name.includes('.'))
  return names.toSorted()
}

test('the sample holds every field', () => {
  for (const type of Object.keys(samples) as (keyof typeof samples)[])
    expect(readWith(type, 'x', () => undefined).ok, type).toBe(true)
})

test('the tables of fields name what the reader knows, no more and no less', () => {
  const top = rowsOf('Fields of the document')
  expect(fieldsOf(top)).toEqual(knownAt(''))
  for (const place of ['metadata.', 'defaults.']) expect(fieldsOf(top, place)).toEqual(knownAt(place))
  expect(fieldsOf(rowsOf('Tools'))).toEqual(knownAt('tools.Read.'))
  const observability = rowsOf('Observability')
  expect([...fieldsOf(observability), 'otel'].toSorted()).toEqual(knownAt('observability.'))
  expect(fieldsOf(observability, 'otel.')).toEqual(knownAt('observability.otel.'))
  const common = fieldsOf(rowsOf('Rules', 1))
  const older: readonly string[] = Object.values(words).map(({ ContractBundle }) => ContractBundle)
  for (const type of ['pre', 'post', 'session', 'sandbox'] as const) {
    const knows = knownAt('rules.0.', type).filter((name) => !older.includes(name))
    expect([...common, ...fieldsOf(rowsOf(type))].toSorted(), type).toEqual(knows)
    if (type === 'sandbox') continue
    const then = rowsOf('Actions', 1).filter(([, , what = '']) => type === 'pre' || !what.startsWith('`pre` only'))
    expect(fieldsOf(then), type).toEqual(knownAt('rules.0.then.', type).filter((name) => !older.includes(name)))
  }
  expect(fieldsOf(rowsOf('session', 1))).toEqual(knownAt('rules.0.limits.', 'session'))
  for (const place of ['allows.', 'not_allows.'])
    expect(fieldsOf(rowsOf('sandbox'), place)).toEqual(knownAt(`rules.0.${place}`, 'sandbox'))
  const stage = `apiVersion: edictum/v1\nkind: Workflow\nmetadata: {name: a}\nstages: [{id: a, ${oddField}: 1}]`
  expect(fieldsOf(rowsOf('Workflows'))).toEqual(known(parseWorkflow(stage)))
})

test('what the tables call required is, and what they call optional may be left out', () => {
  const without = (type: keyof typeof samples, place: string): boolean =>
    readWith(type, place, (parent, key) => delete parent[key]).ok
  const tried = (rows: Table['rows'], place: string, type: keyof typeof samples = 'pre'): void => {
    for (const [name, needed = ''] of rows) {
      const at = `${place}${codeOf(name)[0] ?? ''}`
      if (needed.startsWith('required')) expect(without(type, at), `${type} without ${at}`).toBe(false)
      else if (needed.startsWith('optional') && !['extends', 'rules.0.allows.domains'].includes(at))
        expect(without(type, at), `${type} without ${at}`).toBe(true)
    }
  }
  tried(rowsOf('Fields of the document'), '')
  tried(rowsOf('Tools'), 'tools.Read.')
  for (const type of ['pre', 'post', 'session', 'sandbox'] as const) {
    tried(rowsOf('Rules', 1), 'rules.0.', type)
    tried(rowsOf(type), 'rules.0.', type)
  }
  tried(rowsOf('Actions', 1), 'rules.0.then.')
  tried([['`id`', 'required']], 'rules.0.')
  for (const [key, value] of [
    ['tool', 'b'],
    ['tools', undefined],
    ['within', undefined],
    ['allows', undefined],
  ] as const) {
    const changed = readWith('sandbox', `rules.0.${key}`, (parent, name) => Object.assign(parent, { [name]: value }))
    expect(changed.ok, key).toBe(false)
  }
  const bare = { id: 'one', type: 'sandbox', tool: 'a', message: 'no' }
  const read = (more: object): boolean => parseRuleset(stringify({ ...document, rules: [{ ...bare, ...more }] })).ok
  expect([read({}), read({ within: ['/a'] }), read({ allows: { domains: ['a'] } })]).toEqual([false, true, true])
  expect(read({ allows: { commands: ['ls'] } })).toBe(true)
  expect(readWith('session', 'rules.0.limits', (parent, key) => Object.assign(parent, { [key]: {} })).ok).toBe(false)
  expect(parseRuleset(stringify({ ...document, rules: undefined, extends: 'other' })).ok).toBe(true)
})

test('rule types, actions, side effects and their places are those of the code', () => {
  const types = rowsOf('Rules')
  expect(namesIn(types).toSorted()).toEqual(Object.keys(actionsOf).toSorted())
  for (const [type, , , actions] of types) {
    const name = codeOf(type)[0] as keyof typeof actionsOf
    expect(codeOf(actions).toSorted(), name).toEqual([...actionsOf[name]].toSorted())
  }
  const all = Object.entries(actionsOf).flatMap(([type, actions]) => actions.map((action) => [action, type] as const))
  expect(namesIn(rowsOf('Actions')).toSorted()).toEqual([...new Set(all.map(([action]) => action))].toSorted())
  for (const [action, places] of rowsOf('Actions')) {
    const name = codeOf(action)[0]
    const where = all.filter(([one]) => one === name).map(([, type]) => type)
    expect(codeOf(places).toSorted(), name).toEqual(where.toSorted())
  }
  expect(codeOf(rowsOf('Tools')[0]?.[2])).toEqual([...sideEffects])
})

test('the selectors are those the reader knows, and where they may stand', () => {
  const open = [...openSelectors, ...resultSelectors].map((prefix) => `${prefix}${prefix === 'env.' ? 'NAME' : 'PATH'}`)
  const rows = rowsOf('Selectors')
  expect(namesIn(rows.map(([name = '']) => [name])).toSorted()).toEqual(
    [...exactSelectors, ...open, 'output.text'].toSorted(),
  )
  for (const [name, , places] of rows) {
    const selector = codeOf(name)[0]
    const read = (type: string) =>
      parseRuleset(documentWith(preRule('one', `${selector}: {exists: true}`)).replace('pre', type)).diagnostics.length
    const where = ['pre', 'post'].filter((type) => read(type) === 0)
    expect(codeOf(places), selector).toEqual(where)
  }
})

const operandKinds: Readonly<Record<string, (operand: JsonValue) => boolean>> = {
  anything: () => true,
  'true or false': (operand) => typeof operand === 'boolean',
  'a list': (operand) => Array.isArray(operand) && operand.length > 0,
  'a text': (operand) => typeof operand === 'string',
  'a list of texts': isTexts,
  'a pattern': (operand) => typeof operand === 'string' && operand !== '',
  'a list of patterns': (operand) => isTexts(operand) && !operand.includes(''),
  'a number': (operand) => typeof operand === 'number',
}
const operands: readonly JsonValue[] = [true, 1, 'a', '', null, [], ['a'], ['a', ''], [1], {}]

function isTexts(operand: JsonValue): operand is readonly string[] {
  return Array.isArray(operand) && operand.length > 0 && operand.every((one) => typeof one === 'string')
}

test('the operators are those of the code, all of them', () => {
  expect(namesIn(rowsOf('Operators').map(([name = '']) => [name]))).toEqual([...operators])
})

test.each(rowsOf('Operators').map(([name, ...row]) => ({ operator: codeOf(name)[0] ?? '', row })))(
  '$operator takes what its row says, and holds for what it says',
  ({ operator, row }) => {
    const [takes = '', value = '', , example, holds, not] = row
    for (const operand of operands) {
      const rule = preRule('one', `args.x: {${operator}: ${JSON.stringify(operand)}}`)
      expect(parseRuleset(documentWith(rule)).ok, JSON.stringify(operand)).toBe(operandKinds[takes]?.(operand))
    }
    const test = compiledRules(`${preRule('one', `args.x: ${codeOf(example)[0]}`)}`.replaceAll(/^ {2}/gm, ''))
    const fires = (args: { readonly [key: string]: JsonValue }) => {
      const { verdict, policyError } = decidePre(test, { tool: 'Bash', args })
      return policyError ? 'error' : verdict === 'block'
    }
    const read = (cell: string | undefined): JsonValue => parse(codeOf(cell)[0] ?? '') as JsonValue
    expect([fires({ x: read(holds) }), fires({ x: read(not) })]).toEqual([true, false])
    expect([fires({}), fires({ x: null })], 'missing').toEqual([false, false])
    const kinds = { text: 'a', number: 1, boolean: true, list: ['a'], object: { a: 1 } }
    for (const [kind, one] of Object.entries(kinds))
      expect(fires({ x: one }) === 'error', `${kind}`).toBe(value !== 'any' && value !== kind)
  },
)

test('patterns of tools match what the table says', () => {
  for (const [pattern, matching, other] of rowsOf('tool')) {
    const glob = compileGlob(codeOf(pattern)[0] ?? '')
    expect(glob(codeOf(matching)[0] ?? ''), pattern).toBe(true)
    if (other) expect(glob(codeOf(other)[0] ?? ''), pattern).toBe(false)
  }
})

const limitWords: Readonly<Record<keyof Limits, string>> = {
  documentBytes: 'a document that is only read',
  lines: 'lines',
  nesting: 'collections in collections',
  nodes: 'nodes, aliases written out',
  aliases: 'aliases',
  anchors: 'anchors',
  keysPerMapping: 'keys of one mapping',
  keyCharacters: 'characters of a key',
  rules: 'rules',
  expressionDepth: 'levels of `all`, `any` and `not`',
  patternCharacters: 'characters of a pattern',
  messageCharacters: 'characters of a message',
  nameCharacters: 'characters of a name, an id or a tool',
  extendsDepth: 'parents in a row',
}

test('the limits are those of the code, all of them', () => {
  const shown = (key: string, value: number): string => {
    if (!key.endsWith('Bytes')) return value.toLocaleString('en')
    return value >= 1024 ** 2 ? `${value / 1024 ** 2} MiB` : `${value / 1024} KiB`
  }
  const wanted = [
    ['a document that is served, in either dialect', shown('Bytes', servedBytesMax)],
    ...Object.entries(defaultLimits).map(([key, value]) => [limitWords[key as keyof Limits], shown(key, value)]),
    ['errors that are listed', shown('', diagnosticsMax)],
  ]
  const byName = (rows: readonly (readonly (string | undefined)[])[]) => rows.map((row) => row.join(': ')).toSorted()
  expect(byName(rowsOf('Limits'))).toEqual(byName(wanted))
})

test('a document: YAML that readers disagree about is refused or warned about, and a misspelled field is an error', () => {
  const read = (text: string | Uint8Array) => findings(parseRuleset(text))
  const fine = documentWith(preRule('one'))
  expect(read(fine)).toEqual([])
  expect(read(fine.replace('defaults:', 'metadata: {name: two}\ndefaults:'))).toEqual(['error yaml.parse'])
  expect(read(`${fine}---\n${fine}`)).toEqual(['error yaml.parse'])
  expect(read(fine.replace('{name: sample}', '{<<: {name: a}}'))).toContain('error yaml.merge')
  expect(read(fine.replace('sample', '!!str sample'))).toEqual(['error yaml.tag'])
  expect(read(fine.replace('{name:', '{1: a, name:'))).toEqual(['error yaml.key'])
  expect(read(`\uFEFF${fine}`)).toEqual(['error yaml.bom'])
  expect(read(new Uint8Array([...new TextEncoder().encode(fine), 0xff]))).toEqual(['error yaml.encoding'])
  expect(read(fine.replace('equals: 1', 'equals: .inf'))).toContain('error yaml.number')
  for (const word of ['no', 'on', '2026-01-31', '1:30'])
    expect(read(fine.replace('equals: 1', `equals: ${word}`)), word).toEqual(['warning yaml.ambiguous'])
  expect(read(fine.replace('equals: 1', 'equals: "no"'))).toEqual([])
  expect(read(fine.replace('tool: Bash', 'tool: &a Bash').replace('Stopped', '*a'))).toEqual([])
  expect(read(fine.replace('message:', 'metadata: {any: thing}, mesage: a, message:'))).toEqual([
    'error doc.unknown_field',
  ])
  expect(read(fine.replace('action: block', 'effect: deny'))).toEqual([
    'warning doc.mixed_words',
    'warning doc.mixed_words',
  ])
  expect(read(fine.replace('rules:', 'contracts:'))).toContain('error doc.unknown_field')
  const older = fine.replace('kind: Ruleset', 'kind: ContractBundle').replace('rules:', 'extends: a\ncontracts:')
  expect(read(older.replace('action: block', 'effect: deny'))).toEqual(['error doc.unknown_field'])
})

test('tools: exact names, the worst for those not listed, and Bash by its command', () => {
  const { tools } = compiledRules(
    '- {id: one, type: sandbox, tool: a, within: [/a], message: m}',
    'tools: {"a*": {side_effect: read}, Bash: {side_effect: pure}}\n',
  )
  const effect = (tool: string, command = '') => sideEffectOf({ tool, args: { command } }, tools)
  expect([effect('a*'), effect('ab'), effect('b')]).toEqual(['read', 'irreversible', 'irreversible'])
  for (const command of ['ls', 'cat a', 'git status']) expect(effect('Bash', command), command).toBe('read')
  for (const command of ['ls | sh', 'ls > a', 'make']) expect(effect('Bash', command), command).toBe('irreversible')
})

test('in which order: by type first, limits behind a yes, and each rule may ask once', () => {
  const rules = compiledRules(`
- {id: box, type: sandbox, tool: "*", within: [/a], message: m}
- {id: first, type: pre, tool: a, when: {tool.name: {exists: true}}, then: {action: ask, message: m}}
- {id: second, type: pre, tool: a, when: {tool.name: {exists: true}}, then: {action: ask, message: m}}
- {id: limit, type: session, limits: {max_tool_calls: 1}, then: {action: block, message: m}}
- {id: off, type: pre, tool: "*", enabled: false, when: {tool.name: {exists: true}}, then: {action: block, message: m}}
`)
  const says = (approved: readonly string[], path: string, executions = 0, attempts = 1) =>
    decidePre(
      rules,
      { tool: 'a', args: { path } },
      { approved: new Set(approved), counters: { attempts, executions, perTool: {} } },
    ).decidedBy?.name
  expect(says([], '/b')).toBe('first')
  expect(says(['first'], '/b')).toBe('second')
  expect(says(['first', 'second'], '/b', 1)).toBe('box')
  expect(says(['first', 'second'], '/a', 1)).toBe('limit')
  expect(says(['first', 'second'], '/a')).toBeUndefined()
  expect(says([], '/b', 1, 500)).toBe('max_attempts')
  const held = decidePre(rules, { tool: 'a', args: {} })
  expect(held.hold).toEqual({ timeoutSeconds: 300, timeoutAction: 'block' })
  const workflow = () => ({ verdict: 'block', stageId: 'stage', message: 'm' }) as const
  expect(decidePre(rules, { tool: 'b', args: {} }, { workflow }).decidedBy?.name).toBe('stage')
  const bad = '- {id: off, type: pre, tool: "*", enabled: false, when: {}, then: {action: block, message: m}}'
  expect(parseRuleset(documentWith(`  ${bad}`)).ok).toBe(false)
})

test('conditions: one key to a mapping, lists that hold something, and tags handed on', () => {
  for (const when of [
    '{args.a: {exists: true}, args.b: {exists: true}}',
    '{all: []}',
    '{any: []}',
    '{not: []}',
    '{args.a: {gt: 1, lt: 2}}',
  ])
    expect(errorsOf(parseRuleset(documentWith(preRule('one', when).replace('\n      {', ' {')))).length, when).toBe(1)
  const example = rulesets.find(({ text }) => text.includes('id: production-writes'))
  if (!example) throw new Error('gone')
  const { decidedBy } = decidePre(compiled(wholeOf(example)), { tool: 'run_sql', args: { mode: 'write' } })
  expect(decidedBy).toMatchObject({ tags: ['sql', 'production'], metadata: { runbook: 'RB-12' } })
})

function fires(when: string, args: { readonly [key: string]: JsonValue }, env: Readonly<Record<string, string>> = {}) {
  return decidePre(compiled(documentWith(preRule('one', when))), { tool: 'Bash', args }, { env }).verdict === 'block'
}

test('selectors: own keys of objects, no lists, variables read as what they look like, and odd ones told', () => {
  expect(fires('args.order.total: {equals: 1}', { order: { total: 1 } })).toBe(true)
  expect(fires('args.list.0: {exists: true}', { list: ['a'] })).toBe(false)
  expect(fires('args.list.length: {exists: true}', { list: ['a'] })).toBe(false)
  expect(fires('args.constructor: {exists: true}', {})).toBe(false)
  expect(fires('args.a.b: {exists: true}', { 'a.b': 1 })).toBe(false)
  expect(fires('env.MAX: {equals: 5}', {}, { MAX: '5' })).toBe(true)
  expect(fires('env.ON: {equals: true}', {}, { ON: 'TRUE' })).toBe(true)
  expect(fires('environment: {equals: production}', {})).toBe(true)
  const read = (selector: string, isStrict = false) =>
    findings(parseRuleset(documentWith(preRule('one', `${selector}: {exists: true}`)), { isStrict }))
  expect([read('agent.id'), read('agent.id', true)]).toEqual([['warning expr.selector'], ['error expr.selector']])
  expect([read('output.text'), read('output.a'), read('result.a')]).toEqual([
    ['error expr.pre_output'],
    ['warning expr.selector'],
    ['warning expr.selector'],
  ])
})

test('equality converts nothing and compares what lists and objects hold', () => {
  expect([1, '1', true].map((x) => fires('args.x: {equals: 1.0}', { x }))).toEqual([true, false, false])
  expect(fires('args.x: {equals: {a: [1, {b: 2}]}}', { x: { a: [1, { b: 2 }] } })).toBe(true)
  expect(fires('args.x: {in: [[1], [2]]}', { x: [2] })).toBe(true)
})

test('what cannot be evaluated counts when it is reached, below not as well, and never behind what settles it', () => {
  const wrong = 'args.x: {contains: a}'
  const no = 'args.y: {equals: 1}'
  const yes = 'args.y: {equals: 0}'
  const says = (when: string) => {
    const { verdict, policyError } = decidePre(compiled(documentWith(preRule('one', when))), {
      tool: 'Bash',
      args: { x: 1, y: 0 },
    })
    return policyError ? 'error' : verdict === 'block'
  }
  expect(says(`not: {${wrong}}`)).toBe('error')
  expect([says(`all: [{${no}}, {${wrong}}]`), says(`all: [{${wrong}}, {${no}}]`)]).toEqual([false, 'error'])
  expect([says(`any: [{${yes}}, {${wrong}}]`), says(`any: [{${wrong}}, {${yes}}]`)]).toEqual([true, 'error'])
  // A costly pattern out of budget is one more.
  const costly = `args.x: {matches: '^(?=(a+)+$)(a+)+b'}`
  const long = decidePre(compiled(documentWith(preRule('one', costly))), {
    tool: 'Bash',
    args: { x: `${'a'.repeat(60)}!` },
  })
  expect([long.verdict, long.policyError]).toEqual(['block', true])
})

test("patterns: Python's, found anywhere in the first 10,000 characters, warned about when they are costly", () => {
  expect(fires(`args.x: {matches: '(?i)^DROP\\Z'}`, { x: 'drop' })).toBe(true)
  expect(fires(`args.x: {matches: '^\\w+$'}`, { x: 'été' })).toBe(true)
  expect(fires('args.x: {matches: b}', { x: `${'a'.repeat(9_999)}b` })).toBe(true)
  expect(fires('args.x: {matches: b}', { x: `${'a'.repeat(10_000)}b` })).toBe(false)
  for (const pattern of ['(?=a)', '(a)\\1', '(?>a)', 'a++'])
    expect(findings(parseRuleset(documentWith(preRule('one', `args.x: {matches: '${pattern}'}`)))), pattern).toEqual([
      'warning expr.regex_costly',
    ])
})

test('messages: cut at 200 and 500, without secrets by name or by look, the result in post rules only', () => {
  const said = (message: string, args: { readonly [key: string]: JsonValue }) =>
    decidePre(compiled(documentWith(preRule('one', 'tool.name: {exists: true}').replace('Stopped', `"${message}"`))), {
      tool: 'Bash',
      args,
    }).decidedBy?.message ?? ''
  expect(said('{args.x}', { x: 'a'.repeat(300) })).toHaveLength(200)
  expect(said('{args.x}{args.x}{args.x}', { x: 'a'.repeat(300) })).toHaveLength(500)
  expect(said('{args.password} {args.api_key}', { password: 'a', api_key: 'b' })).toBe('[REDACTED] [REDACTED]')
  expect(said('{args.x}', { x: `ghp_${'a'.repeat(36)}` })).toBe('[REDACTED]')
  expect(said('{output.text}', {})).toBe('{output.text}')
  const rule = preRule('one', 'tool.name: {exists: true}').replace('type: pre', 'type: post')
  const post = compiled(documentWith(rule.replace('Stopped', '"{output.text}"')))
  expect(decidePost(post, { tool: 'Bash', args: {} }, { result: 'hello' }).fired[0]?.message).toBe('hello')
})

test('post: a result is changed for reading tools only, unless the agent says otherwise; numbers stay; every rule runs', () => {
  const rules = `
- {id: all, type: post, tool: a, when: {output.text: {contains: x}}, then: {action: redact, message: m}}
- {id: last, type: post, tool: a, when: {output.text: {contains: x}}, then: {action: warn, message: m}}
`
  const result = { text: 'x', deep: ['y'], count: 7 }
  const changed = { text: '[REDACTED]', deep: ['[REDACTED]'], count: 7 }
  const after = (head: string, options: CompileOptions = {}) =>
    decidePost(compiledRules(rules, head, options), { tool: 'a', args: {} }, { result })
  expect(after('').result).toEqual(result)
  expect(after('').warnings).toHaveLength(2)
  for (const effect of ['pure', 'read']) expect(after(`tools: {a: {side_effect: ${effect}}}\n`).result).toEqual(changed)
  for (const effect of ['write', 'irreversible'])
    expect(after(`tools: {a: {side_effect: ${effect}}}\n`).result).toEqual(result)
  expect(after('', { enforcesOutputOnUnsafe: true })).toMatchObject({ result: changed })
  expect(after('').fired.map(({ name }) => name)).toEqual(['all', 'last'])
  const always = rules.replaceAll('output.text: {contains: x}', 'tool.name: {exists: true}')
  const reading = compiledRules(always, 'tools: {a: {side_effect: read}}\n')
  expect(decidePost(reading, { tool: 'a', args: {} }, { result }).result).toEqual(changed)
})

test('session: how many get through, what holds without a rule, and that rules only tighten', () => {
  const through = (rules: string, field: 'attempts' | 'executions' | 'perTool'): number => {
    const ruleset = compiledRules(`- {id: other, type: sandbox, tool: b, within: [/a], message: m}\n${rules}`)
    for (let before = 0; before < 2_000; before += 1) {
      const counters = { attempts: 1, executions: 0, perTool: {} }
      const more =
        field === 'perTool' ? { perTool: { a: before } } : { [field]: before + (field === 'attempts' ? 1 : 0) }
      if (decidePre(ruleset, { tool: 'a', args: {} }, { counters: { ...counters, ...more } }).verdict === 'block')
        return before
    }
    return Number.POSITIVE_INFINITY
  }
  const limit = (limits: string, id = 'one', message = 'm') =>
    `- {id: ${id}, type: session, limits: {${limits}}, then: {action: block, message: ${message}}}\n`
  const [calls, perTool, attempts] = rowsOf('session', 1)
  expect([calls?.[3], perTool?.[3], attempts?.[3]]).toEqual(['200', 'none', '500'])
  expect([calls?.[2], perTool?.[2], attempts?.[2]]).toEqual(['N', 'N', 'N − 1'])
  expect([through('', 'executions'), through('', 'attempts')]).toEqual([200, 499])
  expect(through('', 'perTool')).toBe(Number.POSITIVE_INFINITY)
  expect(through(limit('max_tool_calls: 7'), 'executions')).toBe(7)
  expect(through(limit('max_calls_per_tool: {a: 7}'), 'perTool')).toBe(7)
  expect(through(limit('max_calls_per_tool: {"a*": 7}'), 'perTool')).toBe(Number.POSITIVE_INFINITY)
  expect(through(limit('max_attempts: 7'), 'attempts')).toBe(6)
  expect(through(limit('max_tool_calls: 9') + limit('max_tool_calls: 4', 'two'), 'executions')).toBe(4)
  expect(through(limit('max_tool_calls: 900, max_attempts: 900'), 'executions')).toBe(200)
  expect(through(limit('max_tool_calls: 900, max_attempts: 900'), 'attempts')).toBe(499)
  const two = compiledRules(limit('max_tool_calls: 9') + limit('max_tool_calls: 4', 'two', 'n'))
  const at = (executions: number) =>
    decidePre(two, { tool: 'a', args: {} }, { counters: { attempts: 1, executions, perTool: {} } }).decidedBy?.name
  expect([at(4), at(9)]).toEqual(['two', 'one'])
})

function isOutside(
  rule: string,
  call: { readonly tool?: string; readonly args: { readonly [key: string]: JsonValue } },
): boolean {
  return (
    decidePre(compiledRules(`- {id: one, type: sandbox, tool: "*", message: m, ${rule}}`), { tool: 'a', ...call })
      .verdict === 'block'
  )
}

test('sandbox: the arguments that are paths are those of the table', () => {
  const [byName, byLooks] = rowsOf('sandbox', 2)
  expect(codeOf(byName?.[1]).toSorted()).toEqual([...pathKeys].toSorted())
  for (const key of pathKeys) {
    expect(isOutside('within: [/a]', { args: { [key]: 'b' } }), key).toBe(true)
    expect(isOutside('within: [/a]', { args: { [key]: ['b'] } }), key).toBe(true)
  }
  expect(codeOf(byLooks?.[1])).toEqual(['/', './', '../', '~', '..', '../', 'file:///'])
  for (const text of ['/b', './b', '../b', '~/b', '..', 'b/../c', 'see file:///b'])
    expect(isOutside('within: [/a]', { args: { any: text } }), text).toBe(true)
  for (const text of ['b/c', 'https://example.com/../b'])
    expect(isOutside('within: [/a]', { args: { any: text } }), text).toBe(false)
  expect(isOutside('within: [/a]', { args: { any: ['/b'], deep: { path: '/b' } } })).toBe(false)
})

test('sandbox: forms of paths', () => {
  const path = (text: string) => isOutside('within: [/srv/app]', { args: { path: text } })
  expect(['/srv/app', '/srv/app/a', '/srv//app/./a'].map(path)).toEqual([false, false, false])
  expect(['/srv/app2', '/srv/app/%252e%252e/a', '/srv/app/a\u0000', 'a'].map(path)).toEqual([true, true, true, true])
  const here = compiledRules('- {id: one, type: sandbox, tool: a, within: [/srv/app], message: m}', '', {
    workingDirectory: '/srv/app',
    resolvePath: (path) => ({ path: path.replace('/srv/app/link', '/etc') }),
  })
  const verdict = (text: string, key = 'path') => decidePre(here, { tool: 'a', args: { [key]: text } }).verdict
  expect([verdict('a'), verdict('link/passwd')]).toEqual(['allow', 'block'])
  // What the page warns of: nobody finds these.
  const missed = ['secrets/key', '~/.ssh/id', '$HOME/.ssh/id', '--file=/etc/passwd', '../../etc/passwd']
  for (const word of missed) expect(verdict(`cat ${word}`, 'command'), word).toBe('allow')
})

test('sandbox: commands that do several things are outside, whatever the rule lists; what is not seen is not', () => {
  const command = (text: string, rule = 'allows: {domains: ["*"]}') => isOutside(rule, { args: { command: text } })
  for (const text of [
    'a;b',
    'a|b',
    'a&b',
    'a\nb',
    'a`b`',
    'a $(b)',
    `a \${b}`,
    "a $'b'",
    'a <(b)',
    'a >(b)',
    'a <<b',
    '> b',
  ])
    expect(command(text), text).toBe(true)
  for (const text of ['a b', 'a $HOME', 'a > b']) expect(command(text), text).toBe(false)
  for (const text of ['cat b', 'cd ..', 'a --file=/b', 'a -o/b'])
    expect(command(text, 'within: [/a]'), text).toBe(false)
  expect(command('a > /b', 'within: [/a]')).toBe(true)
  const alone = documentWith('  - {id: one, type: sandbox, tool: a, allows: {commands: [ls]}, message: m}')
  expect(findings(parseRuleset(alone))).toEqual(['warning sandbox.files_open'])
})

test('sandbox: hosts', () => {
  const host = (text: string, rule = 'allows: {domains: ["*.Example.com"]}') => isOutside(rule, { args: { any: text } })
  expect(['https://A.example.com:8443/x', 'a.b', 'see https://b.a.example.com'].map((text) => host(text))).toEqual([
    false,
    false,
    false,
  ])
  expect(['https://example.com', 'https://example.org', 'data://'].map((text) => host(text))).toEqual([
    true,
    true,
    true,
  ])
})

const then: Readonly<Record<string, string>> = {
  block: 'type: pre, tool: a, when: {tool.name: {exists: true}}, then: {action: block, message: m}',
  ask: 'type: pre, tool: a, when: {tool.name: {exists: true}}, then: {action: ask, message: m}',
  post: 'type: post, tool: a, when: {tool.name: {exists: true}}, then: {action: block, message: m}',
}

test.each(rowsOf('Modes').map(([fallback, own, ...cells]) => ({ fallback: codeOf(fallback)[0], own, cells })))(
  'modes: $fallback as default, $own in the rule',
  ({ fallback, own, cells }) => {
    const [block, ask, post] = cells
    for (const mode of own?.startsWith('none') ? ['', ...codeOf(own)] : codeOf(own)) {
      const outcome = (rule: 'block' | 'ask' | 'post'): string => {
        const text = documentWith(
          `  - {id: one, ${mode === '' ? '' : `mode: ${mode}, `}${then[rule]}}`,
          'tools: {a: {side_effect: read}}\n',
        ).replace('mode: enforce}', `mode: ${fallback}}`)
        const ruleset = compiled(text)
        const call = { tool: 'a', args: {} }
        if (rule === 'post') {
          const { isReplaced, fired } = decidePost(ruleset, call, { result: 'x' })
          if (isReplaced) return 'carried out'
          return fired.length === 1 && fired[0]?.isObserved ? 'noted' : 'nothing'
        }
        const { verdict, observed } = decidePre(ruleset, call)
        if (verdict !== 'allow') return verdict === 'block' ? 'blocked' : 'held'
        return observed.length === 1 ? 'noted' : 'nothing'
      }
      expect([outcome('block'), outcome('ask'), outcome('post')], mode).toEqual([block, ask, post])
    }
  },
)

test('modes: an observing default lets limits through, an observing session rule tightens nothing', () => {
  const rule =
    '- {id: one, type: session, mode: observe, limits: {max_tool_calls: 1}, then: {action: block, message: m}}'
  const facts = { counters: { attempts: 900, executions: 900, perTool: {} } }
  const observing = compiled(documentWith(`  ${rule}`).replace('{mode: enforce}', '{mode: observe}'))
  expect(decidePre(observing, { tool: 'a', args: {} }, facts).verdict).toBe('allow')
  const few = { counters: { attempts: 2, executions: 2, perTool: {} } }
  expect(decidePre(compiledRules(rule), { tool: 'a', args: {} }, few)).toMatchObject({
    verdict: 'allow',
    observed: [{ name: 'one' }],
  })
})

test('building on others: what a child inherits, and what a baseline keeps', () => {
  const parent = documentWith(preRule('old'), 'tools: {a: {side_effect: read}, b: {side_effect: read}}\n')
  const from = new Map([['parent', { source: parent, revision: 'one' }]])
  const child = (more: string, rules = preRule('new')) =>
    resolveExtends(documentWith(rules, `extends: parent\n${more}`).replace('{mode: enforce}', '{mode: observe}'), from)
  const made = child('tools: {a: {side_effect: write}}\n')
  if (!made.ok) throw new Error(JSON.stringify(made.diagnostics))
  expect(made.ruleset.rules.map(({ id, mode }) => [id, mode])).toEqual([
    ['old', undefined],
    ['new', undefined],
  ])
  expect(made.ruleset).toMatchObject({ defaultMode: 'observe', name: 'sample' })
  expect(made.ruleset.tools.map(({ name, sideEffect }) => `${name} ${sideEffect}`).toSorted()).toEqual([
    'a write',
    'b read',
  ])
  expect(made.text).not.toContain('extends:')
  expect(findings(child('', preRule('old')))).toEqual(['error extends.duplicate_id'])
  const own = documentWith(preRule('new')).replace('{mode: enforce}', '{mode: observe}')
  const based = includeBaselines(own, [{ name: 'parent', source: parent, revision: 'one' }])
  expect(based.ok && based.ruleset.rules.map(({ mode }) => mode)).toEqual(['enforce', undefined])
})

test('observe_alongside: a document by itself is enforced, a later layer only observes', () => {
  const text = documentWith(preRule('one', 'tool.name: {exists: true}'), 'observe_alongside: true\n')
  expect(decidePre(compiled(text), { tool: 'Bash', args: {} }).verdict).toBe('block')
  const read = (source: string) => compiled(source).ruleset
  const layers = composeLayers([
    { label: 'first', ruleset: read(documentWith(preRule('other'))) },
    { label: 'later', ruleset: read(text) },
  ])
  if (!layers.ok) throw new Error(layers.problem)
  expect(layers.ruleset.rules.map(({ id }) => id)).toEqual(['other'])
  expect(layers.candidates?.rules.map(({ id }) => id)).toEqual(['one'])
})

test('workflows: the example goes from reading over changing and a yes to the release', () => {
  const read = parseWorkflow(examples.find((one) => !rulesets.includes(one))?.text ?? '')
  if (!read.ok) throw new Error('refused')
  const { workflow } = read
  const facts = { now: '2026-01-31T00:00:00Z' }
  let state = initialWorkflowState(workflow)
  const run = (tool: string, args: { readonly [key: string]: string }): string => {
    const call = { tool, args }
    const { verdict, stageId, message, state: after } = evaluateWorkflow(workflow, state, call, facts)
    state = verdict === 'allow' ? recordResult(workflow, after, stageId, call, facts).state : after
    return `${stageId}: ${verdict === 'allow' ? 'allow' : message}`
  }
  expect(run('Edit', { file_path: 'a' })).toBe('read: Read the runbook first.')
  expect(run('Read', { file_path: 'RUNBOOK.md' })).toBe('read: allow')
  expect(run('Edit', { file_path: 'a' })).toBe('change: allow')
  expect(run('Bash', { command: 'git push' })).toBe('change: Not before it was approved.')
  expect(run('Deploy', {})).toBe('change: Run the tests first.')
  expect(run('Bash', { command: 'npm test' })).toBe('change: allow')
  expect(run('Deploy', {})).toBe('change: May this be released?')
  state = recordApproval(workflow, state, 'change')
  expect(run('Deploy', {})).toBe('release: Tool is not allowed in this workflow stage')
  expect(run('Bash', { command: 'git push' })).toBe('release: allow')
})

test('workflows: the conditions are those the reader knows', () => {
  const conditions = namesIn(rowsOf('Workflows', 1).map(([name = '']) => [name]))
  const read = (condition: string, allowsExec = false) =>
    parseWorkflow(
      stringify({
        apiVersion: 'edictum/v1',
        kind: 'Workflow',
        metadata: { name: 'one' },
        stages: [{ id: 'ID', exit: [{ condition }] }].map((stage) => ({ ...stage, id: 'id' })),
      }),
      { allowsExec },
    )
  const said = read('nonsense').diagnostics[0]?.message ?? ''
  const known = [...(/Known are (.*)$/.exec(said)?.[1] ?? '').matchAll(/(\w+)\(/g)].map(([, name]) => name)
  expect(known.length).toBeGreaterThan(5)
  expect([...new Set(conditions.map((one) => one.replace(/\(.*/, '')))].toSorted()).toEqual(known.toSorted())
  for (const condition of conditions) {
    const written = condition.replace('=N', '=1')
    expect(errorsOf(read(written, true)), written).toEqual([])
    expect(read(written).ok, written).toBe(!written.startsWith('exec'))
  }
  expect(findings(read('command_matches("^git\\s+push")'))).toEqual(['warning workflow.escape'])
  expect(findings(read('command_matches("^git\\\\s+push")'))).toEqual([])
})
