import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { asAnnotation } from './findings.ts'
import { readCases } from './read-cases.ts'
import { rulesCommand } from './rules-command.ts'

let folder: string

const guard = (extra = '') => `apiVersion: edictum/v1
kind: Ruleset
metadata: {name: guard}
defaults: {mode: enforce}
rules:
  - id: no-env
    type: pre
    tool: read_file
    when: {args.path: {contains: .env}}
    then: {action: block, message: "No {args.path}"}
  - id: large-refund
    type: pre
    tool: refund
    when: {args.cents: {gt: 100}}
    then: {action: ask, message: Ask.}
  - id: watched
    type: pre
    mode: observe
    tool: read_file
    when: {args.path: {exists: true}}
    then: {action: block, message: w}
  - id: cap
    type: session
    limits: {max_tool_calls: 3}
    then: {action: block, message: Enough.}
  - id: cards
    type: post
    tool: "*"
    when: {output.text: {contains: "4111"}}
    then: {action: warn, message: card}
${extra}`

const cases = `ruleset: rules/guard.yaml
cases:
  - name: nobody reads .env files
    call: {tool: read_file, args: {path: /srv/.env}}
    expect: block
    rule: no-env
    message: "/srv/.env"
  - name: large refunds are held
    call: {tool: refund, args: {cents: 101}}
    expect: hold
  - name: after the approval it runs
    call: {tool: refund, args: {cents: 101}, approved: [large-refund]}
    expect: allow
  - name: reading is watched
    call: {tool: read_file, args: {path: readme}}
    expect: allow
    observed: [watched]
  - name: the fourth call is too many
    call: {tool: other, args: {}, session: {executions: 3, attempts: 3}}
    expect: block
    rule: cap
  - name: card numbers are noticed
    call: {tool: other, args: {}, output: "4111 1111"}
    expect: allow
    fired: [cards]
`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-rules-'))
  await mkdir(join(folder, 'rules'))
  await write('rules/guard.yaml', guard())
  await write('guard.cases.yaml', cases)
})

afterAll(() => rm(folder, { recursive: true }))

const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text)
const path = (name: string): string => join(folder, name)

/** Runs a command as the shell would; answers what it printed and its exit code. */
async function run(...args: readonly string[]): Promise<{ readonly text: string; readonly code: number }> {
  let text = ''
  let code = 0
  const say = (more: string): void => void (text += more)
  const command = rulesCommand({ print: say, complain: say, exitWith: (given) => void (code = given) })
  for (const one of [command, ...command.commands]) one.configureOutput({ writeErr: say, writeOut: say })
  try {
    await command.parseAsync([...args], { from: 'user' })
  } catch (cause) {
    text += cause instanceof Error ? cause.message : ''
    code = cause instanceof Error && 'exitCode' in cause && cause.exitCode === 0 ? 0 : 2
  }
  return { text, code }
}

test('check says that a ruleset is fine, and exits with 0', async () => {
  expect(await run('check', path('rules/guard.yaml'))).toEqual({
    text: `${path('rules/guard.yaml')}: guard is fine, 5 rules\n`,
    code: 0,
  })
})

test('check tells every mistake with file, line and column, and exits with 1', async () => {
  await write(
    'bad.yaml',
    guard('  - {id: no-env, type: pre, tool: a, when: {args.q: {is: 1}}, then: {action: burn, message: m}}\n'),
  )
  const { text, code } = await run('check', path('bad.yaml'), path('rules/guard.yaml'))
  expect(code).toBe(1)
  expect(text).toMatch(new RegExp(`^${path('bad.yaml')}:31:\\d+: error: `, 'm'))
  expect(text.match(/error:/g)?.length).toBeGreaterThanOrEqual(2)
  expect(text).toContain('guard is fine')
  const json = await run('check', path('bad.yaml'), '--json')
  expect(json.code).toBe(1)
  const report: unknown = JSON.parse(json.text)
  expect(report).toMatchObject({
    ok: false,
    files: [
      {
        ok: false,
        findings: expect.arrayContaining([expect.objectContaining({ severity: 'error', line: 31 })]) as unknown[],
      },
    ],
  })
})

