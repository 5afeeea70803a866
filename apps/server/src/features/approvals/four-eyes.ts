import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { listPeopleWho } from '../people/index.ts'
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
