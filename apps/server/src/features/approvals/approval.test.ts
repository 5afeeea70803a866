import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Approval, asOf, bySystem, isOrphaned, type Settling, settle, statusOf } from './approval.ts'

const createdAt = new Date('2026-03-01T10:00:00.000Z')
const at = (seconds: number): Date => new Date(createdAt.getTime() + seconds * 1000)

function approval(timeoutSeconds = 300): Approval {
  return {
    tenant: 't',
    id: '0190f5a0-0000-7000-8000-000000000001',
    environment: 'production',
    agentId: 'a1',
    keyId: 'k1',
    keyPrefix: 'edk_production_abc',
    keyLabel: null,
    sessionId: null,
    tool: 'deploy',
    args: '{}',
    argsIsRedacted: false,
    argsIsEscaped: false,
    argsSeal: 'seal',
    message: 'May I?',
    timeoutSeconds,
    deadline: at(timeoutSeconds),
    onTimeout: 'block',
    revision: null,
    claimedRule: null,
    claimedSource: null,
    policy: { proof: 'session', approvers: 1, excludesOwner: false },
    digest: '0'.repeat(64),
    createdAt,
    settlement: null,
    lastPolledAt: null,
  }
}

const how = bySystem('because')
const acts: fc.Arbitrary<Settling> = fc.constantFrom<Settling>(
  { is: 'decide', approve: true, how },
  { is: 'decide', approve: false, how },
  { is: 'cancel', how },
  { is: 'expire' },
)

test('whatever is tried and whenever, an approval is settled once and then never changes', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 600 }),
      fc.array(fc.tuple(acts, fc.integer({ min: 0, max: 900 })), { minLength: 1, maxLength: 20 }),
      (timeout, tries) => {
        let current = approval(timeout)
        let settled = 0
        for (const [act, second] of tries.toSorted(([, a], [, b]) => a - b)) {
          const settlement = settle(current, act, at(second))
          if (!settlement) continue
          settled += 1
          current = { ...current, settlement }
          // Only time ends it from the deadline on, and only people before.
          expect(settlement.status === 'timed_out').toBe(second >= timeout)
          expect(settlement.at.getTime()).toBeLessThanOrEqual(current.deadline.getTime())
        }
        expect(settled).toBeLessThanOrEqual(1)
        // After everything has been tried it can be tried again without effect.
        for (const [act, second] of tries) {
          if (current.settlement) expect(settle(current, act, at(second))).toBeUndefined()
        }
      },
    ),
  )
})

test('a decision in the last millisecond counts, one at the deadline does not', () => {
  const decide: Settling = { is: 'decide', approve: true, how }
  expect(settle(approval(), decide, new Date(at(300).getTime() - 1))?.status).toBe('approved')
  expect(settle(approval(), decide, at(300))).toBeUndefined()
})

test('past its deadline an approval has timed out at the deadline, whoever looks and however late', () => {
  expect(statusOf(asOf(approval(), at(299)))).toBe('pending')
  const late = asOf(approval(), at(100_000))
  expect(statusOf(late)).toBe('timed_out')
  expect(late.settlement?.at).toEqual(at(300))
  expect(late.settlement?.reason).toBeNull()
})

test('an approval nobody ever asks for the answer of is an orphan after a while, and one that was polled never is', () => {
  expect(isOrphaned(approval(), at(15))).toBe(false)
  expect(isOrphaned(approval(), at(16))).toBe(true)
  expect(isOrphaned({ ...approval(), lastPolledAt: at(1) }, at(200))).toBe(false)
})
