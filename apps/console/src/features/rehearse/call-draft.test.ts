import fc from 'fast-check'
import { expect, test } from 'vitest'
import { callIn, emptyCall, principalText, readCall } from './call-draft.ts'

test('a call is read from its texts, and what is left empty is left out', () => {
  const draft = { ...emptyCall, tool: ' read_file ', args: '{"path":"/srv"}' }
  expect(readCall(draft)).toEqual({ is: 'call', call: { tool: 'read_file', args: { path: '/srv' } } })
  const full = {
    ...draft,
    environment: 'production',
    principal: '{"role":"sre"}',
    output: '"done"',
    attempts: '3',
    executions: '0',
    perTool: '{"read_file":2}',
    metadata: '{"channel":"chat"}',
    variables: '{"REGION":"eu"}',
    approved: 'ask-first, , other',
  }
  expect(readCall(full)).toEqual({
    is: 'call',
    call: {
      tool: 'read_file',
      args: { path: '/srv' },
      environment: 'production',
      principal: { role: 'sre' },
      output: 'done',
      metadata: { channel: 'chat' },
      env: { REGION: 'eu' },
      session: { attempts: 3, executions: 0, per_tool: { read_file: 2 } },
      approved: ['ask-first', 'other'],
    },
  })
})

test('every text that cannot be read says so at its own field', () => {
  const read = readCall({
    ...emptyCall,
    args: '[1]',
    principal: 'x',
    output: 'not json',
    attempts: '-1',
    executions: '1.5',
    perTool: '{"send_mail":-1}',
    metadata: '[]',
    variables: '{"REGION":7}',
  })
  expect(read.is === 'incomplete' && Object.keys(read.faults).toSorted()).toEqual([
    'args',
    'attempts',
    'executions',
    'metadata',
    'output',
    'perTool',
    'principal',
    'tool',
    'variables',
  ])
})

test('a principal with a field that no rule can ask for is refused by that name', () => {
  const read = readCall({ ...emptyCall, tool: 't', principal: '{"rolle":"sre"}' })
  expect(read.is === 'incomplete' && read.faults.principal).toContain('rolle is not one of')
})

test.each([
  ['{"tool_name":"shell","tool_args":{"cmd":"ls"},"environment":"staging"}', 'shell', '{"cmd":"ls"}', 'staging'],
  ['{"method":"tools/call","params":{"name":"shell","arguments":{"cmd":"ls"}}}', 'shell', '{"cmd":"ls"}', undefined],
  [
    '{"type":"function","function":{"name":"shell","arguments":"{\\"cmd\\":\\"ls\\"}"}}',
    'shell',
    '{"cmd":"ls"}',
    undefined,
  ],
  ['{"type":"tool_use","name":"shell","input":{"cmd":"ls"}}', 'shell', '{"cmd":"ls"}', undefined],
])('a call that was pasted whole is taken apart: %s', (text, tool, args, environment) => {
  const found = callIn(text)
  expect(found?.tool).toBe(tool)
  expect(JSON.parse(found?.args ?? '')).toEqual(JSON.parse(args))
  expect(found?.environment).toBe(environment)
})

test('arguments alone are not taken for a call', () => {
  expect(callIn('{"path":"/srv"}')).toBeUndefined()
  expect(callIn('{"name":"search","replicas":0}')).toBeUndefined()
  expect(callIn('rm -rf /')).toBeUndefined()
})

test('whatever is typed or pasted, reading it never throws', () => {
  fc.assert(
    fc.property(fc.record({ text: fc.oneof(fc.string(), fc.json()), other: fc.string() }), ({ text, other }) => {
      callIn(text)
      readCall({ ...emptyCall, tool: other, args: text, principal: text, output: text, attempts: other })
      readCall({ ...emptyCall, tool: other, perTool: text, metadata: text, variables: text })
    }),
  )
})

test('of a principal what rules can ask about is kept', () => {
  expect(JSON.parse(principalText({ role: 'sre', user_id: 'u1', nickname: 'x', org_id: null }))).toEqual({
    role: 'sre',
    user_id: 'u1',
  })
  expect(principalText(null)).toBe('')
})
