import type { Sql } from '../../kernel/db.ts'

/** What erasing somebody would make unreadable. */
export type ErasurePreview = {
  readonly keys: number
  readonly entries: number
  /** False when there are more entries than are looked at; then there are at least so many. */
  readonly isExact: boolean
  readonly firstAt: Date | null
  readonly lastAt: Date | null
}

/** More would keep the reader waiting. */
const lookedMax = 100_000

/** Counts the entries whose sealed part is under a key of somebody that is still there. Changes nothing. */
export async function previewErasure(db: Sql, tenant: string, dataSubject: string): Promise<ErasurePreview> {
  const cut = dataSubject.indexOf(':')
  const [kind, id] = [dataSubject.slice(0, cut), dataSubject.slice(cut + 1)]
  const isMonth = kind === 'anyone'
  const [row] = await db.query<ErasurePreview & { readonly looked: number }>(
    `with keys as (
        select convert_to(k.name, 'UTF8') as name from trail_subject_keys as k
          where k.tenant_id is not distinct from $1 and k.data_subject = $2 and k.sealed_key is not null),
      looked_at as materialized (
        select s.entry_id, s.at from trail_sequence as s
          where s.tenant_id = $1 and ${
            isMonth
              ? `s.at >= ($3 || '-01T00:00:00Z')::timestamptz and s.at < ($3 || '-01T00:00:00Z')::timestamptz + interval '32 days'`
              : '(s.actor_id = $3 or s.subject_id = $3)'
          }
          order by s.number desc limit ${lookedMax}),
      found as (
        select l.at from looked_at as l join trail_entries as e on e.id = l.entry_id
          where exists (select from keys as k where position(k.name in e.bytes) > 0))
      select (select count(*) from keys) as keys, (select count(*) from looked_at) as looked,
          (select count(*) from found) as entries, (select min(f.at) from found as f) as "firstAt",
          (select max(f.at) from found as f) as "lastAt"`,
    [tenant, dataSubject, id],
  )
  if (!row) throw new Error('PostgreSQL counted nothing.')
  return { ...row, isExact: row.looked < lookedMax }
}
