import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { type Approval, asOf } from './approval.ts'
import { findApproval, notePoll, type Sight } from './approvals-table.ts'
import type { Waiting } from './await-settlement.ts'

type Needs = { readonly db: Sql; readonly clock: Pick<Clock, 'now'>; readonly waiting: Waiting }

export type ReadApproval = (sight: Sight, id: string) => Promise<Approval>

/** An approval as it is at this moment. */
export function readApproval({ db, clock }: Pick<Needs, 'db' | 'clock'>): ReadApproval {
  return async (sight, id) => {
    const found = await findApproval(db, sight, id)
    if (!found) throw notFound('approval')
    return asOf(found, clock.now())
  }
}

/** Longer than this nobody is kept waiting: clients give a request up after 30 s. */
const waitSecondsMax = 25

export type Poll = {
  readonly waitSeconds: number
  /** Aborted when the asker has gone. */
  readonly gone: AbortSignal
  /** An agent waits for its answer, and that it asked is kept. A person waits also for one vote of several. */
  readonly isAgent: boolean
}

export type PollApproval = (sight: Sight, id: string, poll: Poll) => Promise<Approval>

/** What the waiting agent asks: answers at once when settled, otherwise as soon as it is, or when the wait is over. */
export function pollApproval({ db, clock, waiting }: Needs): PollApproval {
  const read = readApproval({ db, clock })
  return async (sight, id, { waitSeconds, gone, isAgent }) => {
    const wait = Math.min(waitSeconds, waitSecondsMax) * 1000
    const until = isAgent ? waiting.untilSettled : waiting.untilMoved
    const waiter = wait > 0 ? until(id, wait, gone) : undefined
    try {
      const approval = await read(sight, id)
      if (approval.settlement) return approval
      if (isAgent) await notePoll(db, sight.tenant, id, clock.now())
      if (!waiter) return approval
      // Its own deadline ends the wait too, since nobody announces that in the same instant.
      const untilDeadline = Math.max(1, approval.deadline.getTime() - clock.now().getTime())
      const deadline = waiting.untilSettled(id, Math.min(untilDeadline, wait), gone)
      await Promise.race([waiter.done, deadline.done])
      deadline.cancel()
      return await read(sight, id)
    } finally {
      waiter?.cancel()
    }
  }
}
