import { compile, type JsonObject, parseRuleset } from '@countersign/rules'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { callIdentity, identityOf } from './identity.ts'
import type { RecordedEvent } from './recorded-call.ts'
import { bucketSecondsFor, replay } from './replay.ts'

const start = Date.parse('2026-03-01T00:00:00Z')
const hour = 3_600_000

function compiled(rules: string, more = '') {
  const parsed = parseRuleset(
    `apiVersion: edictum/v1\nkind: Ruleset\nmetadata: {name: draft}\ndefaults: {mode: enforce}\n${more}rules:\n${rules}`,
  )
  if (!parsed.ok) throw new Error(parsed.diagnostics[0]?.message)
  return compile(parsed.ruleset)
}

const noEnv = `  - {id: no-env, type: pre, tool: read_file, when: {args.path: {contains: .env}}, then: {action: block, message: "No {args.path}"}}\n`
const askDeploy = `  - {id: ask-deploy, type: pre, tool: deploy, when: {environment: {equals: production}}, then: {action: ask, message: Ask.}}\n`
const watched = `  - {id: watched, type: pre, mode: observe, tool: read_file, when: {args.path: {exists: true}}, then: {action: block, message: w}}\n`

let made = 0
function event(
  tool: string,
  args: JsonObject,
  more: Partial<RecordedEvent> & { details?: JsonObject } = {},
): RecordedEvent {
  made += 1
  const { details, ...fields } = more
  return {
    id: `event-${made}`,
    atMs: start + made,
    agent: 'bot',
    environment: 'production',
    tool,
    action: 'call_allowed',
    mode: 'enforce',
    rule: '',
    callId: `call-${made}`,
    payload: JSON.stringify({ call_id: `call-${made}`, ...details, tool_args: args }),
    ...fields,
  }
}

function run(events: readonly RecordedEvent[], rules = noEnv + askDeploy + watched, baseline?: string) {
  const one = replay({
    draft: compiled(rules),
    baseline: baseline === undefined ? undefined : compiled(baseline),
    sinceMs: start,
    untilMs: start + hour,
  })
  for (const each of events) one.add(each)
  return one.end()
}

test('what a draft would block, hold and allow anew is counted by rule, with samples', () => {
  const outcome = run([
    event('read_file', { path: '/a/.env' }),
    event('read_file', { path: '/a/.env' }),
    event('read_file', { path: '/a/readme' }),
    event('deploy', { app: 'shop' }),
    event('send_fax', { to: 'x' }, { action: 'call_blocked', rule: 'no-fax' }),
    event('read_file', { path: 'b/.env' }, { action: 'call_blocked', rule: 'old-rule' }),
  ])
  expect(outcome.counts).toEqual({
    calls: 6,
    distinctCalls: 5,
    newlyBlocked: 2,
    newlyHeld: 1,
    newlyAllowed: 1,
    same: 2,
    undecided: 0,
  })
  const zero = { newlyBlocked: 0, newlyHeld: 0, newlyAllowed: 0, undecided: 0, observed: 0 }
  expect(outcome.rules).toEqual([
    { ...zero, rule: 'no-env', newlyBlocked: 2 },
    { ...zero, rule: 'ask-deploy', newlyHeld: 1 },
    { ...zero, rule: 'no-fax', newlyAllowed: 1 },
    { ...zero, rule: 'watched', observed: 1 },
  ])
  expect(outcome.samples[0]).toMatchObject({
    change: 'newlyBlocked',
    rule: 'no-env',
    tool: 'read_file',
    args: { path: '/a/.env' },
    was: { verdict: 'allow' },
    now: { verdict: 'block', message: 'No /a/.env' },
    count: 2,
  })
  expect(outcome.tools.find(({ tool }) => tool === 'read_file')).toMatchObject({ newlyBlocked: 2, same: 2 })
  expect(outcome.histogram.buckets[0]).toMatchObject({ newlyBlocked: 2, newlyHeld: 1, newlyAllowed: 1, same: 2 })
})

