import { expect, test } from 'vitest'
import { pretendServer, servedBy } from '../test/pretend-server.ts'
import { askForMail, rulesetOf, told } from '../test/rulesets.ts'
import { signer, start, strict } from '../test/started-guard.ts'
import { type ServerOptions, systemClock } from './index.ts'

const pending = { id: 'ap-1', status: 'pending' }

/** A guard whose rules ask, and an approval that is answered as the test says. */
async function asking(answers: readonly (object | number)[], rules = askForMail, more: Partial<ServerOptions> = {}) {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: rulesetOf('base', rules) }))
  const questions: Record<string, unknown>[] = []
  const left = [...answers]
  server.on('POST /v1/approvals', ({ body }, response) => {
    questions.push(JSON.parse(body) as Record<string, unknown>)
    server.answer(response, 201, pending)
  })
  server.on('GET /v1/approvals/ap-1', (_request, response) => {
    const next = left.length > 1 ? left.shift() : left[0]
    if (typeof next === 'number') server.answer(response, next, { detail: 'no' })
    else server.answer(response, 200, { ...pending, ...next })
  })
  const one = await start(server, more)
  const mail = () => one.run({ tool: 'send_mail', args: { to: 'a@example.com' } }, () => 'sent')
  return { server, one, questions, mail }
}

test('a held call is asked about with everything a human needs, waits, and runs when he allows it', async () => {
  const { mail, questions, server, one } = await asking([pending, pending, { status: 'approved', decided_by: 'ada' }])
  await expect(mail()).resolves.toBe('sent')
  expect(questions).toEqual([
    {
      agent_id: 'a1',
      tool_name: 'send_mail',
      tool_args: { to: 'a@example.com' },
      message: 'May a mail go to a@example.com?',
      timeout: 300,
      timeout_action: 'block',
      session_id: one.status().sessionId,
      rule_name: 'ask-for-mail',
      decision_source: 'yaml_precondition',
    },
  ])
  await one.close()
  expect(told(server.events as never)).toEqual([
    'call_asked ask-for-mail',
    'call_approval_granted ask-for-mail',
    'call_allowed',
    'call_executed',
  ])
})

test('a server that stumbles while a human thinks is asked again', async () => {
  const { mail } = await asking([503, 500, pending, { status: 'approved' }])
  await expect(mail()).resolves.toBe('sent')
})

test.each([
  ['a no', { status: 'denied', reason: 'Not today' }, 'approval_denied'],
  ['a newer word for no', { status: 'rejected' }, 'approval_denied'],
  ['a deadline that passed', { status: 'timeout' }, 'approval_timed_out'],
  ['an approval that is gone', 404, 'approval_unavailable'],
  ['a key that was revoked', 401, 'approval_unavailable'],
])('%s runs nothing', async (_what, answer, code) => {
  const { mail } = await asking([answer])
  await expect(mail()).rejects.toMatchObject({ code })
})

const allowing = askForMail
  .replace('timeout_action: block', 'timeout_action: allow')
  .replace('timeout: 300', 'timeout: 1')

test('a rule that allows when nobody answers does so on the server’s word only', async () => {
  await expect((await asking([{ status: 'timeout' }], allowing)).mail()).resolves.toBe('sent')
  let steadyMs = 0
  const clock = { ...systemClock, steadyMs: () => (steadyMs += 4_000) }
  await expect((await asking([503], allowing, { clock })).mail()).rejects.toMatchObject({
    code: 'approval_unavailable',
  })
  await expect((await asking([{ status: 'shrug' }], allowing, { clock })).mail()).rejects.toMatchObject({
    code: 'approval_unavailable',
  })
})

test('a question the server does not take runs nothing', async () => {
  for (const status of [400, 401, 429]) {
    const { server, mail } = await asking([{ status: 'approved' }], allowing)
    server.on('POST /v1/approvals', (_request, response) => server.answer(response, status, { detail: 'no' }))
    await expect(mail()).rejects.toMatchObject({ code: 'approval_unavailable' })
  }
  const { server, mail } = await asking([{ status: 'approved' }], allowing)
  server.on('POST /v1/approvals', (_request, response) => server.answer(response, 201, { id: '../../x' }))
  await expect(mail()).rejects.toMatchObject({ code: 'approval_unavailable' })
})

test('a clock that jumps moves no deadline', async () => {
  let hours = 0
  const clock = { ...systemClock, now: () => new Date(Date.UTC(2026, 0, 1) + (hours += 1_000) * 3_600_000) }
  const forward = await asking([pending, pending, { status: 'approved' }], askForMail, { clock })
  await expect(forward.mail()).resolves.toBe('sent')
  const back = { ...systemClock, now: () => new Date(Date.UTC(2026, 0, 1) - (hours += 1_000) * 3_600_000) }
  const denied = await asking([pending, { status: 'denied' }], askForMail, { clock: back })
  await expect(denied.mail()).rejects.toMatchObject({ code: 'approval_denied' })
})

test('what was approved under other rules is asked about again', async () => {
  const { server, mail, questions, one } = await asking([pending])
  const next = servedBy(signer, {
    name: 'base',
    yaml: rulesetOf('base', askForMail.replace('May a', 'Should a')),
    version: 2,
    at: '2026-01-02T00:00:00Z',
  })
  let polls = 0
  server.on('GET /v1/approvals/ap-1', (_request, response) => {
    polls += 1
    if (polls === 1) server.push(next)
    const isSeen = one.status().revision === next['revision_hash']
    server.answer(response, 200, { ...pending, status: isSeen ? 'approved' : 'pending' })
  })
  await expect(mail()).resolves.toBe('sent')
  expect(questions.map(({ message }) => message)).toEqual([
    'May a mail go to a@example.com?',
    'Should a mail go to a@example.com?',
  ])
})

test('a counter that cannot be had, or is none, blocks', async () => {
  const server = await pretendServer()
  server.greetWith(servedBy(signer, { name: 'base', yaml: strict }))
  const one = await start(server, { counters: 'server' })
  await expect(one.run({ tool: 'work' }, () => 1)).rejects.toMatchObject({ code: 'counters_unavailable' })
  server.on('POST /v1/sessions', ({ url }, response) => {
    const isBatch = url.pathname.endsWith('batch')
    server.answer(response, 200, isBatch ? { values: {} } : { value: 'many' })
  })
  await expect(one.run({ tool: 'work' }, () => 1)).rejects.toMatchObject({ code: 'counters_unavailable' })
})
