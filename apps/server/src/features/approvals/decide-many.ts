import type { DecisionsResult } from '@countersign/wire'
import type { Clock } from '../../kernel/clock.ts'
import { Problem } from '../../kernel/problem.ts'
import type { DecideApproval, Decision } from './decide-approval.ts'
import type { Decider } from './decider.ts'
import { itemView } from './views.ts'

type Needs = { readonly decide: DecideApproval; readonly clock: Pick<Clock, 'now'> }

export type DecideMany = (
  decider: Decider,
  decisions: readonly (Decision & { readonly id: string })[],
) => Promise<DecisionsResult['results']>

/** Each by itself: one that is already closed does not keep the others from being decided. */
export function decideMany({ decide, clock }: Needs): DecideMany {
  return async (decider, decisions) => {
    const results: DecisionsResult['results'] = []
    for (const { id, approve, reason } of decisions) {
      results.push(
        await decide(decider, id, { approve, reason }).then(
          (approval) => ({ id, is_ok: true, approval: itemView(approval, clock.now()), problem: null }),
          (cause: unknown) => {
            // Only what a caller may be told of becomes his answer; a bug fails the request as everywhere.
            if (!(cause instanceof Problem)) throw cause
            const { kind, detail } = cause
            return { id, is_ok: false, approval: null, problem: { status: kind.status, code: kind.code, detail } }
          },
        ),
      )
    }
    return results
  }
}
