import { type EntryMac, entryBytes, type SealedFacts, type TrailEntry } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { type Act, entryOf, personalFactsOf } from './act.ts'
import type { KeptSealers } from './kept-sealers.ts'
import { type KeySealing, sealPersonalFacts, sealWith, type Unsealed } from './subject-keys.ts'
import { insertEntries, insertUnlessErased, type StoredEntry } from './trail-tables.ts'

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
  const sealed = await sealPersonalFacts(tx, keyring, acts.map(unsealedOf), now)
  await insertEntries(
    tx,
    acts.map((dated, i) => storedEntry(dated, sealed[i] ?? [], macOf)),
  )
}

/** Enough for keys that are erased one after the other while a batch is written. */
const attemptsMax = 3

/** The same in one round trip and a commit of its own, with keys that were read before. */
export async function writeActsAlone(
  db: Sql,
  { macOf, sealers }: Pick<EntryKeys, 'macOf'> & { readonly sealers: KeptSealers },
  acts: readonly DatedAct[],
): Promise<void> {
  const unsealed = acts.map(unsealedOf)
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const known = await sealers.for(unsealed)
    const entries = acts.map((dated, i) => storedEntry(dated, sealWith(known, unsealed[i] ?? nothing), macOf))
    const names = [...known.values()].map(({ name }) => name)
    const erased = await insertUnlessErased(db, entries, names)
    if (erased.length === 0) return
    sealers.forget()
  }
  throw new Error('The keys of what is personal in the trail are erased faster than they can be read.')
}

function unsealedOf({ act, id, at }: DatedAct): Unsealed {
  return { tenant: act.tenant, entryId: id, parts: personalFactsOf(act, at) }
}

const nothing: Unsealed = { tenant: null, entryId: '', parts: [] }

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
