import { expect, test } from 'vitest'
import { type Approval, bySystem, type SettledStatus } from './approval.ts'
import { matchFate, type ReportedEvent, type Situation } from './match-fate.ts'

const createdAt = new Date('2026-03-01T10:00:00.000Z')
const at = (seconds: number): Date => new Date(createdAt.getTime() + seconds * 1000)
const args = '{"to":"x"}'

function approval(status: SettledStatus | 'pending', sessionId: string | null = 's1'): Approval {
  return {
    tenant: 't',
    id: 'i',
    environment: 'production',
    agentId: 'a1',
    keyId: 'k1',
    keyPrefix: 'p',
    keyLabel: null,
    sessionId,
    tool: 'deploy',
    args,
    argsIsRedacted: false,
    argsIsEscaped: false,
    argsSeal: '',
    message: '',
    timeoutSeconds: 300,
    deadline: at(300),
    onTimeout: 'block',
    revision: null,
    claimedRule: null,
    claimedSource: null,
    policy: { proof: 'session', approvers: 1, excludesOwner: false },
    digest: '',
    createdAt,
    settlement: status === 'pending' ? null : { ...bySystem(null), status, at: at(10) },
    lastPolledAt: at(1),
  }
}

function reported(callId: string, actions: readonly string[], more: Partial<ReportedEvent> = {}): ReportedEvent[] {
  return actions.map((action, n) => ({
    id: `${callId}-${n}`,
    action,
    at: at(n + 1),
    receivedAt: at(n + 12),
    callId,
    sessionId: 's1',
    args,
    ...more,
  }))
}

const fate = (events: readonly ReportedEvent[], more: Partial<Situation> = {}) =>
  matchFate({ approval: approval('approved'), args, events, twins: 0, now: at(60), ...more })

const ran = ['call_asked', 'call_approval_granted', 'call_executed']

test('an approved call of the same session and arguments that ran is certainly the one', () => {
  expect(fate(reported('c1', ran))).toMatchObject({
    outcome: 'succeeded',
    certainty: 'certain',
    call_id: 'c1',
    sentence: 'It ran and succeeded.',
  })
  expect(fate(reported('c1', ['call_asked', 'call_approval_granted', 'call_failed'])).outcome).toBe('failed')
})

test('without a session the match is only likely, and says so', () => {
  const told = fate(reported('c1', ran, { sessionId: null }), { approval: approval('approved', null) })
  expect(told.certainty).toBe('likely')
  expect(told.sentence).toContain('did not say which call')
})

test('two calls alike, or two approvals alike, make it ambiguous', () => {
  const two = [...reported('c1', ran), ...reported('c2', ran)]
  expect(fate(two).certainty).toBe('ambiguous')
  expect(fate(reported('c1', ran), { twins: 1 }).certainty).toBe('ambiguous')
})

test('of two calls alike, the one that heard this answer is taken', () => {
  const other = reported('c2', ['call_asked', 'call_approval_blocked'])
  expect(fate([...other, ...reported('c1', ran)])).toMatchObject({ call_id: 'c1', certainty: 'certain' })
})

test('calls of other arguments, other sessions, earlier times, or that nobody held, are not it', () => {
  const none = { outcome: 'unknown', certainty: 'none', call_id: null }
  expect(fate(reported('c1', ran, { args: '{"to":"y"}' }))).toMatchObject(none)
  expect(fate(reported('c1', ran, { sessionId: 's2' }))).toMatchObject(none)
  expect(fate(reported('c1', ran, { receivedAt: at(-1) }))).toMatchObject(none)
  expect(fate(reported('c1', ['call_allowed', 'call_executed']))).toMatchObject(none)
})

test('a denied call that is reported to have run is said to have run although it was not allowed', () => {
  const told = fate(reported('c1', ['call_asked', 'call_executed']), { approval: approval('denied') })
  expect(told.outcome).toBe('succeeded')
  expect(told.sentence).toContain('although it was not allowed to')
})

test('a denied call nothing is reported of did not run, as far as anybody says', () => {
  expect(fate([], { approval: approval('denied') })).toMatchObject({ outcome: 'not_run', certainty: 'none' })
  const blocked = fate(reported('c1', ['call_asked', 'call_approval_blocked']), { approval: approval('denied') })
  expect(blocked).toMatchObject({ outcome: 'blocked', certainty: 'certain' })
})

test('an approved call that is not yet reported as finished is running at first, and unknown later', () => {
  const events = reported('c1', ['call_asked', 'call_approval_granted'])
  expect(fate(events).outcome).toBe('running')
  expect(fate(events, { now: at(3600) }).outcome).toBe('unknown')
})

test('a pending one has no fate yet', () => {
  expect(fate(reported('c1', ['call_asked']), { approval: approval('pending') })).toMatchObject({ certainty: 'none' })
})
