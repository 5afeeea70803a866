import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import type { Act } from './act.ts'
import { type EntryKeys, writeActs } from './write-acts.ts'

type Needs = EntryKeys & {
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
}

export type RecordAct = (tx: Sql, act: Act) => Promise<void>

/**
 * Writes an act into the trail within the caller's transaction: both are durable, or neither happened.
 * Every management act and every refusal calls it. What it throws must undo the act.
 */
export function recordAct({ clock, newId, ...keys }: Needs): RecordAct {
  return async (tx, act) => {
    const at = clock.now()
    await writeActs(tx, keys, [{ act, id: newId(), at }], at)
  }
}
