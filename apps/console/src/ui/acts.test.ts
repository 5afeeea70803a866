import { expect, test } from 'vitest'
import { actWords, asksForProof } from './acts.ts'

test('an act is told by what it was, where its name says less', () => {
  expect(actWords('ruleset.rolled_out', { kind: 'rollout' })).toBe('rolled out')
  expect(actWords('ruleset.rolled_out', { kind: 'rollback' })).toBe('rolled back')
  expect(actWords('ruleset.rolled_out', { kind: 'promotion' })).toBe('promoted')
  expect(actWords('factor.proven', { kind: 'totp' })).toBe('proved a second factor')
  expect(actWords('factor.proven', { kind: 'password' })).toBe('gave the password again')
  expect(actWords('factor.refused', { why: 'wrong_password' })).toBe('gave a wrong password')
})

test('to be asked for a proof is not told as something forbidden', () => {
  const [asked, forbidden] = [{ code: 'mfa_step_up_required' }, { code: 'forbidden' }]
  expect(actWords('route.refused', asked)).toBe('was asked to prove who it is')
  expect(actWords('route.refused', forbidden)).toBe('was refused')
  expect(asksForProof(asked)).toBe(true)
  expect(asksForProof(forbidden)).toBe(false)
})

test('an act nobody named here keeps its own name, readable', () => {
  expect(actWords('probe.sent_out', {})).toBe('probe: sent out')
})
