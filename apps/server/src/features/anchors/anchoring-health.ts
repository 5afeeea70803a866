import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { type ChainPlace, findLastWritten, findWaiting } from './anchors-table.ts'

export type AnchoringHealth = {
  readonly isHealthy: boolean
  /** Entries that are in no anchor yet. */
  readonly unanchored: number
  /** Since the last anchor, while there is something new. */
  readonly waitingSeconds: number
  readonly failures: number
  readonly error: string | null
}

type Needs = {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
  readonly place: ChainPlace & { readonly intervalMinutes: number }
  readonly logSize: () => Promise<number>
}

/** A store that is away for a moment is no alarm; one that refuses is, and so is one that stays away. */
const failuresMax = 3

/** Asks the database, so that any replica can tell, also one that does not anchor. */
export async function anchoringHealth({ db, clock, place, logSize }: Needs): Promise<AnchoringHealth> {
  const [last, waiting, size] = [await findLastWritten(db, place), await findWaiting(db, place), await logSize()]
  const unanchored = Math.max(0, size - (last?.size ?? 0))
  const since = last?.madeAt ?? waiting?.madeAt
  const waitingSeconds = unanchored === 0 || !since ? 0 : Math.max(0, (clock.now().getTime() - since.getTime()) / 1000)
  const failures = waiting?.attempts ?? 0
  const isLate = waitingSeconds > 3 * 60 * place.intervalMinutes + 600
  return {
    isHealthy: failures < failuresMax && !isLate,
    unanchored,
    waitingSeconds,
    failures,
    error: waiting?.lastError ?? null,
  }
}
