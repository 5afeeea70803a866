import { expect, onTestFinished, test, vi } from 'vitest'
import { askForMail, noSecrets, rulesetFile, rulesetOf, told } from '../test/rulesets.ts'
import { type AgentEvent, ApprovalDenied, type Ask, CallBlocked, GuardFailed, guard } from './index.ts'

async function guardOf(rules: string, more: { approve?: Ask; mode?: 'observe' } = {}) {
  const events: AgentEvent[] = []
  const { approve, mode } = more
  const file = await rulesetFile(rulesetOf('test', rules, mode))
  const made = await guard({ file, agentId: 'a1', onEvent: (event) => events.push(event), ...(approve && { approve }) })
  onTestFinished(() => made.close())
  return { ...made, events }
}

test('an allowed call runs with a copy of its arguments, and its beginning and end are reported', async () => {
  const { run, events } = await guardOf(noSecrets)
  const args = { path: 'README.md' }
  const result = await run({ tool: 'read_file', args }, (copy) => {
    expect(copy).toEqual(args)
    expect(copy).not.toBe(args)
    return 'text'
  })
  expect(result).toBe('text')
  expect(told(events)).toEqual(['call_allowed', 'call_executed'])
  expect(events[0]).toMatchObject({ agent_id: 'a1', environment: 'production', tool_args: args, policy_error: false })
})

test('a blocked call is not made, says which rule and why, and is reported', async () => {
  const { run, events } = await guardOf(noSecrets)
  const execute = vi.fn()
  const blocked = run({ tool: 'read_file', args: { path: 'shop/.env' } }, execute)
  await expect(blocked).rejects.toThrow(CallBlocked)
  await expect(blocked).rejects.toMatchObject({
    code: 'rule',
    rule: 'no-secrets',
    message: 'Secrets stay where they are: shop/.env',
  })
  expect(execute).not.toHaveBeenCalled()
  expect(told(events)).toEqual(['call_blocked no-secrets'])
})

test('what the caller does to his arguments after asking changes nothing', async () => {
  const args = { to: 'a@example.com' }
  const { run } = await guardOf(askForMail, {
    approve: async () => {
      args.to = 'b@example.com'
      return { is: 'approved' }
    },
  })
  await expect(run({ tool: 'send_mail', args }, ({ to }) => to)).resolves.toBe('a@example.com')
})

test('a call that must be asked about is blocked when there is nobody to ask', async () => {
  const { run, events } = await guardOf(askForMail)
  await expect(run({ tool: 'send_mail', args: { to: 'a' } }, () => 1)).rejects.toMatchObject({
    code: 'approval_unavailable',
  })
  expect(told(events)).toEqual(['call_blocked ask-for-mail'])
})

test('a human who says no ends the call with his words', async () => {
  const { run, events } = await guardOf(askForMail, {
    approve: async () => ({ is: 'denied', by: 'ada', reason: 'Not today' }),
  })
  const denied = run({ tool: 'send_mail', args: { to: 'a' } }, () => 1)
  await expect(denied).rejects.toThrow(ApprovalDenied)
  await expect(denied).rejects.toMatchObject({ message: 'Not today', decidedBy: 'ada', rule: 'ask-for-mail' })
  expect(told(events)).toEqual([
    'call_asked ask-for-mail',
    'call_approval_blocked ask-for-mail',
    'call_blocked ask-for-mail',
  ])
})

test('an approved call goes on to the rules behind the one that asked', async () => {
  const rules = `${askForMail}  - id: not-outside
    type: pre
    tool: send_mail
    when:
      args.to: { ends_with: "@elsewhere.example" }
    then: { action: block, message: Not outside. }
`
  const { run, events } = await guardOf(rules, { approve: async () => ({ is: 'approved' }) })
  await expect(run({ tool: 'send_mail', args: { to: 'a@here.example' } }, () => 1)).resolves.toBe(1)
  await expect(run({ tool: 'send_mail', args: { to: 'a@elsewhere.example' } }, () => 1)).rejects.toMatchObject({
    rule: 'not-outside',
  })
  expect(told(events)).toEqual([
    'call_asked ask-for-mail',
    'call_approval_granted ask-for-mail',
    'call_allowed',
    'call_executed',
    'call_asked ask-for-mail',
    'call_approval_granted ask-for-mail',
    'call_blocked not-outside',
  ])
})

test('an approver that fails, or answers nonsense, allows nothing', async () => {
  const throwing = await guardOf(askForMail, { approve: async () => Promise.reject(new Error('chat is down')) })
  await expect(throwing.run({ tool: 'send_mail', args: { to: 'a' } }, () => 1)).rejects.toMatchObject({
    code: 'approval_unavailable',
  })
  const odd = await guardOf(askForMail, { approve: async () => ({ is: 'sure' }) as never })
  await expect(odd.run({ tool: 'send_mail', args: { to: 'a' } }, () => 1)).rejects.toThrow(CallBlocked)
})

