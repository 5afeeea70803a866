import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Assertion } from '../mfa/index.ts'
import { demand, demandStepUp, type Person } from '../roles/index.ts'
import type { RecordAct } from '../trail/index.ts'
import { type Approval, asOf, type Settlement, type Settling, settle, statusOf } from './approval.ts'
import { findApproval, settlePending } from './approvals-table.ts'
import type { Countersign, Signed } from './countersign.ts'
import { authorOf, type Decider, sightOf } from './decider.ts'
import { asOwner, fourEyesOn, mayOwnerDecide } from './four-eyes.ts'
import { tellSettled, tellVote } from './tell-settled.ts'
import { holdForVote, insertVote, listOwners, listVotes } from './votes-table.ts'

export type Decision = {
  readonly approve: boolean
  readonly reason: string | null
  /** The passkey's answer to what `countersign.begin` gave out. */
  readonly countersignature?: Assertion | undefined
}

export type DecideApproval = (decider: Decider, id: string, decision: Decision) => Promise<Approval>
export type CancelApproval = (decider: Decider, id: string, reason: string | null) => Promise<Approval>

type Needs = {
  readonly db: Db
  readonly clock: Pick<Clock, 'now'>
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
}

type DecideNeeds = Needs & { readonly countersign: Pick<Countersign, 'complete'> }

/** Console, scripts and deciding keys all decide through this one function. */
export function decideApproval(needs: DecideNeeds): DecideApproval {
  const { db, countersign } = needs
  return async (decider, id, decision) => {
    requireAuthority(decider)
    const approval = await findApproval(db, sightOf(decider), id)
    if (!approval) throw notFound('approval')
    if (decider.is === 'key') {
      refuseForKey(approval)
      return db.inTx((tx) => settleBy(needs, tx, decider, id, deciding(decision), decision.reason))
    }
    const { who, facts } = decider
    demand(who, 'approval:decide', { environment: approval.environment })
    const { approve, reason, countersignature } = decision
    if (countersignature === undefined) {
      requireProof(who, approval)
      return db.inTx((tx) => vote(needs, tx, decider, id, decision, undefined))
    }
    return countersign.complete(who, approval, { approve, reason }, countersignature, facts, (tx, signed) =>
      vote(needs, tx, decider, id, decision, signed),
    )
  }
}

/** Takes an approval back before anybody decided; the agent is told that it is denied, and why. */
export function cancelApproval(needs: Needs): CancelApproval {
  return (decider, id, reason) =>
    needs.db.inTx((tx) =>
      settleBy(
        needs,
        tx,
        decider,
        id,
        (how) => ({ is: 'cancel', how }),
        reason ?? 'Cancelled by an administrator',
        'approval:cancel',
      ),
    )
}

const deciding =
  ({ approve }: Decision) =>
  (how: Omit<Settlement, 'status' | 'at'>): Settling => ({ is: 'decide', approve, how })

function requireAuthority(decider: Decider): void {
  if (decider.is === 'person' || decider.who.mayDecide) return
  throw new Problem(
    problems.forbidden,
    'This key may not decide approvals. Decide in the console, or make a key that may.',
  )
}

/** What policy asks of a person, no key can give. */
function refuseForKey({ policy }: Approval): void {
  if (policy.proof === 'session' && policy.approvers === 1) return
  throw new Problem(problems.forbidden, 'Policy wants this decided by people. Decide it in the console.')
}

function requireProof(who: Person, { policy }: Approval): void {
  if (policy.proof === 'step-up') demandStepUp(who)
  if (policy.proof === 'countersignature')
    throw new Problem(
      problems.countersignatureRequired,
      'Policy wants this decision signed with a passkey. Open it in the console and countersign it.',
    )
}

/** One person's say. A denial settles the approval, and so does the last approval that policy asks for. */
async function vote(
  needs: Needs,
  tx: Tx,
  decider: Extract<Decider, { is: 'person' }>,
  id: string,
  decision: Decision,
  signed: Signed | undefined,
): Promise<Approval> {
  const { who, facts } = decider
  const sight = sightOf(decider)
  await holdForVote(tx, who.tenant, id)
  const found = await findApproval(tx, sight, id)
  if (!found) throw notFound('approval')
  const now = needs.clock.now()
  if (asOf(found, now).settlement) throw alreadyDecided(found, now)
  const eyes = await fourEyesOn(tx, found, now)
  const byOwner = asOwner([who.id], decision.approve, eyes, found.policy)
  const proof = signed ? 'countersignature' : found.policy.proof
  const isNew = await insertVote(tx, {
    tenant: who.tenant,
    approval: id,
    person: who.id,
    isApproval: decision.approve,
    reason: decision.reason,
    at: now,
    proof,
    factor: signed?.factor ?? null,
    countersignature: signed?.countersignature ?? null,
    byOwner,
  })
  if (!isNew) throw new Problem(problems.conflict, 'You have approved this already. Somebody else is needed as well.')
  // What an owner said while they were alone counts no more once somebody else can decide.
  const doesCount = mayOwnerDecide(eyes, found.policy)
  const votes = await listVotes(tx, who.tenant, id)
  const given = votes.filter((vote) => vote.isApproval && (doesCount || !vote.byOwner)).length
  if (!decision.approve || given >= found.policy.approvers)
    return settleBy(needs, tx, decider, id, deciding(decision), decision.reason, 'approval:decide', signed)
  await tellVote(needs, tx, found, decider, { given, byOwner, reason: decision.reason, signed, facts })
  return found
}

async function settleBy(
  { clock, bus, recordAct }: Needs,
  tx: Tx,
  decider: Decider,
  id: string,
  act: (how: Omit<Settlement, 'status' | 'at'>) => Settling,
  reason: string | null,
  permission: 'approval:decide' | 'approval:cancel' = 'approval:decide',
  signed?: Signed,
): Promise<Approval> {
  const sight = sightOf(decider)
  const now = clock.now()
  const found = await findApproval(tx, sight, id)
  if (!found) throw notFound('approval')
  if (decider.is === 'person') demand(decider.who, permission, { environment: found.environment })
  refuseOwn(decider, found)
  const settling = act({ ...authorOf(decider), reason, byOwner: false })
  const byOwner = settling.is === 'decide' && (await isByOwner(tx, decider, settling.approve, found, now))
  const settlement = settle(
    found,
    settling.is === 'decide' ? { ...settling, how: { ...settling.how, byOwner } } : settling,
    now,
  )
  // Between the read above and this statement somebody else may win; the condition in it decides.
  const settled = settlement && (await settlePending(tx, sight, id, settlement))
  if (!settled) throw alreadyDecided((await findApproval(tx, sight, id)) ?? found, now)
  await tellSettled({ bus, recordAct }, tx, settled, decider, signed)
  return settled
}

/** Four eyes: whoever holds the key that asked is the one who asked. */
function refuseOwn(decider: Decider, { keyId }: Approval): void {
  if (decider.is === 'key' && decider.who.keyId === keyId)
    throw new Problem(problems.forbidden, 'An approval cannot be decided with the key that asked for it.')
}

/** A deciding key is as much its owner as the asking one: two keys of one person are no four eyes. */
async function isByOwner(tx: Tx, decider: Decider, approve: boolean, found: Approval, now: Date): Promise<boolean> {
  const { tenant } = found
  const deciders = decider.is === 'key' ? await listOwners(tx, tenant, decider.who.keyId) : [decider.who.id]
  return asOwner(deciders, approve, await fourEyesOn(tx, found, now), found.policy)
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
