import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { incrementCounter, lifetimeMs } from './increment-counter.ts'
import { deleteExpired, deleteValue, putValue, type SessionScope, selectValues } from './session-values-table.ts'

const removedPerStep = 10_000

export type SessionValues = {
  readonly read: (scope: SessionScope, keys: readonly string[]) => Promise<ReadonlyMap<string, string>>
  readonly put: (scope: SessionScope, key: string, value: string) => Promise<void>
  readonly remove: (scope: SessionScope, key: string) => Promise<void>
  /** The amount is decimal text; so is the answer, the shortest there is. */
  readonly increment: (scope: SessionScope, key: string, amount: string) => Promise<string>
  /** Periodic work. */
  readonly sweep: () => Promise<void>
}

type Needs = { readonly db: Sql; readonly clock: Pick<Clock, 'now'> }

/** Counters and values that agents keep for their sessions. */
export function sessionValues({ db, clock }: Needs): SessionValues {
  const increment = incrementCounter({ db, clock })
  return {
    read: (scope, keys) => selectValues(db, scope, keys, clock.now()),
    put: (scope, key, value) => putValue(db, scope, key, value, new Date(clock.now().getTime() + lifetimeMs)),
    remove: (scope, key) => deleteValue(db, scope, key),
    increment: ({ tenant, environment }, key, amount) => increment({ tenant, environment, key, amount }),
    sweep: async () => {
      while ((await deleteExpired(db, clock.now(), removedPerStep)) === removedPerStep);
    },
  }
}
