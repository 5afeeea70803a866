import type { Sql, Tx } from '../../kernel/db.ts'
import type { DigestColumn } from './digest-columns.ts'
import type { SealedColumn } from './sealed-columns.ts'

// Across all tenants: an act of the server's machine, which no route leads to. Names of tables and columns are our own.

export type KeyCount = { readonly keyId: string; readonly rows: number }

/** What a value stands under is before its colon; whatever else somebody wrote there is a key nobody has. */
const keyIdOf = (column: string): string => `split_part(t.${column}, ':', 1)`

export function countSealed(db: Sql, { table, column }: SealedColumn): Promise<KeyCount[]> {
  return db.query<KeyCount>(
    `select ${keyIdOf(column)} as "keyId", count(*) as rows from ${table} as t
      where t.${column} is not null group by 1 order by 1`,
  )
}

export function countDigests(db: Sql, { table, column, isLive }: DigestColumn, now: Date): Promise<KeyCount[]> {
  return db.query<KeyCount>(
    `select ${keyIdOf(column)} as "keyId", count(*) as rows from ${table} as t where ${isLive} group by 1 order by 1`,
    [now],
  )
}

export type SealedRow = { readonly key: readonly string[]; readonly box: string; readonly told: string | null }

/**
 * The next rows under these keys beyond `after`, held until the transaction ends. Another run that holds some is waited
 * for, and what it has done meanwhile is not among them.
 */
export function holdSealed(
  tx: Tx,
  { table, column, key, proof }: SealedColumn,
  from: { readonly keyIds: readonly string[]; readonly after: readonly string[] | undefined; readonly max: number },
): Promise<SealedRow[]> {
  const columns = key.map(({ name }) => `t.${name}`).join(', ')
  const beyond = from.after && `and (${columns}) > (${key.map(({ type }, at) => `$${at + 3}::${type}`).join(', ')})`
  return tx.query<SealedRow>(
    `select array[${key.map(({ name }) => `t.${name}::text`).join(', ')}] as key, t.${column} as box,
            ${proof?.of ?? 'null'} as told
       from ${table} as t
      where t.${column} is not null and ${keyIdOf(column)} = any($1) ${beyond ?? ''}
      order by ${columns} limit $2 for no key update of t`,
    [from.keyIds, from.max, ...(from.after ?? [])],
  )
}

export type Resealed = Pick<SealedRow, 'key' | 'box'> & { readonly resealed: string }

export async function writeResealed(
  tx: Tx,
  { table, column, key }: SealedColumn,
  rows: readonly Resealed[],
): Promise<number> {
  const names = key.map(({ name }) => name)
  const parameters = key.map(({ type }, at) => `$${at + 3}::${type}[]`)
  const written = await tx.query(
    `update ${table} as t set ${column} = n.resealed
       from unnest($1::text[], $2::text[], ${parameters.join(', ')}) as n (box, resealed, ${names.join(', ')})
      where ${names.map((one) => `t.${one} = n.${one}`).join(' and ')} and t.${column} = n.box
      returning true as done`,
    [
      rows.map(({ box }) => box),
      rows.map(({ resealed }) => resealed),
      ...key.map((_, at) => rows.map((row) => row.key[at])),
    ],
  )
  return written.length
}

/** Some rows under keys that are not among these, to be named. */
export async function someUnder(
  db: Sql,
  { table, column, key }: SealedColumn,
  notKeyIds: readonly string[],
  max: number,
): Promise<readonly { readonly key: readonly string[]; readonly keyId: string }[]> {
  const columns = key.map(({ name }) => `t.${name}`).join(', ')
  return db.query(
    `select array[${key.map(({ name }) => `t.${name}::text`).join(', ')}] as key, ${keyIdOf(column)} as "keyId"
       from ${table} as t
      where t.${column} is not null and not (${keyIdOf(column)} = any($1)) order by ${columns} limit $2`,
    [notKeyIds, max],
  )
}

/** Whether the role of this connection owns the tables, as the trail's triggers ask it. */
export async function ownsTables(db: Sql): Promise<boolean> {
  const [row] = await db.query<{ owns: boolean }>(
    `select bool_and(pg_has_role(current_user, c.relowner, 'USAGE')) as owns
       from pg_class as c where c.oid in ('trail_subject_keys'::regclass, 'trail_log_keys'::regclass, 'signing_keys'::regclass)`,
  )
  return row?.owns === true
}

/** Whether an entry of the trail has a MAC under this key: the first found will do, since there may be millions. */
export async function hasMacUnder(db: Sql, macKey: string): Promise<boolean> {
  const [row] = await db.query<{ has: boolean }>(
    `select exists (select from trail_entries as e where e.mac_key = $1) as has`,
    [macKey],
  )
  return row?.has === true
}
