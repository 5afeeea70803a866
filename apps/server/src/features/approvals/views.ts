import type { ApprovalDetail, ApprovalItem } from '@countersign/wire'
import { type Approval, isOrphaned, type Settlement, statusOf } from './approval.ts'
import type { Similar } from './approvals-table.ts'
import type { Vote } from './votes-table.ts'

/** As lists of /api/v2 show it. */
export function itemView(approval: Approval, now: Date): ApprovalItem {
  const { settlement } = approval
  return {
    id: approval.id,
    status: statusOf(approval),
    environment: approval.environment,
    agent_id: approval.agentId,
    key: { id: approval.keyId, prefix: approval.keyPrefix, label: approval.keyLabel },
    session_id: approval.sessionId,
    tool: approval.tool,
    args_json: approval.args,
    args_is_redacted: approval.argsIsRedacted,
    args_is_escaped: approval.argsIsEscaped,
    message: approval.message,
    timeout_seconds: approval.timeoutSeconds,
    deadline: approval.deadline.toISOString(),
    on_timeout: approval.onTimeout,
    created_at: approval.createdAt.toISOString(),
    settled_at: settlement?.at.toISOString() ?? null,
    decision: settlement && decisionView(settlement),
    last_polled_at: approval.lastPolledAt?.toISOString() ?? null,
    is_orphaned: isOrphaned(approval, now),
    policy: {
      proof: approval.policy.proof,
      approvers: approval.policy.approvers,
      excludes_owner: approval.policy.excludesOwner,
    },
  }
}

function decisionView(settlement: Settlement): NonNullable<ApprovalItem['decision']> {
  const { by, via, reason, at, address, userAgent, claimedBy, byOwner } = settlement
  return {
    by,
    via,
    reason,
    at: at.toISOString(),
    address,
    user_agent: userAgent,
    claimed_by: claimedBy,
    by_owner: byOwner,
  }
}

export function votesView(votes: readonly Vote[]): ApprovalDetail['votes'] {
  return votes.map(({ person, email, isApproval, reason, at, proof, byOwner }) => ({
    by: { kind: 'person', id: person, label: email ?? person },
    approve: isApproval,
    reason,
    at: at.toISOString(),
    proof,
    by_owner: byOwner,
  }))
}

export function similarView({ counts, items }: Similar): ApprovalDetail['similar'] {
  return {
    counts,
    items: items.map(({ approval, hasSameArgs }) => ({
      id: approval.id,
      status: statusOf(approval),
      agent_id: approval.agentId,
      created_at: approval.createdAt.toISOString(),
      decision: approval.settlement && decisionView(approval.settlement),
      has_same_args: hasSameArgs,
    })),
  }
}
