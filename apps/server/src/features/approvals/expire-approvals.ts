import type { Bus } from '../../kernel/bus.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Db } from '../../kernel/db.ts'
import type { RecordAct } from '../trail/index.ts'
import { cancelOfRevokedKeys, expirePending } from './approvals-table.ts'
import { tellSettled } from './tell-settled.ts'

type Needs = {
  readonly db: Db
  readonly clock: Pick<Clock, 'now'>
  readonly bus: Pick<Bus, 'announce'>
  readonly recordAct: RecordAct
}

const batchMax = 200

/**
 * Writes down what time has ended, for those who wait for news; reading an approval and deciding on it never depend on
 * it. Run every second by the worker `approval_timeout`.
 */
export function expireApprovals({ db, clock, bus, recordAct }: Needs): () => Promise<number> {
  return () =>
    untilNone(() =>
      db.inTx(async (tx) => {
        const expired = await expirePending(tx, clock.now(), batchMax)
        for (const approval of expired) await tellSettled({ bus, recordAct }, tx, approval)
        return expired.length
      }),
    )
}

/** What a revoked key asked for is cancelled: at once when the revocation is heard of, and swept up if it was not. */
export function cancelOrphansOfKeys({ db, clock, bus, recordAct }: Needs): () => Promise<number> {
  return () =>
    untilNone(() =>
      db.inTx(async (tx) => {
        const reason = 'The key that asked for it was revoked'
        const cancelled = await cancelOfRevokedKeys(tx, clock.now(), reason, batchMax)
        for (const approval of cancelled) await tellSettled({ bus, recordAct }, tx, approval)
        return cancelled.length
      }),
    )
}

async function untilNone(pass: () => Promise<number>): Promise<number> {
  let total = 0
  for (;;) {
    const count = await pass()
    total += count
    if (count < batchMax) return total
  }
}
