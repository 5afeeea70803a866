import type { EntryMac } from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { byteaArray, textArray, timeArray, uuidArray } from './array-parameters.ts'

/** An entry as it is stored: its bytes, and copies of what is searched by. */
export type StoredEntry = {
  readonly id: string
  readonly tenant: string | null
  readonly at: Date
  readonly act: string
  readonly outcome: string
  readonly actorKind: string
  readonly actorId: string
  readonly subjectKind: string
  readonly subjectId: string
  readonly requestId: string | undefined
  readonly bytes: Uint8Array
  readonly mac: EntryMac | undefined
}

const insertText = `
  insert into trail_entries (id, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, request_id,
      bytes, mac, mac_key)
    select n.id, n.tenant_id, n.at, n.act, n.outcome, n.actor_kind, n.actor_id, n.subject_kind, n.subject_id,
        n.request_id, n.bytes, n.mac, n.mac_key
      from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
          $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::text[])
        as n (id, tenant_id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, request_id, bytes, mac, mac_key)`

function columnsOf(entries: readonly StoredEntry[]): readonly Buffer[] {
  return [
    uuidArray(entries.map((entry) => entry.id)),
    uuidArray(entries.map((entry) => entry.tenant)),
    timeArray(entries.map((entry) => entry.at)),
    textArray(entries.map((entry) => entry.act)),
    textArray(entries.map((entry) => entry.outcome)),
    textArray(entries.map((entry) => entry.actorKind)),
    textArray(entries.map((entry) => searchable(entry.actorId))),
    textArray(entries.map((entry) => entry.subjectKind)),
    textArray(entries.map((entry) => searchable(entry.subjectId))),
    textArray(entries.map(({ requestId }) => (requestId === undefined ? null : searchable(requestId)))),
    byteaArray(entries.map((entry) => entry.bytes)),
    byteaArray(entries.map(({ mac }) => mac?.value ?? null)),
    textArray(entries.map(({ mac }) => mac?.key ?? null)),
  ]
}

/** One statement, however many: a round trip and a commit cost more than the rows. */
export async function insertEntries(tx: Sql, entries: readonly StoredEntry[]): Promise<void> {
  await tx.query(insertText, columnsOf(entries))
}

/**
 * The same for entries whose keys were read earlier, and a transaction of its own where it is not given one. Answers the
 * names of keys that meanwhile were erased; nothing is written then.
 */
export async function insertUnlessErased(
  db: Sql,
  entries: readonly StoredEntry[],
  keyNames: readonly string[],
): Promise<readonly string[]> {
  const erased = await db.query<{ name: string }>(
    `with erased as materialized (
        select k.name from unnest($14::text[]) as k (name)
          where not exists (select from trail_subject_keys as s where s.name = k.name and s.sealed_key is not null)),
      written as (${insertText}
        where not exists (select from erased))
      select e.name from erased as e`,
    [...columnsOf(entries), textArray(keyNames)],
    'append-to-trail',
  )
  return erased.map(({ name }) => name)
}

/** PostgreSQL's text has no U+0000; the bytes of the entry have it, and this is how its columns show it. */
export function searchable(text: string): string {
  return text.replaceAll('\0', '\\u0000')
}

export type SubjectKey = { readonly name: string; readonly dataSubject: string; readonly sealedKey: string }

export async function findKeysInUse(
  tx: Sql,
  tenant: string | null,
  dataSubjects: readonly string[],
): Promise<readonly SubjectKey[]> {
  return tx.query<SubjectKey>(
    `select k.name, k.data_subject as "dataSubject", k.sealed_key as "sealedKey"
      from trail_subject_keys as k
      where k.tenant_id is not distinct from $1 and k.data_subject = any($2) and k.sealed_key is not null`,
    [tenant, dataSubjects],
  )
}

/** Keys that another transaction has made meanwhile stay as they are; read them after this. */
export async function insertKeys(tx: Sql, tenant: string | null, keys: readonly SubjectKey[], at: Date): Promise<void> {
  await tx.query(
    `insert into trail_subject_keys (name, tenant_id, data_subject, sealed_key, made_at)
      select n.name, $1, n.data_subject, n.sealed_key, $5
        from unnest($2::text[], $3::text[], $4::text[]) as n (name, data_subject, sealed_key)
        order by n.data_subject
      on conflict (data_subject, tenant_id) where sealed_key is not null do nothing`,
    [tenant, keys.map((key) => key.name), keys.map((key) => key.dataSubject), keys.map((key) => key.sealedKey), at],
  )
}

export async function findKeysByName(
  tx: Sql,
  tenant: string | null,
  names: readonly string[],
): Promise<readonly SubjectKey[]> {
  return tx.query<SubjectKey>(
    `select k.name, k.data_subject as "dataSubject", k.sealed_key as "sealedKey"
      from trail_subject_keys as k
      where k.tenant_id is not distinct from $1 and k.name = any($2) and k.sealed_key is not null`,
    [tenant, names],
  )
}

export async function eraseKeys(tx: Sql, tenant: string | null, dataSubject: string, at: Date): Promise<number> {
  const erased = await tx.query<{ name: string }>(
    `update trail_subject_keys as k set sealed_key = null, erased_at = $3
      where k.tenant_id is not distinct from $1 and k.data_subject = $2 and k.sealed_key is not null
      returning k.name`,
    [tenant, dataSubject, at],
  )
  return erased.length
}

/** The tenant, while there is only one. */
export async function findOnlyTenant(db: Sql): Promise<string | null> {
  const tenants = await db.query<{ id: string }>('select t.id from tenants as t limit 2')
  return tenants.length === 1 ? (tenants[0]?.id ?? null) : null
}
