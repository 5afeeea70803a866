import type { ApprovalStatus } from '@countersign/wire'
import type { TenantId } from '../roles/index.ts'

/** What was asked. Nothing of it ever changes; the digest covers it. */
export type Asked = {
  readonly tenant: TenantId
  readonly id: string
  readonly environment: string
  readonly agentId: string
  readonly keyId: string
  readonly keyPrefix: string
  readonly sessionId: string | null
  readonly tool: string
  /** Redacted, as JSON text in which every number has the digits it was sent with. */
  readonly args: string | null
  readonly argsIsRedacted: boolean
  readonly argsIsEscaped: boolean
  /** Keyed digest of the arguments before redaction. */
  readonly argsSeal: string
  readonly message: string
  readonly timeoutSeconds: number
  readonly deadline: Date
  readonly onTimeout: 'block' | 'allow'
  /** Hash of the revision the server last saw this agent run. */
  readonly revision: string | null
  readonly claimedRule: string | null
  readonly claimedSource: string | null
  readonly digest: string
  readonly createdAt: Date
  /** As it was when the call was held: a later change of policy does not soften it. */
  readonly policy: Policy
}

/** What a decision needs to count. */
export type Policy = {
  /** How the approver proves themselves: by being signed in, by a fresh proof, or by signing the decision with a passkey. */
  readonly proof: 'session' | 'step-up' | 'countersignature'
  /** How many must approve; one who denies is enough. */
  readonly approvers: number
  /** Whoever made the key that asks may not decide, not even while nobody else can. */
  readonly excludesOwner: boolean
}

export const openPolicy: Policy = { proof: 'session', approvers: 1, excludesOwner: false }

const strength = { session: 0, 'step-up': 1, countersignature: 2 } as const

/** What satisfies all of them. */
export function strictest(policies: readonly Policy[]): Policy {
  return policies.reduce(
    (one, other) => ({
      proof: strength[other.proof] > strength[one.proof] ? other.proof : one.proof,
      approvers: Math.max(one.approvers, other.approvers),
      excludesOwner: one.excludesOwner || other.excludesOwner,
    }),
    openPolicy,
  )
}

export type SettledStatus = Exclude<ApprovalStatus, 'pending'>

/** How it ended: who said so, through which door, when and why. */
export type Settlement = {
  readonly status: SettledStatus
  readonly at: Date
  readonly by: { readonly kind: 'person' | 'agent_key' | 'system'; readonly id: string; readonly label: string }
  readonly via: 'console' | 'api' | 'key' | 'system'
  readonly reason: string | null
  readonly address: string | null
  readonly userAgent: string | null
  readonly claimedBy: string | null
  /** By whoever made the key that asked, since nobody else could. */
  readonly byOwner: boolean
}

export type Approval = Asked & {
  readonly settlement: Settlement | null
  readonly lastPolledAt: Date | null
  /** As people named the key; they may rename it. */
  readonly keyLabel: string | null
}

/** What can happen to an approval. */
export type Settling =
  | { readonly is: 'decide'; readonly approve: boolean; readonly how: Omit<Settlement, 'status' | 'at'> }
  | { readonly is: 'cancel'; readonly how: Omit<Settlement, 'status' | 'at'> }
  | { readonly is: 'expire' }

/**
 * The state machine: what settles a pending approval at `now`, or nothing when it cannot. People decide and cancel before
 * the deadline, and only time ends it from the deadline on; whatever is settled stays as it is.
 */
export function settle(approval: Approval, act: Settling, now: Date): Settlement | undefined {
  if (approval.settlement) return undefined
  const isOver = now.getTime() >= approval.deadline.getTime()
  switch (act.is) {
    case 'decide':
      return isOver ? undefined : { ...act.how, status: act.approve ? 'approved' : 'denied', at: now }
    case 'cancel':
      return isOver ? undefined : { ...act.how, status: 'cancelled', at: now }
    case 'expire':
      return isOver ? timedOut(approval.deadline) : undefined
  }
}

/** An approval as it is at `now`: past its deadline it has timed out, whether or not anybody has written that down. */
export function asOf(approval: Approval, now: Date): Approval {
  const settlement = approval.settlement ?? settle(approval, { is: 'expire' }, now) ?? null
  return { ...approval, settlement }
}

export function statusOf({ settlement }: Pick<Approval, 'settlement'>): ApprovalStatus {
  return settlement?.status ?? 'pending'
}

/** Time is nobody's decision; it takes effect at the deadline, not when it was noticed. */
function timedOut(deadline: Date): Settlement {
  return { ...bySystem(null), status: 'timed_out', at: deadline }
}

export function bySystem(reason: string | null): Omit<Settlement, 'status' | 'at'> {
  return {
    by: { kind: 'system', id: 'system', label: 'system' },
    via: 'system',
    reason,
    address: null,
    userAgent: null,
    claimedBy: null,
    byOwner: false,
  }
}

/** Polling starts at once and comes every two seconds; this much later it is not going to start. */
const firstPollMs = 15_000

/** True when nobody has ever asked for the answer: a request sent twice leaves one whose answer nobody awaits. */
export function isOrphaned({ createdAt, lastPolledAt }: Approval, now: Date): boolean {
  return lastPolledAt === null && now.getTime() - createdAt.getTime() > firstPollMs
}
