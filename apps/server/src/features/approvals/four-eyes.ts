import type { YouMay } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { listPeopleWho } from '../people/index.ts'
import { type Caller, permits } from '../roles/index.ts'
import type { Approval, Policy } from './approval.ts'
import { listOwners } from './votes-table.ts'

/** Who answers for the key that asks, and who besides them could decide at this moment. */
export type FourEyes = {
  /** Whoever made the key; for one that a token made, whoever made that token and whoever answers for it. */
  readonly owners: readonly string[]
  readonly others: readonly string[]
}

type About = Pick<Approval, 'tenant' | 'environment' | 'keyId'>

export async function fourEyesOn(db: Sql, { tenant, environment, keyId }: About, now: Date): Promise<FourEyes> {
  const owners = await listOwners(db, tenant, keyId)
  const able = await listPeopleWho(db, { tenant, permission: 'approval:decide', environment, now })
  return { owners, others: able.filter((person) => !owners.includes(person)) }
}

/** Nobody approves what a key of their own asks. Only who is alone may, unless policy says never. */
export function mayOwnerDecide({ others }: Pick<FourEyes, 'others'>, { excludesOwner }: Policy): boolean {
  return others.length === 0 && !excludesOwner
}

/** What the one who looks may say to a pending call. */
export function whatMay(
  who: Caller,
  { environment, policy }: Pick<Approval, 'environment' | 'policy'>,
  eyes: FourEyes,
): YouMay {
  if (who.is !== 'person' || !permits(who, 'approval:decide', { environment })) return 'nothing'
  return !eyes.owners.includes(who.id) || mayOwnerDecide(eyes, policy) ? 'approve' : 'deny'
}

/** The same for a page of calls; those that one key asks are looked up once. Null where nothing is left to say. */
export async function whatMayOfEach(
  db: Sql,
  who: Caller,
  approvals: readonly Approval[],
  now: Date,
): Promise<readonly (YouMay | null)[]> {
  const pending = approvals.filter(({ settlement }) => !settlement)
  const asked = new Map(pending.map((approval) => [approval.keyId, approval]))
  const eyes = new Map<string, FourEyes>()
  for (const [keyId, approval] of asked) eyes.set(keyId, await fourEyesOn(db, approval, now))
  return approvals.map((approval) => {
    const found = approval.settlement ? undefined : eyes.get(approval.keyId)
    return found ? whatMay(who, approval, found) : null
  })
}

/** Whether one of these decides as the owner; refuses them where an owner may not. Denying is open to every approver. */
export function asOwner(deciders: readonly string[], approve: boolean, eyes: FourEyes, policy: Policy): boolean {
  if (!deciders.some((person) => eyes.owners.includes(person))) return false
  if (!approve || mayOwnerDecide(eyes, policy)) return true
  throw new Problem(
    problems.forbidden,
    eyes.others.length > 0
      ? 'You made the key that asks, so somebody else has to approve this. You may deny it.'
      : 'You made the key that asks, and policy wants somebody else to approve this. Invite an approver under People, or deny it.',
  )
}

type Waiting = { readonly environment: string; readonly policy: Policy; readonly given: number }

/** What keeps a held call from being decided, or should be known before it is, and what to do about it. */
export function obstacleIn(eyes: FourEyes, { environment, policy, given }: Waiting): string | null {
  const others = eyes.others.length
  const remedy = `Invite an approver of ${environment} under People.`
  if (others === 0 && policy.excludesOwner)
    return `Nobody can approve this: policy excludes whoever made the key, and nobody else decides in ${environment}. ${remedy}`
  const able = Math.max(others, mayOwnerDecide(eyes, policy) ? 1 : 0)
  if (able < policy.approvers)
    return `${policy.approvers} people must approve, and ${able === 0 ? 'nobody' : `only ${able}`} can${given > 0 ? ` (${given} did)` : ''}. ${remedy}`
  if (others === 0)
    return `Nobody but whoever made the key decides in ${environment}, so their own decision counts and is recorded as such. ${remedy}`
  return null
}
