import fc from 'fast-check'

/** Words drawn small, so that generated rules and calls meet often. */
const tools = ['Bash', 'Read', 'Write', 'Fetch', 'mcp_db', 'search'] as const
const globs = ['*', '*', 'Bash', 'Read', 'Fetch', '*', 'mcp_*', '[RW]*', 'B?sh', 'search'] as const
const texts = [
  '',
  'rm -rf /',
  'git status',
  '/etc/passwd',
  '/srv/a.txt',
  'hello',
  'DROP TABLE users',
  'admin',
  'prod',
  '12',
] as const
const argKeys = ['command', 'path', 'url', 'q', 'n', 'deep'] as const
const patterns = [
  'rm\\s+-rf',
  '^git ',
  '(?i)drop\\s+table',
  '\\d+',
  '^(?!/srv/).*',
  'a|b|c',
  '/etc/.*',
  'hello$',
  '(a+)+$',
] as const

const json = fc.constantFrom<unknown>(...texts, 0, 1, 12, 1.5, true, false, null)
const preSelectors = [
  'args.command',
  'args.path',
  'args.q',
  'args.n',
  'args.deep.x',
  'tool.name',
  'environment',
  'principal.role',
  'principal.claims.team',
  'metadata.ticket',
  'env.REGION',
] as const

function test(selectors: readonly string[]): fc.Arbitrary<unknown> {
  const operand = fc.oneof(
    fc.record({ exists: fc.boolean() }),
    fc.record({ equals: json }),
    fc.record({ not_equals: json }),
    fc.record({ in: fc.array(json, { minLength: 1, maxLength: 3 }) }),
    fc.record({ not_in: fc.array(json, { minLength: 1, maxLength: 3 }) }),
    fc.record({ contains: fc.constantFrom('rm', '/', 'git', 'e', 'zzz') }),
    fc.record({ contains_any: fc.array(fc.constantFrom('rm', 'DROP', 'xx', 'hel'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ starts_with: fc.constantFrom('/', 'git', 'x') }),
    fc.record({ ends_with: fc.constantFrom('s', 'txt', '/') }),
    fc.record({ matches: fc.constantFrom(...patterns) }),
    fc.record({ matches_any: fc.array(fc.constantFrom(...patterns), { minLength: 1, maxLength: 3 }) }),
    fc.record({ gt: fc.constantFrom(0, 5, 100) }),
    fc.record({ lte: fc.constantFrom(0, 12, 1.5) }),
  )
  return fc.tuple(fc.constantFrom(...selectors), operand).map(([selector, one]) => ({ [selector]: one }))
}

function expression(selectors: readonly string[]): fc.Arbitrary<unknown> {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      test(selectors),
      test(selectors),
      fc.record({ all: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ any: fc.array(tie('tree'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ not: tie('tree') }),
    ),
  }))
  return tree
}

const message = fc.constantFrom(
  'Stopped',
  'No {args.command} here',
  'Role {principal.role}: {args.q} {nothing.here}',
  '{env.REGION}',
)
const mode = { mode: fc.constantFrom('enforce', 'enforce', 'observe') }
const tags = fc.array(fc.constantFrom('a', 'b', 'secrets'), { maxLength: 2 })

const pre = fc.record(
  {
    type: fc.constant('pre'),
    tool: fc.constantFrom(...globs),
    when: expression(preSelectors),
    then: fc.record(
      {
        action: fc.constantFrom('block', 'ask'),
        message,
        tags,
        timeout: fc.integer({ min: 1, max: 900 }),
        timeout_action: fc.constantFrom('block', 'allow'),
      },
      { requiredKeys: ['action', 'message'] },
    ),
    enabled: fc.constantFrom(true, true, true, false),
    ...mode,
  },
  { requiredKeys: ['type', 'tool', 'when', 'then'] },
)

const post = fc.record(
  {
    type: fc.constant('post'),
    tool: fc.constantFrom(...globs),
    when: expression(['output.text', 'result.status', 'args.q', 'output.text']),
    then: fc.record(
      { action: fc.constantFrom('warn', 'redact', 'block'), message, tags },
      { requiredKeys: ['action', 'message'] },
    ),
    ...mode,
  },
  { requiredKeys: ['type', 'tool', 'when', 'then'] },
)

const session = fc.record(
  {
    type: fc.constant('session'),
    limits: fc
      .record(
        {
          max_tool_calls: fc.integer({ min: 1, max: 12 }),
          max_attempts: fc.integer({ min: 1, max: 12 }),
          max_calls_per_tool: fc.constant({ Bash: 3, Read: 5 }),
        },
        { requiredKeys: [] },
      )
      .filter((limits) => Object.keys(limits).length > 0),
    then: fc.record({ action: fc.constant('block'), message }),
    ...mode,
  },
  { requiredKeys: ['type', 'limits', 'then'] },
)

