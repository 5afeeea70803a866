import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { isId } from '../../kernel/ids.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { type Approval, asOf } from './approval.ts'
import { type ApprovalFilter, countApprovals, countPending, listApprovals, type Place } from './approvals-table.ts'

type Needs = { readonly db: Sql; readonly clock: Pick<Clock, 'now'> }

export type ApprovalList = {
  readonly items: readonly Approval[]
  readonly nextCursor: string | null
  readonly total: number
  readonly pendingTotal: number
  readonly now: Date
}

export type ReadApprovals = (
  tenant: string,
  filter: ApprovalFilter,
  page: {
    readonly limit: number
    readonly cursor?: string | undefined
    readonly offset?: number | undefined
    readonly order?: 'newest'
  },
) => Promise<ApprovalList>

/** One page of the inbox, as it is at this moment: pending ones by their deadlines, all else newest first. */
export function readApprovals({ db, clock }: Needs): ReadApprovals {
  return async (tenant, filter, { limit, cursor, offset, order }) => {
    const now = clock.now()
    const after = cursor === undefined ? undefined : placeIn(cursor)
    const found = await listApprovals(db, tenant, filter, now, {
      order: order ?? (filter.status === 'pending' ? 'deadline' : 'newest'),
      after,
      offset,
      limit: limit + 1,
    })
    const items = found.slice(0, limit)
    const last = found.length > limit ? items.at(-1) : undefined
    return {
      items: items.map((approval) => asOf(approval, now)),
      nextCursor: last ? cursorAt(last) : null,
      total: await countApprovals(db, tenant, filter, now),
      pendingTotal: await countPending(db, tenant, filter.environment, now),
      now,
    }
  }
}

function cursorAt({ deadline, id }: Place): string {
  return `${deadline.getTime()}.${id}`
}

function placeIn(cursor: string): Place {
  const [time = '', id = ''] = cursor.split('.', 2)
  const deadline = new Date(Number(time))
  if (!/^\d{1,15}$/.test(time) || !isId(id))
    throw invalidInput('query.cursor', 'This cursor is none of ours. Begin again without one.')
  return { deadline, id }
}
