import { type EntryMac, entryBytes, type SealedFacts, type TrailEntry } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { type Act, entryOf, personalFactsOf } from './act.ts'
import { type KeySealing, sealPersonalFacts } from './subject-keys.ts'
import { insertEntries, type StoredEntry } from './trail-tables.ts'

export type DatedAct = { readonly act: Act; readonly id: string; readonly at: Date }

/** What entries are made with: the keys of what is personal, and the keyed MAC where the operator gave a secret for one. */
export type EntryKeys = { readonly keyring: KeySealing; readonly macOf?: ((bytes: Uint8Array) => EntryMac) | undefined }

/** Makes the entries of acts and inserts them, all in one statement. */
export async function writeActs(
  tx: Sql,
  { keyring, macOf }: EntryKeys,
  acts: readonly DatedAct[],
  now: Date,
): Promise<void> {
  const unsealed = acts.map(({ act, id, at }) => ({ tenant: act.tenant, entryId: id, parts: personalFactsOf(act, at) }))
  const sealed = await sealPersonalFacts(tx, keyring, unsealed, now)
  await insertEntries(
    tx,
    acts.map((dated, i) => storedEntry(dated, sealed[i] ?? [], macOf)),
  )
}

function storedEntry(
  { act, id, at }: DatedAct,
  sealed: readonly SealedFacts[],
  macOf: EntryKeys['macOf'],
): StoredEntry {
  const entry: TrailEntry = { ...entryOf(act, id, at), ...(sealed.length > 0 && { sealed }) }
  const bytes = entryBytes(entry)
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
    requestId: entry.request.id,
    bytes,
    mac: macOf?.(bytes),
  }
}
