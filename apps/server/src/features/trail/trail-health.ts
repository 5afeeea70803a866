import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { findOldestUnsequenced } from './sequence-table.ts'

/** An entry waits 50 ms for its number; one that waited this long tells of a sequencer that does not run or cannot write. */
const unsequencedSecondsMax = 5

export type TrailHealth = { readonly isHealthy: boolean; readonly unsequencedSeconds: number }

/** Asks the database, so that any replica can tell, also one that does not sequence. */
export async function trailHealth({
  db,
  clock,
}: {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
}): Promise<TrailHealth> {
  const oldest = await findOldestUnsequenced(db)
  const waited = oldest === undefined ? 0 : (clock.now().getTime() - oldest.getTime()) / 1000
  const unsequencedSeconds = Math.max(0, waited)
  return { isHealthy: unsequencedSeconds < unsequencedSecondsMax, unsequencedSeconds }
}
