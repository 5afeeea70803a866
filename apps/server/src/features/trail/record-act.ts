import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import type { Act } from './act.ts'
import type { KeySealing } from './subject-keys.ts'
import { writeActs } from './write-acts.ts'

type Needs = {
  readonly clock: Pick<Clock, 'now'>
  readonly newId: () => string
  readonly keyring: KeySealing
}

export type RecordAct = (tx: Sql, act: Act) => Promise<void>

/**
 * Writes an act into the trail within the caller's transaction: both are durable, or neither happened.
 * Every management act and every refusal calls it. What it throws must undo the act.
 */
export function recordAct({ clock, newId, keyring }: Needs): RecordAct {
  return async (tx, act) => {
    const at = clock.now()
    await writeActs(tx, keyring, [{ act, id: newId(), at }], at)
  }
}
