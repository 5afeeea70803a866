import type { ListedApproval } from '../../api/types.ts'

type Item = Pick<ListedApproval, 'you_may' | 'policy'>

/** Why one decision on many cannot carry this call; null when it can. */
function obstacleInBulk({ you_may: youMay, policy }: Item, approve: boolean): string | null {
  if (policy.proof === 'countersignature') return 'Policy wants each one signed with a passkey. Open it and sign.'
  if (approve && youMay === 'deny') return 'Your own key asks, so somebody else has to approve it. You may deny it.'
  if (youMay === 'nothing') return 'You may not decide calls of this environment.'
  return null
}

/** The selected calls that a decision would carry, and the others by what keeps them from it. */
export function divided<One extends Item>(
  items: readonly One[],
  approve: boolean,
): { readonly carried: readonly One[]; readonly leftOut: ReadonlyMap<string, readonly One[]> } {
  const leftOut = Map.groupBy(items, (item) => obstacleInBulk(item, approve) ?? '')
  const carried = leftOut.get('') ?? []
  leftOut.delete('')
  return { carried, leftOut }
}
