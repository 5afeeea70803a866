import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { stringify } from 'yaml'
import { documentWith, preRule } from '../../test/documents.ts'
import { type GeneratedCall, generatedCall, rulesetData } from '../../test/generate.ts'
import {
  type Call,
  type CompileOptions,
  compile,
  decidePost,
  decidePre,
  type Facts,
  type JsonValue,
  parseRuleset,
  type Ruleset,
  renderings,
} from '../index.ts'

vi.setConfig({ testTimeout: 120_000 })

function read(source: string): Ruleset {
  const result = parseRuleset(source)
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics[0]))
  return result.ruleset
}

function ask(
  source: string,
  call: Call,
  facts: Facts = {},
  options: CompileOptions = {},
): ReturnType<typeof decidePre> {
  return decidePre(compile(read(source), options), call, facts)
}

function parts({ call, counters, env }: GeneratedCall): readonly [Call, Facts] {
  return [call, { counters, env }]
}

test('both renderings of a ruleset decide alike', () => {
  fc.assert(
    fc.property(rulesetData(), fc.array(generatedCall, { minLength: 5, maxLength: 5 }), (data, calls) => {
      const both = renderings(stringify(data))
      if (!both.ok) throw new Error('not rendered')
      const one = compile(read(both.renderings.ruleset.text))
      const other = compile(read(both.renderings.contractBundle.text))
      for (const generated of calls) {
        const [call, facts] = parts(generated)
        expect(decidePre(one, call, facts)).toEqual(decidePre(other, call, facts))
      }
    }),
    { numRuns: 200 },
  )
})

test('an added block rule never turns a block into anything else', () => {
  fc.assert(
    fc.property(rulesetData(), rulesetData(3), generatedCall, fc.nat(), (data, more, generated, where) => {
      const rules = data['rules'] as unknown[]
      const added = (more['rules'] as { type: string; then?: { action: string } }[])
        .filter((rule) => rule.type === 'pre' && rule.then?.action === 'block')
        .map((rule, index) => ({ ...rule, id: `added${index}`, mode: 'enforce' }))
      const at = where % (rules.length + 1)
      const longer = { ...data, rules: [...rules.slice(0, at), ...added, ...rules.slice(at)] }
      const [call, facts] = parts(generated)
      const before = decidePre(compile(read(stringify(data))), call, facts)
      const after = decidePre(compile(read(stringify(longer))), call, facts)
      // Under an observing guard a block is let through, also one that now stands before a question.
      if (compile(read(stringify(data))).guardMode === 'observe') return
      const weight = { allow: 0, ask: 1, block: 2 }
      expect(weight[after.verdict]).toBeGreaterThanOrEqual(weight[before.verdict])
    }),
    { numRuns: 500 },
  )
})

test('hostile arguments neither throw nor take long', () => {
  const rules = [
    preRule('a', 'args.x.y.z: {equals: 1}'),
    preRule('b', 'args.command: {matches: "^(a+)+$"}'),
    preRule('c', 'args.command: {matches: "(?=(a+)+$)b"}').replace(
      'Stopped',
      '"{args.deep} {args.__proto__} {args.constructor}"',
    ),
    preRule('d', 'args.deep: {equals: {a: [1]}}'),
    '  - {id: s, type: sandbox, tool: "*", within: [/srv], allows: {domains: ["*.test"], commands: [ls]}, message: "no {args.path}"}\n',
  ].join('')
  const compiled = compile(read(documentWith(rules)))
  let deep: JsonValue = 1
  for (let level = 0; level < 10_000; level += 1) deep = level % 2 === 0 ? [deep] : { a: deep }
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`k${n}`, n]))
  const hostile: Call['args'][] = [
    { deep },
    { command: 'a'.repeat(1_000_000) },
    { command: `${'a'.repeat(50_000)}!` },
    { command: "'".repeat(100_000) },
    { path: '../'.repeat(100_000), url: 'https://'.repeat(10_000) },
    { path: '%25'.repeat(50_000) },
    many,
    JSON.parse('{"__proto__": {"x": 1}, "constructor": {"prototype": 1}}'),
    { command: '\ud800', path: '\ud800\0' },
  ]
  for (const args of hostile) {
    const started = process.threadCpuUsage()
    const decision = decidePre(compiled, { tool: 'Bash', args })
    expect(['allow', 'block', 'ask']).toContain(decision.verdict)
    decidePost(compiled, { tool: 'Bash', args }, { result: args })
    const { user, system } = process.threadCpuUsage(started)
    expect((user + system) / 1_000, Object.keys(args).slice(0, 3).join()).toBeLessThan(500)
  }
})

test('a test of the wrong type, or a spent budget, is a policy error and fires', () => {
  const wrong = ask(documentWith(preRule('x', 'args.n: {gt: 1000}')), { tool: 'Bash', args: { n: '99999' } })
  expect(wrong).toMatchObject({ verdict: 'block', policyError: true, decidedBy: { name: 'x', policyError: true } })
  const spent = ask(documentWith(preRule('x', 'args.n: {matches: "(?=(a+)+$)b"}')), {
    tool: 'Bash',
    args: { n: `${'a'.repeat(3_000)}!` },
  })
  expect(spent).toMatchObject({ verdict: 'block', policyError: true })
})

