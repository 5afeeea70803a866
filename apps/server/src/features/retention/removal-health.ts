import type { Sql } from '../../kernel/db.ts'
import { findHolds } from './holds-table.ts'
import { holdOn } from './removal.ts'
import { findUnfinished } from './removals-table.ts'

export type RemovalHealth = {
  readonly isHealthy: boolean
  /** Failed attempts, one after the other, at the removal that does not get on. */
  readonly failures: number
  readonly error: string | null
}

/** A store that is away for a moment is no alarm; one that refuses is, and so is a span that is not what was anchored. */
const failuresMax = 3

/** Asks the database, so that any replica can tell, also one that removes nothing. What a hold keeps waits for people. */
export async function removalHealth({ db }: { readonly db: Sql }): Promise<RemovalHealth> {
  const failed = (await findUnfinished(db)).filter(({ lastError }) => lastError !== null)
  const holds = failed.length === 0 ? [] : await findHolds(db)
  const [worst] = failed.filter((removal) => !holdOn(removal, holds)).toSorted((a, b) => b.attempts - a.attempts)
  const failures = worst?.attempts ?? 0
  return { isHealthy: failures < failuresMax, failures, error: worst?.lastError ?? null }
}
