import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { makePartition } from './events-table.ts'

const monthsAhead = 3

/** Periodic work: makes the partitions of this month and the next three. */
export function makePartitions({ db, clock }: { readonly db: Sql; readonly clock: Pick<Clock, 'now'> }) {
  return async (): Promise<void> => {
    const now = clock.now()
    for (let ahead = 0; ahead <= monthsAhead; ahead += 1) {
      await makePartition(db, monthAfter(now, ahead))
    }
  }
}

function monthAfter(from: Date, months: number): Date {
  const month = new Date(from)
  month.setUTCDate(1)
  month.setUTCMonth(month.getUTCMonth() + months)
  return month
}
