import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { findWaiting } from './approvals-table.ts'

/** What waits for a human in the whole installation. */
export type HeldCalls = { readonly count: number; readonly oldestSeconds: number }

export function heldCalls({ db, clock }: { readonly db: Sql; readonly clock: Pick<Clock, 'now'> }) {
  return async (): Promise<HeldCalls> => {
    const now = clock.now()
    const { count, since } = await findWaiting(db, now)
    return { count, oldestSeconds: since === null ? 0 : Math.max(0, (now.getTime() - since.getTime()) / 1_000) }
  }
}
