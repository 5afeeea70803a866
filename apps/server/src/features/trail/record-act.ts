import { entryBytes, type TrailEntry } from '@countersign/trail'
import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import { type Act, entryOf, personalFactsOf } from './act.ts'
import { type KeySealing, sealPersonalFacts } from './subject-keys.ts'
import { insertEntry } from './trail-tables.ts'

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
    const id = newId()
    const sealed = await sealPersonalFacts(tx, keyring, act.tenant, id, personalFactsOf(act, at), at)
    const entry: TrailEntry = { ...entryOf(act, id, at), ...(sealed.length > 0 && { sealed }) }
    await insertEntry(tx, {
      id,
      tenant: entry.tenant,
      at,
      act: entry.act,
      outcome: entry.outcome,
      actorKind: entry.actor.kind,
      actorId: entry.actor.id,
      subjectKind: entry.subject.kind,
      subjectId: entry.subject.id,
      bytes: entryBytes(entry),
    })
  }
}
