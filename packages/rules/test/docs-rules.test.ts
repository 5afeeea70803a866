import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  type Call,
  compile,
  decidePost,
  decidePre,
  defaultLimits,
  operators,
  parseRuleset,
  type Ruleset,
  renderings,
  servedBytesMax,
} from '../src/index.ts'

// The printed reference of the language says what the engine does: its tables name what there is, and its examples
// decide what stands below them.

const page = readFileSync(new URL('../../../docs/rules.md', import.meta.url), 'utf8')
const texts = [...page.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, text = '']) => text)

function read(text: string): Ruleset {
  const result = parseRuleset(text)
  expect(result.diagnostics, text.slice(0, 200)).toEqual([])
  if (!result.ok) throw new Error('not read')
  return result.ruleset
}

/** The first cells of the table whose header row begins so, as the words set in code in them. */
function firstCells(header: string): readonly string[] {
  const [, table = ''] = page.split(`\n${header}`)
  const rows = table.split('\n\n')[0]?.split('\n').slice(2) ?? []
  expect(rows.length, header).toBeGreaterThan(2)
  return rows.flatMap((row) => codeIn(row.split('|')[1] ?? ''))
}

function codeIn(text: string): readonly string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

test('every ruleset is read without a complaint, in both vocabularies', () => {
  expect(texts.length).toBe(4)
  for (const text of texts) {
    read(text)
    expect(renderings(text).ok).toBe(true)
  }
})

test('every example call is decided as the page says, by the rule it names', () => {
  const parts = page.split(/^```yaml\n/m).slice(1)
  let calls = 0
  for (const part of parts) {
    const [text = '', rest = ''] = part.split(/^```$/m)
    const compiled = compile(read(text))
    for (const [, json = '', verdict, by = ''] of rest.matchAll(/^\| `(\{.*\})` \| `(\w+)` \|(?: `([\w-]+)`)? \|$/gm)) {
      calls += 1
      const call: Call = JSON.parse(json)
      const decision = decidePre(compiled, call)
      expect([decision.verdict, decision.decidedBy?.name ?? ''], json).toEqual([verdict, by])
    }
  }
  expect(calls).toBe(12)
})

test('operators, selectors and kinds of rules are those there are', () => {
  expect([...firstCells('| Operator |')].sort()).toEqual([...operators].sort())
  for (const selector of firstCells('| Selector |')) {
    const type = /^(?:output|result)\./.test(selector) ? 'post' : 'pre'
    const action = type === 'post' ? 'warn' : 'block'
    read(
      documentOf(
        `{id: x, type: ${type}, tool: t, when: {${selector}: {exists: true}}, then: {action: ${action}, message: m}}`,
      ),
    )
  }
  const unknown = parseRuleset(documentOf('{id: x, type: none}'))
  const [finding] = unknown.diagnostics
  expect(codeIn(finding?.message ?? '')).toEqual(firstCells('| `type` |'))
})

test('what each type of rule may do is what the page says, and nothing else is taken', () => {
  const bodies = {
    pre: 'tool: t, when: {tool.name: {exists: true}}, then: {action: ACTION, message: m}',
    post: 'tool: t, when: {tool.name: {exists: true}}, then: {action: ACTION, message: m}',
    session: 'limits: {max_attempts: 1}, then: {action: ACTION, message: m}',
    sandbox: 'tool: t, within: [/srv], outside: ACTION, message: m',
  }
  for (const [type, body] of Object.entries(bodies)) {
    const row = page.split('\n').find((line) => line.startsWith(`| \`${type}\` |`)) ?? ''
    const allowed = codeIn(row.split('|')[4] ?? '').filter((word) => word !== 'outside')
    const taken = ['block', 'ask', 'warn', 'redact'].filter(
      (action) => parseRuleset(documentOf(`{id: x, type: ${type}, ${body.replace('ACTION', action)}}`)).ok,
    )
    expect([...allowed].sort(), type).toEqual(taken.sort())
  }
})

