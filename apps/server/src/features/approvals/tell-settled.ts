import { recordedCountersignature } from '@countersign/trail'
import type { Bus } from '../../kernel/bus.ts'
import type { Tx } from '../../kernel/db.ts'
import type { RequestFacts } from '../roles/index.ts'
import type { RecordAct } from '../trail/index.ts'
import { type Approval, type SettledStatus, statusOf } from './approval.ts'
import type { Signed } from './countersign.ts'
import { actorOf, type Decider } from './decider.ts'

type Needs = { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }

const topics: Readonly<Record<SettledStatus, string>> = {
  approved: 'approval.decided',
  denied: 'approval.decided',
  timed_out: 'approval.timed_out',
  cancelled: 'approval.cancelled',
}

/** In the transaction that settled it: the trail has it, and whoever waits is told as soon as it commits. */
export async function tellSettled(
  { bus, recordAct }: Needs,
  tx: Tx,
  approval: Approval,
  by?: Decider,
  signed?: Signed,
): Promise<void> {
  const { tenant, id, environment, agentId, tool, digest, settlement } = approval
  const status = statusOf(approval)
  if (!settlement || status === 'pending') return
  await recordAct(tx, {
    tenant,
    act: `approval.${status}`,
    actor: actorOf(by),
    subject: { kind: 'approval', id },
    ...(by && { request: by.facts }),
    details: {
      digest,
      environment,
      agent_id: agentId,
      tool,
      via: settlement.via,
      settled_at: settlement.at.toISOString(),
      ...(settlement.byOwner && { by_owner: true }),
      ...(signed && { countersignature: recordedCountersignature(signed.countersignature) }),
    },
    // The reason is free text of the one who wrote it, so it can be erased with them.
    ...(by && {
      personal: {
        actor: {
          label: settlement.by.label,
          ...(settlement.reason !== null && { reason: settlement.reason }),
          ...(settlement.claimedBy !== null && { claimed_by: settlement.claimedBy }),
        },
      },
    }),
  })
  await bus.announce(tx, {
    topic: topics[status],
    tenant,
    body: { approval_id: id, environment, agent_id: agentId, tool, status },
  })
}

type Said = {
  readonly given: number
  readonly byOwner: boolean
  readonly reason: string | null
  readonly signed: Signed | undefined
  readonly facts: RequestFacts
}

/** One of several approvals that policy asks for: the call stays held, and the record has who said what. */
export async function tellVote(
  { bus, recordAct }: Needs,
  tx: Tx,
  { tenant, id, environment, agentId, tool, digest, policy }: Approval,
  by: Extract<Decider, { is: 'person' }>,
  { given, byOwner, reason, signed, facts }: Said,
): Promise<void> {
  await recordAct(tx, {
    tenant,
    act: 'approval.voted',
    actor: actorOf(by),
    subject: { kind: 'approval', id },
    request: facts,
    details: {
      digest,
      environment,
      agent_id: agentId,
      tool,
      via: by.via,
      given,
      needed: policy.approvers,
      ...(byOwner && { by_owner: true }),
      ...(signed && { countersignature: recordedCountersignature(signed.countersignature) }),
    },
    personal: { actor: { label: by.who.email, ...(reason !== null && { reason }) } },
  })
  await bus.announce(tx, {
    topic: 'approval.voted',
    tenant,
    body: { approval_id: id, environment, agent_id: agentId, tool, given, needed: policy.approvers },
  })
}