test('check writes annotations that GitHub reads, whatever is in them', async () => {
  const { text } = await run('check', path('bad.yaml'), '--format', 'github')
  for (const line of text.trimEnd().split('\n')) expect(line).toMatch(/^::(?:error|warning) file=[^:]*,line=\d+,.*::./)
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (file, code, message) => {
      const place = { line: 1, column: 1, endLine: 1, endColumn: 4 }
      const made = asAnnotation({ file, severity: 'error', ...place, code, message })
      // One line, and the only separators are those we wrote.
      expect(made.slice(0, -1)).not.toMatch(/[\r\n]/)
      expect(made.split('::').length).toBeGreaterThanOrEqual(3)
    }),
  )
})

test('check reads what a ruleset extends from beside it, and only from there', async () => {
  const child = (parent: string) =>
    `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: child}\ndefaults: {mode: enforce}\nextends: ${parent}\nrules: []\n`
  await write('rules/child.yaml', child('guard'))
  expect((await run('check', path('rules/child.yaml'))).code).toBe(0)
  await write('rules/lost.yaml', child('nobody'))
  expect((await run('check', path('rules/lost.yaml'))).code).toBe(1)
  await write('outside.yaml', guard())
  await write('rules/climber.yaml', child('"../outside"'))
  expect((await run('check', path('rules/climber.yaml'))).code).toBe(1)
})

test('a file that cannot be read exits with 2', async () => {
  expect((await run('check', path('no-such.yaml'))).code).toBe(2)
  expect((await run('test', path('no-such.yaml'))).code).toBe(2)
})

test('test runs every case and counts them', async () => {
  const { text, code } = await run('test', path('guard.cases.yaml'))
  expect(text).toContain('6 passed, 0 failed')
  expect(code).toBe(0)
})

test('a case that fails says what was expected, what came and why, and exits with 1', async () => {
  await write('wrong.cases.yaml', cases.replace('expect: block\n    rule: no-env', 'expect: allow\n    rule: watched'))
  const { text, code } = await run('test', path('wrong.cases.yaml'))
  expect(code).toBe(1)
  expect(text).toContain('FAILED  nobody reads .env files')
  expect(text).toContain('expected allow, got block')
  expect(text).toContain('5 passed, 1 failed')
  const annotated = await run('test', path('wrong.cases.yaml'), '--format', 'github')
  expect(annotated.text).toMatch(/^::error file=.*wrong\.cases\.yaml,line=3,/)
})

test('a file of cases with a mistake tests nothing and says where', async () => {
  const mistakes = [
    cases.replace('expect: hold', 'expects: hold'),
    cases.replace('expect: hold', 'expect: maybe'),
    cases.replace('{tool: refund, args: {cents: 101}}', '{tol: refund}'),
    cases.replace('session: {', 'session: {count: 1, '),
    'ruleset: a.yaml\n',
    'ruleset: [\n',
    '',
  ]
  for (const [at, text] of mistakes.entries()) {
    await write(`mistake-${at}.yaml`, text)
    const { text: said, code } = await run('test', path(`mistake-${at}.yaml`))
    expect(code, said).toBe(1)
    expect(said).toMatch(/mistake-\d\.yaml:\d+:\d+: error: /)
    expect(said).toContain('0 passed, 0 failed')
  }
})

test('reading cases never throws, whatever the text', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((one) => `ruleset: a\ncases:\n  - ${one}`),
      ),
      (text) => {
        const read = readCases('x', text)
        if (!read.ok) expect(read.findings.length).toBeGreaterThan(0)
      },
    ),
  )
})

