import type { Bus } from '../../kernel/bus.ts'
import type { Tx } from '../../kernel/db.ts'
import type { RecordAct } from '../trail/index.ts'
import { type Approval, type SettledStatus, statusOf } from './approval.ts'
import { actorOf, type Decider } from './decider.ts'

type Needs = { readonly bus: Pick<Bus, 'announce'>; readonly recordAct: RecordAct }

const topics: Readonly<Record<SettledStatus, string>> = {
  approved: 'approval.decided',
  denied: 'approval.decided',
  timed_out: 'approval.timed_out',
  cancelled: 'approval.cancelled',
}

/** In the transaction that settled it: the trail has it, and whoever waits is told as soon as it commits. */
export async function tellSettled({ bus, recordAct }: Needs, tx: Tx, approval: Approval, by?: Decider): Promise<void> {
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
