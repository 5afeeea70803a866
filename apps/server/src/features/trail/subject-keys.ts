import type { JsonObject } from '@countersign/trail'
import { factSealer, makePersonKey, openFacts, personKeyName, type SealedFacts } from '@countersign/trail'
import type { Keyring } from '../../kernel/crypto.ts'
import type { Sql } from '../../kernel/db.ts'
import type { PersonalFacts } from './act.ts'
import { eraseKeys, findKeysByName, findKeysInUse, insertKeys, type SubjectKey } from './trail-tables.ts'

/** Keys at rest are sealed under the server's own key, each bound to its name. */
export type KeySealing = Pick<Keyring, 'seal' | 'unseal'>

const purpose = 'trail-subject-key'

/** What is to be sealed for one entry. */
export type Unsealed = {
  readonly tenant: string | null
  readonly entryId: string
  readonly parts: readonly PersonalFacts[]
}

/** Seals what is told of one person; `name` is the name of their key. */
export type Sealer = { readonly name: string; readonly seal: (entryId: string, facts: JsonObject) => SealedFacts }

/** By tenant and the one the facts are about. */
export type Sealers = ReadonlyMap<string, Sealer>

export const sealerId = (tenant: string | null, dataSubject: string): string => `${tenant ?? ''}\n${dataSubject}`

/** Seals each part under the key of the one it is about, for many entries at once; makes the keys that are missing. */
export async function sealPersonalFacts(
  tx: Sql,
  sealing: KeySealing,
  entries: readonly Unsealed[],
  at: Date,
): Promise<readonly (readonly SealedFacts[])[]> {
  const sealers = await readSealers(tx, sealing, wantedKeys(entries), at)
  return entries.map((entry) => sealWith(sealers, entry))
}

export function sealWith(sealers: Sealers, { tenant, entryId, parts }: Unsealed): readonly SealedFacts[] {
  return parts.map(({ dataSubject, facts }) => {
    const sealer = sealers.get(sealerId(tenant, dataSubject))
    if (sealer === undefined) throw new Error(`The trail has no key for ${dataSubject} although it was just made.`)
    return sealer.seal(entryId, facts)
  })
}

type WantedKeys = ReadonlyMap<string | null, ReadonlySet<string>>

/** Reads the keys of these, and makes those that are missing. */
export async function readSealers(tx: Sql, sealing: KeySealing, wanted: WantedKeys, at: Date): Promise<Sealers> {
  const sealers = new Map<string, Sealer>()
  for (const [tenant, dataSubjects] of wanted) {
    const keys = await keysFor(tx, sealing, tenant, [...dataSubjects], at)
    for (const [dataSubject, { name, key }] of keys)
      sealers.set(sealerId(tenant, dataSubject), { name, seal: factSealer(key) })
  }
  return sealers
}

/** The keys that entries need, those apart that are known already. */
export function wantedKeys(entries: readonly Unsealed[], known: Sealers = new Map()): WantedKeys {
  const wanted = new Map<string | null, Set<string>>()
  for (const { tenant, parts } of entries) {
    for (const { dataSubject } of parts) {
      if (known.has(sealerId(tenant, dataSubject))) continue
      const ofTenant = wanted.get(tenant) ?? new Set()
      wanted.set(tenant, ofTenant.add(dataSubject))
    }
  }
  return wanted
}

type OpenedKey = { readonly name: string; readonly key: Uint8Array }

async function keysFor(
  tx: Sql,
  sealing: KeySealing,
  tenant: string | null,
  wanted: readonly string[],
  at: Date,
): Promise<ReadonlyMap<string, OpenedKey>> {
  const found = await findKeysInUse(tx, tenant, wanted)
  const missing = wanted.filter((dataSubject) => !found.some((key) => key.dataSubject === dataSubject))
  if (missing.length === 0) return opened(found, sealing)
  await insertKeys(
    tx,
    tenant,
    missing.map((dataSubject) => freshKey(dataSubject, sealing)),
    at,
  )
  // Read back rather than used as made: another transaction may have been first.
  return opened(await findKeysInUse(tx, tenant, wanted), sealing)
}

function freshKey(dataSubject: string, sealing: KeySealing): SubjectKey {
  const key = makePersonKey()
  const name = personKeyName(key)
  return { name, dataSubject, sealedKey: sealing.seal(purpose, name, key) }
}

function opened(keys: readonly SubjectKey[], sealing: KeySealing): ReadonlyMap<string, OpenedKey> {
  return new Map(
    keys.map(({ name, dataSubject, sealedKey }) => [
      dataSubject,
      { name, key: sealing.unseal(purpose, name, sealedKey) },
    ]),
  )
}

/** What an entry says of persons. Not whole when the key of a part was erased. */
export type OpenedFacts = { readonly facts: JsonObject; readonly isWhole: boolean }

/** Opens the sealed parts of a tenant's entries, by entry id. */
export async function openPersonalFacts(
  tx: Sql,
  sealing: KeySealing,
  tenant: string | null,
  entries: readonly { readonly id: string; readonly sealed?: readonly SealedFacts[] }[],
): Promise<ReadonlyMap<string, OpenedFacts>> {
  const names = new Set(entries.flatMap((entry) => entry.sealed ?? []).map((box) => box.key))
  if (names.size === 0) return new Map()
  const found = await findKeysByName(tx, tenant, [...names])
  const keys = new Map(found.map(({ name, sealedKey }) => [name, sealing.unseal(purpose, name, sealedKey)]))
  return new Map(
    entries.map(({ id, sealed = [] }) => {
      const parts = sealed.map((box) => openPart(keys.get(box.key), id, box))
      return [id, { facts: Object.assign({}, ...parts), isWhole: !parts.includes(undefined) }]
    }),
  )
}

function openPart(key: Uint8Array | undefined, entryId: string, box: SealedFacts): JsonObject | undefined {
  return key && openFacts(key, entryId, box)
}

/** Erases everything personal the trail says of somebody, for good. Answers how many keys were destroyed. */
export function erasePersonalFacts(tx: Sql, tenant: string | null, dataSubject: string, at: Date): Promise<number> {
  return eraseKeys(tx, tenant, dataSubject, at)
}
