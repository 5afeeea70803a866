import { entryBytes, type SealedFacts, type TrailEntry } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { type Act, entryOf, personalFactsOf } from './act.ts'
import { type KeySealing, sealPersonalFacts } from './subject-keys.ts'
import { insertEntries, type StoredEntry } from './trail-tables.ts'

export type DatedAct = { readonly act: Act; readonly id: string; readonly at: Date }

/** Makes the entries of acts and inserts them, all in one statement. */
export async function writeActs(tx: Sql, keyring: KeySealing, acts: readonly DatedAct[], now: Date): Promise<void> {
  const unsealed = acts.map(({ act, id, at }) => ({ tenant: act.tenant, entryId: id, parts: personalFactsOf(act, at) }))
  const sealed = await sealPersonalFacts(tx, keyring, unsealed, now)
  await insertEntries(
    tx,
    acts.map((dated, i) => storedEntry(dated, sealed[i] ?? [])),
  )
}

function storedEntry({ act, id, at }: DatedAct, sealed: readonly SealedFacts[]): StoredEntry {
  const entry: TrailEntry = { ...entryOf(act, id, at), ...(sealed.length > 0 && { sealed }) }
  return {
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
  }
}
