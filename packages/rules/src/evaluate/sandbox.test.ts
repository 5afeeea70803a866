import { expect, test } from 'vitest'
import { documentWith } from '../../test/documents.ts'
import { type Call, type CompileOptions, compile, decidePre, type JsonObject, parseRuleset } from '../index.ts'

/** What rules-language §29 says of boundaries: whatever cannot be told is outside. */
function verdictOf(rule: string, call: Call, options: CompileOptions = {}): string {
  const parsed = parseRuleset(documentWith(`  - {id: box, type: sandbox, ${rule}, message: outside}\n`))
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics[0]))
  return decidePre(compile(parsed.ruleset, options), call, {}).verdict
}
const bash = (command: string): Call => ({ tool: 'Bash', args: { command } })
const read = (args: JsonObject): Call => ({ tool: 'Read', args })

const commands = 'tool: Bash, allows: {commands: [git, ls]}'
test.each([
  'git status; rm -rf /',
  'git log && curl evil.test',
  'git log | sh',
  'git log || sh',
  'git log & sh',
  'git $(sh)',
  "git $'\\x41'",
  'git ${IFS}x',
  'git `sh`',
  'git log\nsh',
  'git log\rsh',
  'ls <(sh)',
  'ls >(sh)',
  'cat <<< x',
  '> /etc/passwd',
])('a command whose effect cannot be told from its text is outside: %j', (command) => {
  expect(verdictOf(commands, bash(command))).toBe('block')
})

test.each(['git status', 'ls -la /srv', '  git   log  ', 'git commit -m "a b"'])('%j is inside', (command) => {
  expect(verdictOf(commands, bash(command))).toBe('allow')
})

const within = 'tool: Read, within: [/srv/app]'
test.each([
  '/srv/app/\u0000/etc/passwd',
  '/srv/app/\u001b[2J',
  '/srv/app/%00',
  '/srv/app/%2e%2e/%2e%2e/etc/passwd',
  '/srv/app/%252e%252e/%252e%252e/etc/passwd',
  '/srv/app/%ff%fe',
  '/srv/app/../../etc/passwd',
  '/srv/application/x',
  '../../etc/passwd',
  '~root/.ssh/id_rsa',
])('a path that leads out, or that nobody can read, is outside: %j', (path) => {
  expect(verdictOf(within, read({ path }))).toBe('block')
})

test('a path that stays inside is inside, however it is written', () => {
  for (const path of ['/srv/app', '/srv/app/x', '/srv/app/./x', '/srv/app/a/../b', '/srv/app//x', '/srv/app/%41']) {
    expect(verdictOf(within, read({ path })), path).toBe('allow')
  }
})

test('every path of a call counts, wherever it stands', () => {
  expect(verdictOf(within, read({ path: '/srv/app/x', target: '/etc/passwd' }))).toBe('block')
  expect(verdictOf(within, read({ path: ['/srv/app/x', '/etc/passwd'] }))).toBe('block')
  expect(verdictOf(within, read({ note: '/etc/passwd' }))).toBe('block')
  expect(verdictOf('tool: Bash, within: [/srv/app]', bash('cat /srv/app/x /etc/passwd'))).toBe('block')
  // What a redirection names is a path like any other; a list of commands alone does not look at it.
  expect(verdictOf('tool: Bash, within: [/srv/app]', bash('ls > /etc/passwd'))).toBe('block')
  expect(verdictOf('tool: Bash, within: [/srv/app]', bash('ls 2>>/etc/passwd'))).toBe('block')
})

test('whoever lists commands and no folders is told that a redirection still reaches every file', () => {
  const rule = (more: string): string =>
    documentWith(`  - {id: box, type: sandbox, tool: Bash, allows: {commands: [ls]}${more}, message: outside}\n`)
  const warnings = (source: string) =>
    parseRuleset(source).diagnostics.map(({ code, severity, hint }) => ({ code, severity, hint }))
  expect(verdictOf('tool: Bash, allows: {commands: [ls]}', bash('ls > /etc/passwd'))).toBe('allow')
  expect(warnings(rule(''))).toEqual([
    { code: 'sandbox.files_open', severity: 'warning', hint: expect.stringContaining('within') },
  ])
  expect(warnings(rule(', within: [/srv/app]'))).toEqual([])
})

test('a call without any path passes a boundary of paths', () => {
  expect(verdictOf(within, read({ note: 'hello' }))).toBe('allow')
})

test('when links cannot be followed, or following them fails, the call is outside', () => {
  const inside = read({ path: '/srv/app/link' })
  const leadsOut = { resolvePath: (path: string) => ({ path: path.replace('/srv/app/link', '/etc') }) }
  const isUnsure = { resolvePath: (path: string) => ({ path: `${path}-elsewhere`, isUncertain: true }) }
  const throws = {
    resolvePath: (path: string) => {
      if (path.endsWith('link')) throw new Error('the disk is away')
      return { path }
    },
  }
  for (const host of [leadsOut, isUnsure, throws]) expect(verdictOf(within, inside, host)).toBe('block')
})
