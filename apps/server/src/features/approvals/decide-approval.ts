import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import { demand } from '../roles/index.ts'
import type { RecordAct } from '../trail/index.ts'
import { type Approval, asOf, type Settlement, type Settling, settle, statusOf } from './approval.ts'
import { findApproval, settlePending } from './approvals-table.ts'
import { authorOf, type Decider, sightOf } from './decider.ts'
import { tellSettled } from './tell-settled.ts'

export type Decision = { readonly approve: boolean; readonly reason: string | null }

export type DecideApproval = (decider: Decider, id: string, decision: Decision) => Promise<Approval>
export type CancelApproval = (decider: Decider, id: string, reason: string | null) => Promise<Approval>

type Needs = {
  readonly db: Db
  readonly clock: Pick<Clock, 'now'>
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
}

/** Console, scripts and deciding keys all decide through this one function. */
export function decideApproval(needs: Needs): DecideApproval {
  return (decider, id, { approve, reason }) => {
    requireAuthority(decider)
    return settleBy(needs, decider, id, (how) => ({ is: 'decide', approve, how }), reason)
  }
}

/** Takes an approval back before anybody decided; the agent is told that it is denied, and why. */
export function cancelApproval(needs: Needs): CancelApproval {
  return (decider, id, reason) =>
    settleBy(
      needs,
      decider,
      id,
      (how) => ({ is: 'cancel', how }),
      reason ?? 'Cancelled by an administrator',
      'approval:cancel',
    )
}

function requireAuthority(decider: Decider): void {
  if (decider.is === 'person' || decider.who.mayDecide) return
  throw new Problem(
    problems.forbidden,
    'This key may not decide approvals. Decide in the console, or make a key that may.',
  )
}

function settleBy(
  { db, clock, bus, recordAct }: Needs,
  decider: Decider,
  id: string,
  act: (how: Omit<Settlement, 'status' | 'at'>) => Settling,
  reason: string | null,
  permission: 'approval:decide' | 'approval:cancel' = 'approval:decide',
): Promise<Approval> {
  const sight = sightOf(decider)
  return db.inTx(async (tx) => {
    const now = clock.now()
    const found = await findApproval(tx, sight, id)
    if (!found) throw notFound('approval')
    if (decider.is === 'person') demand(decider.who, permission, { environment: found.environment })
    refuseOwn(decider, found)
    const settlement = settle(found, act({ ...authorOf(decider), reason }), now)
    // Between the read above and this statement somebody else may win; the condition in it decides.
    const settled = settlement && (await settlePending(tx, sight, id, settlement))
    if (!settled) throw alreadyDecided((await findApproval(tx, sight, id)) ?? found, now)
    await tellSettled({ bus, recordAct }, tx, settled, decider)
    return settled
  })
}

/** Four eyes: whoever holds the key that asked is the one who asked. */
function refuseOwn(decider: Decider, { keyId }: Approval): void {
  if (decider.is === 'key' && decider.who.keyId === keyId)
    throw new Problem(problems.forbidden, 'An approval cannot be decided with the key that asked for it.')
}

function alreadyDecided(found: Approval, now: Date): Problem {
  const { settlement } = asOf(found, now)
  const status = statusOf({ settlement })
  const words = {
    pending: 'somebody else is deciding it at this moment',
    approved: `it was approved by ${settlement?.by.label ?? ''}`,
    denied: `it was denied by ${settlement?.by.label ?? ''}`,
    timed_out: 'its deadline has passed',
    cancelled: 'it was cancelled',
  }[status]
  return new Problem(problems.alreadyDecided, `This approval cannot be decided any more: ${words}.`, {
    facts: { approval_status: status, settled_at: settlement?.at.toISOString() ?? null },
  })
}