test('one call is counted once, whatever events its agent reported of it', () => {
  const call = (action: string, mode = 'enforce') => event('read_file', { path: 'x' }, { callId: 'one', action, mode })
  const wouldBlock = call('call_would_block', 'observe')
  expect(run([wouldBlock, call('call_allowed'), call('call_allowed', 'observe')]).counts.calls).toBe(1)
  const blocked = run([wouldBlock, call('call_blocked')])
  expect(blocked.counts).toMatchObject({ calls: 1, newlyAllowed: 1 })
  const held = run([call('call_asked'), call('call_allowed')])
  expect(held.counts).toMatchObject({ calls: 1, newlyAllowed: 1 })
  expect(run([wouldBlock]).counts).toMatchObject({ calls: 1, same: 1 })
})

test('a call whose condition reads a hidden or cut value is undecided; one that does not depend on it is decided', () => {
  const cut = `${'x'.repeat(997)}...`
  const outcome = run([
    event('read_file', { path: '[REDACTED]' }),
    event('read_file', { path: cut }),
    event('read_file', { path: `/a/.env${cut.slice(7)}` }),
    event('read_file', { path: 'readme', password: '[REDACTED]' }),
    event('read_file', { _redacted: 'payload exceeded 32KB' }),
    event('other', { path: '[REDACTED]' }),
  ])
  expect(outcome.counts).toMatchObject({ undecided: 3, newlyBlocked: 1, same: 2 })
  expect(outcome.rules[0]).toMatchObject({ rule: 'no-env', undecided: 3, newlyBlocked: 1 })
  expect(outcome.samples.find(({ change }) => change === 'undecided')?.why).toContain('no-env')
})

test('what events do not carry is never guessed', () => {
  const rule = `  - {id: by-env, type: pre, tool: t, when: {env.STAGE: {equals: live}}, then: {action: block, message: no}}\n`
  const outcome = run([event('t', {}), event('u', {})], rule)
  expect(outcome.counts).toMatchObject({ undecided: 1, same: 1 })
  expect(outcome.assumptions.join(' ')).toContain('environment variables')
})

test('calls decided by a session limit or a workflow are left out and counted', () => {
  const limited = { action: 'call_blocked', rule: 'cap', details: { decision_source: 'operation_limit' } }
  const outcome = run([event('read_file', { path: 'a' }, limited), event('read_file', { path: 'a' })])
  expect(outcome.skipped).toBe(1)
  expect(outcome.counts.calls).toBe(1)
})

test('the replay says what it assumed about sessions, approvals and tool output', () => {
  const rules = `${noEnv}${askDeploy}  - {id: cap, type: session, limits: {max_tool_calls: 1}, then: {action: block, message: no}}
  - {id: card, type: post, tool: "*", when: {output.text: {contains: x}}, then: {action: warn, message: no}}\n`
  const outcome = run([event('a', {}), event('a', {}), event('a', {})], rules)
  expect(outcome.counts).toMatchObject({ same: 3, newlyBlocked: 0 })
  const words = outcome.assumptions.join(' ')
  expect(words).toContain('Session rules')
  expect(words).toContain('held')
  expect(words).toContain('Post rules')
})

test('against a baseline both rulesets are asked, whatever was recorded', () => {
  const events = [event('read_file', { path: '.env' }, { action: 'call_blocked', rule: 'x' }), event('deploy', {})]
  const outcome = run(events, askDeploy, noEnv)
  expect(outcome.counts).toMatchObject({ newlyAllowed: 1, newlyHeld: 1 })
  expect(outcome.rules.map(({ rule }) => rule).sort()).toEqual(['ask-deploy', 'no-env'])
})

test('callers are told apart by who they are, in either spelling', () => {
  const rule = `  - {id: sre, type: pre, tool: deploy, when: {principal.user_id: {not_equals: ada}}, then: {action: block, message: no}}\n`
  const by = (principal: JsonObject) => event('deploy', {}, { details: { principal } })
  const outcome = run([by({ user_id: 'ada' }), by({ userId: 'ada' }), by({ user_id: 'bob' })], rule)
  expect(outcome.counts).toMatchObject({ same: 2, newlyBlocked: 1 })
})