test('the numbers of the page are the engine’s', () => {
  const most = (what: string): string => new RegExp(`^\\| ${what} \\| ([\\d,]+)`, 'm').exec(page)?.[1] ?? ''
  const written = (number: number): string => number.toLocaleString('en-GB')
  expect(most('a text in the editor, or a file')).toBe(written(defaultLimits.documentBytes))
  expect(most('what agents are sent, in either vocabulary')).toBe(written(servedBytesMax))
  expect(most('rules')).toBe(written(defaultLimits.rules))
  expect(most('conditions inside conditions')).toBe(written(defaultLimits.expressionDepth))
  expect(most('a pattern')).toBe(written(defaultLimits.patternCharacters))
  expect(most('a message')).toBe(written(defaultLimits.messageCharacters))
  expect(most('rulesets that extend one another')).toBe(written(defaultLimits.extendsDepth))
})

test('the older words are those of the other rendering', () => {
  const [, text = ''] = texts
  const both = renderings(
    `${text.replace('{name: read-only}', '{name: x}').replace('action: block', 'action: ask\n      timeout: 5\n      timeout_action: block')}`,
  )
  if (!both.ok) throw new Error('not rendered')
  const [newer, older] = [both.renderings.ruleset.text, both.renderings.contractBundle.text]
  const rows = [...page.matchAll(/^\| `(\w+)` \| `(\w+)` \|$/gm)].map(
    ([, one = '', other = '']) => [one, other] as const,
  )
  expect(rows).toHaveLength(5)
  for (const [one, other] of rows) {
    expect(newer, one).toMatch(new RegExp(`\\b${one}\\b`))
    expect(older, other).toMatch(new RegExp(`\\b${other}\\b`))
    expect(older.replace(/message:.*/g, ''), one).not.toMatch(new RegExp(`\\b${one}\\b`))
  }
})

test('a value of the wrong kind fires, a missing one holds for nothing but its absence', () => {
  const fires = (when: string, args: Call['args']): boolean =>
    decidePre(
      compile(read(documentOf(`{id: x, type: pre, tool: t, when: ${when}, then: {action: block, message: m}}`))),
      { tool: 't', args },
    ).verdict === 'block'
  expect(fires('{args.amount: {gt: 100}}', { amount: '99' })).toBe(true)
  expect(fires('{args.owner: {not_equals: me}}', {})).toBe(false)
  expect(fires('{not: {args.owner: {equals: me}}}', {})).toBe(true)
})

test('sessions end where the page says', () => {
  const compiled = compile(
    read(
      documentOf(
        '{id: x, type: session, limits: {max_attempts: 10, max_tool_calls: 10}, then: {action: block, message: m}}',
      ),
    ),
  )
  const verdict = (attempts: number, executions: number): string =>
    decidePre(compiled, { tool: 't', args: {} }, { counters: { attempts, executions, perTool: {} } }).verdict
  expect([verdict(9, 0), verdict(10, 0), verdict(1, 9), verdict(1, 10)]).toEqual(['allow', 'block', 'allow', 'block'])
  const free = compile(read(texts[0] ?? ''))
  const byDefault = (attempts: number, executions: number): string =>
    decidePre(free, { tool: 't', args: {} }, { counters: { attempts, executions, perTool: {} } }).verdict
  expect([byDefault(499, 199), byDefault(500, 0), byDefault(1, 200)]).toEqual(['allow', 'block', 'block'])
})

test('card numbers of the example stay where they are', () => {
  const answer = decidePost(
    compile(read(texts[3] ?? '')),
    { tool: 'lookup_customer', args: {} },
    { result: 'pays with 4111 1111 1111 1111' },
  )
  expect(answer.result).toBe('pays with [REDACTED]')
})

function documentOf(rule: string): string {
  return `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: x}\ndefaults: {mode: enforce}\nrules:\n  - ${rule}\n`
}