test('eval says the verdict and why, and the exit code says it to scripts', async () => {
  const file = path('rules/guard.yaml')
  const blocked = await run('eval', file, '--tool', 'read_file', '--args', '{"path": ".env"}')
  expect(blocked.code).toBe(1)
  expect(blocked.text).toMatch(/^block\n/)
  expect(blocked.text).toContain('no-env')
  expect((await run('eval', file, '--tool', 'refund', '--args', '{"cents": 500}')).code).toBe(3)
  const allowed = await run('eval', file, '--tool', 'refund', '--args', '{"cents": 5}', '--json')
  expect(allowed.code).toBe(0)
  const answer: unknown = JSON.parse(allowed.text)
  expect(answer).toMatchObject({ verdict: 'allow', decided_by: null })
  await write('call.json', '{"tool": "read_file", "args": {"path": ".env"}}')
  expect((await run('eval', file, '--call', path('call.json'))).code).toBe(1)
  for (const wrong of [[], ['--tool', 'a', '--args', '{'], ['--tool', 'a', '--call', path('call.json')]])
    expect((await run('eval', file, ...wrong)).code).toBe(2)
})

test('diff says what changes for an agent, and nothing about comments', async () => {
  await write('same.yaml', `# a comment\n${guard()}`)
  const same = await run('diff', path('rules/guard.yaml'), path('same.yaml'))
  expect(same).toEqual({ text: 'Nothing changes for an agent.\n', code: 0 })
  await write('other.yaml', guard().replace('gt: 100', 'gt: 200').replace('id: watched', 'id: seen'))
  const other = await run('diff', path('rules/guard.yaml'), path('other.yaml'))
  expect(other.code).toBe(1)
  expect(other.text).toContain('- pre rule watched')
  expect(other.text).toContain('+ pre rule seen')
  expect(other.text).toContain('~ pre rule large-refund')
  expect((await run('diff', path('bad.yaml'), path('other.yaml'))).code).toBe(2)
})

test('replay reads an export and says what would change; --fail-on makes it an error', async () => {
  const line = (n: number, tool: string, args: object, verdict = 'call_allowed') =>
    JSON.stringify({
      id: `e${n}`,
      at: new Date(1_770_000_000_000 - n * 1_000).toISOString(),
      environment: 'production',
      agent_id: 'bot',
      tool,
      verdict,
      mode: 'enforce',
      rule: null,
      call_id: `c${n}`,
      payload: { tool_args: args },
    })
  const lines = [
    line(1, 'read_file', { path: '.env' }),
    line(2, 'read_file', { path: 'readme' }),
    line(3, 'read_file', { path: '[REDACTED]' }),
    line(4, 'refund', { cents: 900 }),
    line(4, 'refund', { cents: 900 }, 'call_executed'),
  ]
  await write('events.jsonl', `${lines.join('\n')}\n`)
  const file = path('rules/guard.yaml')
  const { text, code } = await run('replay', file, '--events', path('events.jsonl'), '--json')
  expect(code).toBe(0)
  const outcome: unknown = JSON.parse(text)
  expect(outcome).toMatchObject({ counts: { calls: 4, newlyBlocked: 1, newlyHeld: 1, undecided: 1, same: 1 } })
  const told = await run('replay', file, '--events', path('events.jsonl'), '--fail-on', 'blocked')
  expect(told.code).toBe(1)
  expect(told.text).toContain('newly blocked  1')
  expect((await run('replay', file, '--events', path('events.jsonl'), '--fail-on', 'allowed')).code).toBe(0)
  const itself = await run(
    'replay',
    file,
    '--events',
    path('events.jsonl'),
    '--baseline',
    file,
    '--fail-on',
    'blocked,held',
  )
  expect(itself.code).toBe(0)
  await write('garbage.jsonl', 'not json\n')
  expect(await run('replay', file, '--events', path('garbage.jsonl'))).toMatchObject({
    code: 2,
    text: expect.stringContaining('line 1') as string,
  })
})

test('every command’s help has an example and its exit codes', async () => {
  for (const name of ['check', 'test', 'eval', 'diff', 'replay']) {
    const { text, code } = await run(name, '--help')
    expect(code).toBe(0)
    expect(text).toContain('Exit code')
    expect(text).toContain(`countersign rules ${name}`)
  }
})