test('a call whose caller gives up while a human is asked is not made', async () => {
  const giveUp = new AbortController()
  const approve: Ask = (_question, signal) =>
    new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('given up')))
      giveUp.abort(new Error('no longer wanted'))
    })
  const { run } = await guardOf(askForMail, { approve })
  const execute = vi.fn()
  await expect(run({ tool: 'send_mail', args: { to: 'a' }, signal: giveUp.signal }, execute)).rejects.toThrow(
    'no longer wanted',
  )
  expect(execute).not.toHaveBeenCalled()
})

test('a rule that only observes lets the call through and says what it would have done', async () => {
  const { run, events } = await guardOf(noSecrets, { mode: 'observe' })
  await expect(run({ tool: 'read_file', args: { path: '.env' } }, () => 1)).resolves.toBe(1)
  expect(told(events)).toEqual(['call_would_block no-secrets', 'call_allowed', 'call_executed'])
  expect(events[0]).toMatchObject({ mode: 'observe' })
})

test('a tool that throws, and one that says it failed, are reported as failed and passed on as they are', async () => {
  const { run, events } = await guardOf(noSecrets)
  const broken = new Error('no such host, token=abc')
  await expect(run({ tool: 'fetch' }, () => Promise.reject(broken))).rejects.toBe(broken)
  await expect(run({ tool: 'fetch' }, () => ({ isError: true }))).resolves.toEqual({ isError: true })
  await expect(run({ tool: 'fetch' }, () => 'fine', { isFailure: (text) => text === 'fine' })).resolves.toBe('fine')
  expect(told(events).filter((word) => word !== 'call_allowed')).toEqual(['call_failed', 'call_failed', 'call_failed'])
})

test('what a rule redacts in a result the agent does not see', async () => {
  const rules = `  - id: no-card-numbers
    type: post
    tool: read_invoice
    when:
      output.text: { matches: '\\d{4}-\\d{4}-\\d{4}-\\d{4}' }
    then: { action: redact, message: A card number. }
`
  const { run, events } = await guardOf(rules)
  const result = await run({ tool: 'read_invoice' }, () => ({ card: '1111-2222-3333-4444', sum: 5 }))
  expect(result).toEqual({ card: '[REDACTED]', sum: 5 })
  expect(events.at(-1)).toMatchObject({ action: 'call_executed', postconditions_passed: false })
})

test('secrets among the arguments are not reported', async () => {
  const { run, events } = await guardOf(noSecrets)
  await run({ tool: 'sign_in', args: { user: 'u', password: 'hunter2' } }, () => 1)
  expect(JSON.stringify(events)).not.toContain('hunter2')
})

test('an event of a huge call is cut, not lost', async () => {
  const { run, events } = await guardOf(noSecrets)
  await run(
    { tool: 'write', args: Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`k${at}`, 'x'.repeat(900)])) },
    () => 1,
  )
  expect(events[0]).toMatchObject({ _truncated: true, tool_args: { _redacted: 'payload exceeded 32KB' } })
})

test('calls that no rule could judge are blocked before anything is counted', async () => {
  const { run, events } = await guardOf(noSecrets)
  const loop: Record<string, unknown> = {}
  loop['self'] = loop
  const bad: readonly object[] = [
    { tool: '' },
    { tool: 'a/b' },
    { tool: 'a\u0000b' },
    { tool: 7 },
    { tool: 't', args: { when: new Date(0) } },
    { tool: 't', args: { size: 10n } },
    { tool: 't', args: { ratio: Number.NaN } },
    { tool: 't', args: [1] },
    { tool: 't', args: loop },
    {
      tool: 't',
      args: {
        get trap() {
          throw new Error('trap')
        },
      },
    },
    { tool: 't', sessionId: 'a:b' },
    { tool: 't', callId: '' },
    { tool: 't', principal: { rolle: 'admin' } },
  ]
  for (const call of bad) {
    const execute = vi.fn()
    await expect(run(call as never, execute), String(call)).rejects.toMatchObject({ code: 'bad_call' })
    expect(execute).not.toHaveBeenCalled()
  }
  expect(events).toEqual([])
})

test('size hides nothing from a rule, and what is nested without end is blocked', async () => {
  const { run, events } = await guardOf(noSecrets)
  const execute = vi.fn()
  const path = `${'x'.repeat(20_000_000)}/.env`
  await expect(run({ tool: 'read_file', args: { path } }, execute)).rejects.toMatchObject({ rule: 'no-secrets' })
  expect(JSON.stringify(events).length).toBeLessThan(100_000)
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, at) => [`k${at}`, at]))
  await expect(run({ tool: 'read_file', args: { ...many, path: '.env' } }, execute)).rejects.toMatchObject({
    rule: 'no-secrets',
  })
  let deep: unknown = '.env'
  for (let level = 0; level < 100_000; level += 1) deep = [deep]
  await expect(run({ tool: 'read_file', args: { deep } }, execute)).rejects.toMatchObject({ code: 'bad_call' })
  expect(execute).not.toHaveBeenCalled()
})

