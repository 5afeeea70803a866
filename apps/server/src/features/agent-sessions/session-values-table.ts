import type { Sql } from '../../kernel/db.ts'

/** Agents of one environment share their keys; other environments have their own. */
export type SessionScope = { readonly tenant: string; readonly environment: string }

export type Increment = SessionScope & { readonly key: string; readonly amount: string }

const digest = (key: string): string => `sha256(convert_to(${key}, 'UTF8'))`

type Row = {
  readonly key: string
  readonly value: string | null
  readonly number: string | null
  readonly escaped: boolean
}

/** Values of those keys that exist and have not expired. */
export async function selectValues(
  sql: Sql,
  { tenant, environment }: SessionScope,
  keys: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.query<Row>(
    `select v.key, v.value, trim_scale(v.number)::text as number, v.is_escaped as escaped
       from unnest($3::text[]) as k (key)
       join agent_session_values as v on v.tenant_id = $1 and v.environment = $2 and v.key_digest = ${digest('k.key')}
      where v.expires_at > $4`,
    [tenant, environment, keys, now],
  )
  return new Map(
    rows.map(({ key, value, number, escaped }) => [
      key,
      value === null ? (number ?? '0') : escaped ? (JSON.parse(value) as string) : value,
    ]),
  )
}

/** What an increment may add to: decimal text, as the SDKs write it. */
const decimal = /^-?\d{1,30}(\.\d{1,20})?$/

export async function putValue(
  sql: Sql,
  { tenant, environment }: SessionScope,
  key: string,
  value: string,
  expiresAt: Date,
): Promise<void> {
  // Neither fits into a text of the database; escaped, it comes back byte for byte.
  const isEscaped = value.includes('\0') || !value.isWellFormed()
  await sql.query(
    `insert into agent_session_values as v
       (tenant_id, environment, key_digest, key, value, is_escaped, number, expires_at, expires_on)
     values ($1, $2, ${digest('$3::text')}, $3, $4, $5, $6::numeric, $7, ($7::timestamptz at time zone 'UTC')::date)
     on conflict (tenant_id, environment, key_digest) do update
       set value = excluded.value, is_escaped = excluded.is_escaped, number = excluded.number,
           expires_at = excluded.expires_at, expires_on = excluded.expires_on`,
    [
      tenant,
      environment,
      key,
      isEscaped ? JSON.stringify(value) : value,
      isEscaped,
      decimal.test(value) ? value : null,
      expiresAt,
    ],
  )
}

export async function deleteValue(sql: Sql, { tenant, environment }: SessionScope, key: string): Promise<void> {
  await sql.query(
    `delete from agent_session_values as v
      where v.tenant_id = $1 and v.environment = $2 and v.key_digest = ${digest('$3::text')}`,
    [tenant, environment, key],
  )
}

/**
 * Adds every amount to its counter in one statement: each counter changes once, by the sum, and each increment learns
 * what its counter would have been after it and those before it. In the order of the digests, so that two replicas
 * never wait for each other in a circle. One whose value is no number, or would have too many digits, answers null.
 */
export async function addAmounts(
  sql: Sql,
  increments: readonly Increment[],
  now: Date,
  expiresAt: Date,
): Promise<readonly (string | null)[]> {
  const rows = await sql.query<{ at: number; value: string | null }>(
    `with given as (
       select n.at, n.tenant_id, n.environment, n.key, n.amount, ${digest('n.key')} as key_digest
         from unnest($1::uuid[], $2::text[], $3::text[], $4::numeric[])
              with ordinality as n (tenant_id, environment, key, amount, at)
     ), sums as (
       select g.tenant_id, g.environment, g.key_digest, min(g.key) as key, sum(g.amount) as amount
         from given as g group by 1, 2, 3
     ), written as (
       insert into agent_session_values as v
         (tenant_id, environment, key_digest, key, number, expires_at, expires_on)
       select s.tenant_id, s.environment, s.key_digest, s.key, s.amount, $6, ($6::timestamptz at time zone 'UTC')::date
         from sums as s order by 1, 2, 3
       on conflict (tenant_id, environment, key_digest) do update
         set number = case when v.expires_at <= $5 then excluded.number else v.number + excluded.number end,
             value = null, is_escaped = false, expires_at = excluded.expires_at, expires_on = excluded.expires_on
         where v.expires_at <= $5 or abs(v.number) < 1e30
       returning v.tenant_id, v.environment, v.key_digest, v.number
     )
     select g.at::int as at,
            trim_scale(w.number - s.amount + sum(g.amount) over (
              partition by g.tenant_id, g.environment, g.key_digest order by g.at))::text as value
       from given as g
       join sums as s using (tenant_id, environment, key_digest)
       left join written as w using (tenant_id, environment, key_digest)`,
    [
      increments.map(({ tenant }) => tenant),
      increments.map(({ environment }) => environment),
      increments.map(({ key }) => key),
      increments.map(({ amount }) => amount),
      now,
      expiresAt,
    ],
    // Planning it takes as long as running it.
    'add-amounts',
  )
  const values = new Map(rows.map(({ at, value }) => [at, value]))
  return increments.map((_, at) => values.get(at + 1) ?? null)
}

/** Removes what has expired; some at a time. */
export async function deleteExpired(sql: Sql, now: Date, max: number): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `with removed as (
       delete from agent_session_values as v
        where (v.tenant_id, v.environment, v.key_digest) in (
          select e.tenant_id, e.environment, e.key_digest from agent_session_values as e
           where e.expires_on <= ($1::timestamptz at time zone 'UTC')::date and e.expires_at <= $1 limit $2
        ) and v.expires_at <= $1
       returning 1
     ) select count(*)::int as count from removed`,
    [now, max],
  )
  return row?.count ?? 0
}