const sandbox = fc
  .record(
    {
      type: fc.constant('sandbox'),
      tools: fc.array(fc.constantFrom(...globs), { minLength: 1, maxLength: 2 }),
      within: fc.array(fc.constantFrom('/srv', '/tmp', '/srv/sub/'), { minLength: 1, maxLength: 2 }),
      not_within: fc.constant(['/srv/secret']),
      allows: fc.record(
        {
          commands: fc.constant(['git', 'ls', 'cat']),
          domains: fc.constantFrom(['*.example.com', 'example.com'], ['api.test']),
        },
        { requiredKeys: [] },
      ),
      outside: fc.constantFrom('block', 'ask'),
      timeout_action: fc.constantFrom('block', 'allow'),
      message,
      ...mode,
    },
    { requiredKeys: ['type', 'tools', 'message', 'allows'] },
  )
  .map(({ not_within, ...rule }) => ('within' in rule && not_within ? { ...rule, not_within } : rule))

/** Data of an enforced rule that blocks, without an id. */
export const blockRule: fc.Arbitrary<Record<string, unknown>> = fc.record({
  type: fc.constant('pre'),
  tool: fc.constantFrom(...globs),
  when: expression(preSelectors),
  then: fc.record({ action: fc.constant('block'), message }),
  mode: fc.constant('enforce'),
})

/** Data of a valid `kind: Ruleset` document. */
export function rulesetData(rulesMax = 8): fc.Arbitrary<Record<string, unknown>> {
  const rule = fc.oneof({ weight: 5, arbitrary: pre }, { weight: 2, arbitrary: post }, session, sandbox)
  return fc
    .record(
      {
        metadata: fc.record(
          { name: fc.constantFrom('a', 'b.c', 'base-1'), description: fc.constantFrom('', 'one: two') },
          { requiredKeys: ['name'] },
        ),
        defaults: fc.record({
          mode: fc.constantFrom('enforce', 'enforce', 'enforce', 'enforce', 'enforce', 'enforce', 'observe'),
        }),
        tools: fc.constantFrom({ Read: { side_effect: 'read' }, Fetch: { side_effect: 'pure', idempotent: true } }, {}),
        rules: fc.array(rule, { minLength: 1, maxLength: rulesMax }),
      },
      { requiredKeys: ['metadata', 'defaults', 'rules'] },
    )
    .map(({ rules, ...head }) => ({
      apiVersion: 'edictum/v1',
      kind: 'Ruleset',
      ...head,
      rules: rules.map((one, index) => ({ id: `r${index}`, ...one })),
    }))
}

export interface GeneratedCall {
  readonly call: {
    readonly tool: string
    readonly args: Record<string, never>
    readonly environment?: string
    readonly principal: { readonly role: string | null; readonly claims: Record<string, never> } | null
    readonly metadata: Record<string, never>
  }
  readonly counters: {
    readonly attempts: number
    readonly executions: number
    readonly perTool: Record<string, number>
  }
  readonly env: Record<string, string>
}

export const generatedCall: fc.Arbitrary<GeneratedCall> = fc.record({
  call: fc.record(
    {
      tool: fc.constantFrom(...tools),
      args: fc.dictionary(
        fc.constantFrom(...argKeys),
        fc.oneof(
          json,
          fc.constantFrom(
            'https://api.example.com/x',
            'https://evil.test',
            '/srv/secret/x',
            '/srv/sub/../a',
            '/srv/%2e%2e/etc',
            'cat /etc/x',
            'ls; rm',
            'ls "/srv',
          ),
          fc.record({ x: json }),
          fc.array(json, { maxLength: 2 }),
        ),
      ),
      environment: fc.constantFrom('prod', 'staging'),
      principal: fc.option(fc.record({ role: fc.constantFrom('admin', null), claims: fc.constant({ team: 'admin' }) })),
      metadata: fc.constantFrom({}, { ticket: '12' }),
    },
    { requiredKeys: ['tool', 'args', 'principal', 'metadata'] },
  ),
  counters: fc.record({
    attempts: fc.integer({ min: 0, max: 10 }),
    executions: fc.integer({ min: 0, max: 10 }),
    perTool: fc.constantFrom({}, { Bash: 3 }, { Read: 9, Bash: 1 }),
  }),
  env: fc.constantFrom({}, { REGION: 'prod' }, { REGION: '12' }),
}) as fc.Arbitrary<GeneratedCall>
