import type { Sql } from '../../kernel/db.ts'
import { searchable } from './trail-tables.ts'

export type TrailFilter = {
  readonly actor?: string | undefined
  /** An act, or its noun with a star: `key.*`. */
  readonly act?: string | undefined
  /** Acts of these nouns, or of all others. */
  readonly nouns?: readonly string[] | undefined
  readonly otherNouns?: readonly string[] | undefined
  readonly subject?: string | undefined
  readonly subjectKind?: string | undefined
  readonly outcome?: string | undefined
  /** Id of the request. */
  readonly request?: string | undefined
  /** Half open: from `since`, before `until`. */
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  readonly text?: string | undefined
  /** Only numbers below it. */
  readonly before?: number | undefined
}

export type NumberedEntry = { readonly number: number; readonly bytes: Uint8Array; readonly leafHash: Uint8Array }

/** How many of the newest entries are looked at in search of a text, where only what is not sealed is looked through. */
const textWindow = 20_000

/** The newest entries first, and below which number to go on; nothing when there are no more. */
export async function findEntries(
  db: Sql,
  tenant: string,
  filter: Omit<TrailFilter, 'text'>,
  limit: number,
): Promise<{ readonly entries: readonly NumberedEntry[]; readonly next: number | undefined }> {
  const { where, values } = conditions(tenant, filter)
  const rows = await db.query<NumberedEntry>(
    `select s.number, e.bytes, e.leaf_hash as "leafHash"
      from trail_sequence as s
      join trail_entries as e on e.id = s.entry_id
      where ${where}
      order by s.number desc
      limit ${limit + 1}`,
    values,
  )
  const entries = rows.slice(0, limit)
  return { entries, next: rows.length > limit ? entries.at(-1)?.number : undefined }
}

/** One numbered page, the newest first. A search for text looks at the newest entries only, like every other one. */
export async function findPage(
  db: Sql,
  tenant: string,
  filter: TrailFilter,
  limit: number,
  offset: number,
): Promise<NumberedEntry[]> {
  const { matches, values } = matching(tenant, filter)
  return db.query<NumberedEntry>(
    `with matches as (${matches})
      select m.number, e.bytes, e.leaf_hash as "leafHash"
        from (select f.number, f.entry_id from matches as f order by f.number desc
               limit $${values.length + 1} offset $${values.length + 2}) as m
        join trail_entries as e on e.id = m.entry_id
        order by m.number desc`,
    [...values, limit, offset],
  )
}

export async function countEntries(db: Sql, tenant: string, filter: TrailFilter): Promise<number> {
  const { matches, values } = matching(tenant, filter)
  const [row] = await db.query<{ count: number }>(`select count(*) as count from (${matches}) as m`, values)
  return row?.count ?? 0
}

function matching(
  tenant: string,
  filter: TrailFilter,
): { readonly matches: string; readonly values: readonly unknown[] } {
  const { where, values } = conditions(tenant, filter)
  if (filter.text === undefined)
    return { matches: `select s.number, s.entry_id from trail_sequence as s where ${where}`, values }
  return {
    matches: `select l.number, l.entry_id
      from (select s.number, s.entry_id from trail_sequence as s where ${where} order by s.number desc limit ${textWindow}) as l
      join trail_entries as e on e.id = l.entry_id
      where position($${values.length + 1} in lower(convert_from(e.bytes, 'UTF8'))) > 0`,
    values: [...values, asWritten(filter.text)],
  }
}

/** How many of the newest matches have each value of a column, the commonest first. */
export async function countBy(
  db: Sql,
  tenant: string,
  filter: TrailFilter,
  column: 's.act' | 's.actor_id' | 's.outcome' | 's.subject_kind',
  limit: number,
): Promise<{ value: string; count: number }[]> {
  const { where, values } = conditions(tenant, filter)
  const searched =
    filter.text === undefined
      ? { join: '', where: '', limit, values: [] }
      : {
          join: 'join trail_entries as e on e.id = w.entry_id',
          where: `where position($${values.length + 1} in lower(convert_from(e.bytes, 'UTF8'))) > 0`,
          limit: textWindow,
          values: [asWritten(filter.text)],
        }
  return db.query<{ value: string; count: number }>(
    `with looked_at as materialized (
        select ${column} as value, s.entry_id from trail_sequence as s where ${where} order by s.number desc limit ${searched.limit})
      select w.value, count(*) as count from looked_at as w ${searched.join} ${searched.where}
        group by w.value order by count(*) desc, w.value`,
    [...values, ...searched.values],
  )
}

/** The text as it stands within an entry: JSON's escapes, lower case. */
export function asWritten(text: string): string {
  return JSON.stringify(text).slice(1, -1).toLowerCase()
}

function conditions(
  tenant: string,
  filter: TrailFilter,
): { readonly where: string; readonly values: readonly unknown[] } {
  const values: unknown[] = [tenant]
  const parts = ['s.tenant_id = $1']
  const add = (condition: string, value: unknown): void => {
    if (value === undefined) return
    values.push(value)
    parts.push(condition.replace('?', `$${values.length}`))
  }
  const isNoun = filter.act?.endsWith('.*') === true
  add(isNoun ? 'starts_with(s.act, ?)' : 's.act = ?', isNoun ? filter.act?.slice(0, -1) : filter.act)
  add(`split_part(s.act, '.', 1) = any(?)`, filter.nouns)
  add(`split_part(s.act, '.', 1) <> all(?)`, filter.otherNouns)
  add('s.actor_id = ?', filter.actor === undefined ? undefined : searchable(filter.actor))
  add('s.subject_id = ?', filter.subject === undefined ? undefined : searchable(filter.subject))
  add('s.subject_kind = ?', filter.subjectKind)
  add('s.outcome = ?', filter.outcome)
  add('s.request_id = ?', filter.request === undefined ? undefined : searchable(filter.request))
  add('s.at >= ?', filter.since)
  add('s.at < ?', filter.until)
  add('s.number < ?', filter.before)
  return { where: parts.join(' and '), values }
}

type StoredMac = { readonly mac: Uint8Array | null; readonly macKey: string | null }

export async function findEntry(
  db: Sql,
  tenant: string,
  number: number,
): Promise<(NumberedEntry & StoredMac) | undefined> {
  const [row] = await db.query<NumberedEntry & StoredMac>(
    `select s.number, e.bytes, e.leaf_hash as "leafHash", e.mac, e.mac_key as "macKey"
      from trail_sequence as s
      join trail_entries as e on e.id = s.entry_id
      where s.tenant_id = $1 and s.number = $2`,
    [tenant, number],
  )
  return row
}

/** For the operator's own tools, which read the whole log. */
export async function findEntryOfAnyTenant(db: Sql, number: number): Promise<NumberedEntry | undefined> {
  const [row] = await db.query<NumberedEntry>(
    `select s.number, e.bytes, e.leaf_hash as "leafHash"
      from trail_sequence as s
      join trail_entries as e on e.id = s.entry_id
      where s.number = $1`,
    [number],
  )
  return row
}

export async function findHead(
  db: Sql,
): Promise<{ readonly size: number; readonly root: Uint8Array; readonly at: Date } | undefined> {
  const [row] = await db.query<{ size: number; root: Uint8Array; at: Date }>(
    'select h.size, h.root, h.at from trail_heads as h order by h.size desc limit 1',
  )
  return row
}