test('calls with equal identities are equal, and calls that differ have different ones', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('"tool_args":', '\\', '"principal":{', '}', ',', '\\"'))
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, text, fc.integer(), fc.boolean(), fc.constant(null), tie('list'), tie('object')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    object: fc.dictionary(text, tie('value'), { maxKeys: 4 }),
  })).object
  const payloadOf = (args: unknown, principal: unknown, noise: string): string =>
    JSON.stringify({ call_id: noise, principal, tool_args: args })
  const identity = (payload: string): string => JSON.stringify(identityOf(payload, true))
  fc.assert(
    fc.property(json, json, json, text, text, (a, b, who, noise, other) => {
      const one = identity(payloadOf(a, who, noise))
      const isSame = JSON.stringify(a) === JSON.stringify(b)
      if (!isSame) expect(identity(payloadOf(b, who, noise))).not.toBe(one)
      // Labels inside keys may make equal calls look different, never the other way round.
      if (!JSON.stringify([a, who]).includes('tool_args') && !JSON.stringify([a, who]).includes('principal'))
        expect(identity(payloadOf(a, who, other))).toBe(one)
    }),
    { numRuns: 500 },
  )
})

test('events told by their digests come to what all of them in full come to, also when few are remembered', () => {
  const kinds: readonly (() => RecordedEvent)[] = [
    () => event('read_file', { path: '/a/.env' }),
    () => event('read_file', { path: '/a/readme' }),
    () => event('read_file', { path: '/a/.env' }, { action: 'call_would_block', mode: 'observe', callId: 'shared' }),
    () => event('read_file', { path: '/a/.env' }, { callId: 'shared' }),
    () => event('read_file', { path: '[REDACTED]' }),
    () => event('deploy', { app: 'shop' }, { action: 'call_asked' }),
    () => event('a', { n: 1 }, { action: 'call_blocked', rule: 'cap', details: { decision_source: 'session_limit' } }),
  ]
  const options = { draft: compiled(noEnv + askDeploy + watched), sinceMs: start, untilMs: start + hour }
  fc.assert(
    fc.property(fc.array(fc.nat(kinds.length - 1), { maxLength: 40 }), fc.integer({ min: 1, max: 4 }), (picks, few) => {
      const events = picks.flatMap((kind, at) => {
        const one = kinds[kind]?.()
        return one ? [{ ...one, atMs: start + at }] : []
      })
      const whole = replay(options)
      const byDigest = replay(options)
      const forgetful = replay({ ...options, rememberedMax: few })
      let alike = 0
      for (const one of events) {
        whole.add(one)
        const digest = callIdentity(one)
        for (const each of [byDigest, forgetful]) {
          const { atMs, callId } = one
          if (each.addLike({ atMs, callId, digest })) alike += 1
          else each.add({ ...one, digest })
        }
      }
      const [expected, same, sums] = [whole.end(), byDigest.end(), forgetful.end()]
      expect(same).toEqual(expected)
      const { distinctCalls: _distinct, ...counts } = expected.counts
      expect(sums.counts).toMatchObject(counts)
      expect({ rules: sums.rules, tools: sums.tools, histogram: sums.histogram, skipped: sums.skipped }).toEqual({
        rules: expected.rules,
        tools: expected.tools,
        histogram: expected.histogram,
        skipped: expected.skipped,
      })
      if (new Set(picks).size < picks.length) expect(alike).toBeGreaterThan(0)
    }),
    { numRuns: 300 },
  )
})

test('a payload that cannot be read is undecided, never a crash', () => {
  fc.assert(
    fc.property(fc.string(), (payload) => {
      const { counts } = run([{ ...event('read_file', {}), payload }])
      expect(counts.calls).toBe(1)
      expect(counts.newlyBlocked).toBe(0)
    }),
  )
})

test('the histogram has at most some sixty bars, whatever the range', () => {
  for (const hours of [1, 24, 24 * 7, 24 * 90, 24 * 3_650]) {
    const seconds = bucketSecondsFor(start, start + hours * hour)
    expect((hours * 3_600) / seconds).toBeLessThanOrEqual(61)
  }
})