test('an argument called __proto__ is an argument', async () => {
  const { run } = await guardOf(noSecrets)
  const args = JSON.parse('{"__proto__":{"admin":true},"a":1}') as object
  const seen = await run({ tool: 't', args }, (copy) => JSON.stringify(copy))
  expect(seen).toBe('{"__proto__":{"admin":true},"a":1}')
})

test('limits let through exactly what they say, also when calls come at once', async () => {
  const { run, events } = await guardOf(`  - id: few
    type: session
    limits: { max_tool_calls: 3 }
    then: { action: block, message: Enough. }
`)
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, () => run({ tool: 'work' }, () => new Promise((resolve) => setImmediate(resolve, 1)))),
  )
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(3)
  expect(events.filter(({ action }) => action === 'call_blocked')).toHaveLength(7)
  await expect(run({ tool: 'work', sessionId: 'another' }, () => 1)).resolves.toBe(1)
})

test('a principal of the call goes before that of the guard', async () => {
  const rules = `  - id: admins-only
    type: pre
    tool: drop
    when:
      principal.role: { not_equals: admin }
    then: { action: block, message: Only for administrators. }
`
  const file = await rulesetFile(rulesetOf('test', rules))
  const { run } = await guard({ file, principal: { role: 'reader' } })
  await expect(run({ tool: 'drop' }, () => 1)).rejects.toThrow('Only for administrators.')
  await expect(run({ tool: 'drop', principal: { role: 'admin' } }, () => 1)).resolves.toBe(1)
})

test('a wrapped function is the same function, guarded', async () => {
  const { wrap } = await guardOf(noSecrets)
  const read = wrap('read_file', ({ path }: { path: string }) => `text of ${path}`)
  await expect(read({ path: 'a.md' })).resolves.toBe('text of a.md')
  await expect(read({ path: '.env' })).rejects.toThrow(CallBlocked)
})

test('a closed guard lets nothing through', async () => {
  const { run, close } = await guardOf(noSecrets)
  await close()
  await expect(run({ tool: 'work' }, () => 1)).rejects.toMatchObject({ code: 'closed' })
})

test('closing ends the waiting for a human, lets a running tool end, and reports it', async () => {
  const { run, close, events } = await guardOf(askForMail, {
    approve: (_question, signal) =>
      new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(new Error('closed')))),
  })
  const held = run({ tool: 'send_mail', args: { to: 'a' } }, () => 1)
  let finish: (value: string) => void = () => undefined
  const running = run({ tool: 'work' }, () => new Promise<string>((resolve) => (finish = resolve)))
  await vi.waitFor(() => expect(told(events)).toContain('call_allowed'))
  const closed = close()
  finish('done')
  await expect(held).rejects.toMatchObject({ code: 'approval_unavailable' })
  await expect(running).resolves.toBe('done')
  await closed
  expect(told(events)).toContain('call_executed')
})

test('without a ruleset that loads there is no guard', async () => {
  const garbage = ['', 'hello', 'kind: Ruleset', '\u0000', rulesetOf('test', noSecrets).replace('block', 'blok')]
  for (const text of garbage) {
    await expect(guard({ file: await rulesetFile(text) }), text.slice(0, 20)).rejects.toThrow(GuardFailed)
  }
  await expect(guard({ file: '/nowhere/rules.yaml' })).rejects.toThrow(GuardFailed)
  const child = rulesetOf('test', noSecrets).replace('rules:', 'extends: parent\nrules:')
  await expect(guard({ file: await rulesetFile(child) })).rejects.toThrow('extends parent')
})

test('an older dialect is enforced as well', async () => {
  const bundle = rulesetOf('test', noSecrets)
    .replace('kind: Ruleset', 'kind: ContractBundle')
    .replace('rules:', 'contracts:')
    .replace('action: block', 'effect: deny')
  const { run } = await guard({ file: await rulesetFile(bundle) })
  await expect(run({ tool: 'read_file', args: { path: '.env' } }, () => 1)).rejects.toThrow(CallBlocked)
})

test('misspelled options are refused', async () => {
  const file = await rulesetFile(rulesetOf('test', noSecrets))
  await expect(guard({ file, agentID: 'a' } as never)).rejects.toThrow('The option agentID does not exist')
  await expect(guard({ file, agentId: '../etc' })).rejects.toThrow(GuardFailed)
  await expect(guard({} as never)).rejects.toThrow(GuardFailed)
})

test('a sandbox follows links to where they lead', async () => {
  const { symlink, writeFile } = await import('node:fs/promises')
  const file = await rulesetFile('')
  const folder = file.slice(0, file.lastIndexOf('/'))
  await symlink('/etc', `${folder}/inside`)
  const rules = `  - id: only-here
    type: sandbox
    tools: [read_file]
    within: ["${folder}"]
    outside: block
    message: Outside.
`
  await writeFile(file, rulesetOf('test', rules))
  const { run } = await guard({ file })
  await expect(run({ tool: 'read_file', args: { path: `${folder}/new/file` } }, () => 1)).resolves.toBe(1)
  await expect(run({ tool: 'read_file', args: { path: `${folder}/inside/passwd` } }, () => 1)).rejects.toThrow(
    'Outside.',
  )
})