test('short circuit keeps its order: what comes before an error can hide it', () => {
  const call: Call = { tool: 'Bash', args: { n: 'text', t: true } }
  const fires = (when: string): boolean => ask(documentWith(preRule('x', when)), call).verdict === 'block'
  expect(fires('all: [{args.t: {equals: false}}, {args.n: {gt: 1}}]')).toBe(false)
  expect(fires('all: [{args.n: {gt: 1}}, {args.t: {equals: false}}]')).toBe(true)
  expect(fires('not: {args.n: {gt: 1}}')).toBe(true)
})

test('after an approval the rules behind it still have their say', () => {
  const source = documentWith(
    preRule('first').replace('action: block', 'action: ask, timeout: 60, timeout_action: allow') +
      preRule('second', 'args.y: {equals: 2}'),
  )
  const call: Call = { tool: 'Bash', args: { x: 1, y: 2 } }
  expect(ask(source, call)).toMatchObject({
    verdict: 'ask',
    decidedBy: { name: 'first' },
    hold: { timeoutSeconds: 60, timeoutAction: 'allow' },
  })
  expect(ask(source, call, { approved: new Set(['first']) })).toMatchObject({
    verdict: 'block',
    decidedBy: { name: 'second' },
  })
})

test('an observing guard lets a block through and says so, but still asks where asked to', () => {
  const source = documentWith(preRule('x').replace('    tool', '    mode: enforce\n    tool')).replace(
    'mode: enforce}',
    'mode: observe}',
  )
  expect(ask(source, { tool: 'Bash', args: { x: 1 } })).toMatchObject({
    verdict: 'allow',
    decidedBy: { name: 'x' },
    observed: [{ name: 'x' }],
  })
  const asking = source.replace('action: block', 'action: ask')
  expect(ask(asking, { tool: 'Bash', args: { x: 1 } }).verdict).toBe('ask')
})

test('an agent without session rules is stopped at its 500th attempt and after 200 executions', () => {
  const source = documentWith(preRule('x'))
  const at = (attempts: number, executions: number): string | undefined =>
    ask(source, { tool: 'Bash', args: {} }, { counters: { attempts, executions, perTool: {} } }).decidedBy?.name
  expect([at(499, 199), at(500, 0), at(1, 200)]).toEqual([undefined, 'max_attempts', 'max_tool_calls'])
})

test('candidates are noted and never decide', () => {
  const candidates = read(documentWith(preRule('x:candidate'.replace(':', '-'))))
  const decision = ask(
    documentWith(preRule('other', 'args.z: {exists: true}')),
    { tool: 'Bash', args: { x: 1 } },
    {},
    { candidates },
  )
  expect(decision).toMatchObject({ verdict: 'allow', observed: [{ name: 'x-candidate', isCandidate: true }] })
})

test('what a tool that only reads gave back is redacted, or suppressed; from any other it is only reported', () => {
  const rule = (action: string, when: string): string =>
    `  - {id: p, type: post, tool: "*", when: {${when}}, then: {action: ${action}, message: Secret}}\n`
  const run = (source: string, tool: string, result: JsonValue, options = {}): ReturnType<typeof decidePost> =>
    decidePost(compile(read(source), options), { tool, args: {} }, { result })
  const tools = 'tools: {Reader: {side_effect: read}}\n'
  const redact = documentWith(rule('redact', 'output.text: {matches: "sk-[a-z]+"}'), tools)
  expect(run(redact, 'Reader', 'a sk-abc b sk-d')).toMatchObject({
    result: 'a [REDACTED] b [REDACTED]',
    warnings: ['⚠️ Content redacted by p.'],
  })
  expect(run(redact, 'Reader', { a: ['sk-abc'] }).result).toEqual({ a: ['[REDACTED]'] })
  expect(run(redact, 'Writer', 'sk-abc')).toMatchObject({ result: 'sk-abc', isReplaced: false, passed: false })
  expect(run(redact, 'Writer', 'sk-abc', { enforcesOutputOnUnsafe: true }).result).toBe('[REDACTED]')
  const block = documentWith(rule('block', 'output.text: {contains: sk-}'), tools)
  expect(run(block, 'Reader', 'sk-abc')).toMatchObject({ result: '[OUTPUT SUPPRESSED] Secret', isSuppressed: true })
  const part = documentWith(rule('redact', 'result.token: {exists: true}'), tools)
  expect(run(part, 'Reader', { token: 'x', other: 'y' }).result).toEqual({ token: '[REDACTED]', other: 'y' })
})

test('messages are expanded once, cut by characters, and do not publish secrets', () => {
  const say = (message: string, args: Call['args'], env = {}): string | undefined =>
    ask(
      documentWith(preRule('x').replace('Stopped', JSON.stringify(message))),
      { tool: 'Bash', args: { x: 1, ...args } },
      { env },
    ).decidedBy?.message
  expect(say('{args.a} {args.b} {nothing} {}', { a: '{args.b}', b: 'B' })).toBe('{args.b} B {nothing} {}')
  expect(say('{args.a}', { a: `sk-${'a'.repeat(30)}` })).toBe('[REDACTED]')
  expect(say('{env.API_KEY}', {}, { API_KEY: 'anything' })).toBe('[REDACTED]')
  expect(say('{args.a}', { a: '😀'.repeat(300) })).toBe(`${'😀'.repeat(197)}...`)
  expect(say('{args.a}{args.a}{args.a}', { a: 'b'.repeat(200) })).toHaveLength(500)
})
