import { type Sql, sqlState } from '../../kernel/db.ts'

/** An event as the table takes it: words are numbers, times microseconds since 1970. */
export type EventRow = {
  readonly tenant: string
  readonly id: string
  readonly atMicros: number
  readonly environment: number
  readonly agent: number
  readonly tool: number
  readonly verdict: number
  readonly mode: number
  readonly rule: number
  readonly keyPrefix: number
  readonly flags: number
  readonly callId: string
  /** Empty for none. */
  readonly sessionId: string
  readonly payload: string
  /** Shared by recorded calls that are the same; undefined when the event tells of no decision. */
  readonly callDigest: string | undefined
}

/** Between texts of one column; written JSON and tidied words contain no control characters. */
const separator = '\x1e'

const insertSql = `
  with given as (
    select ($1::uuid[])[n.tenant] as tenant_id, n.id, n.request, n.environment, n.agent, n.tool, n.verdict, n.mode,
           n.rule, n.key_prefix, n.flags, n.call_id, n.session_id, n.payload, n.call_digest,
           timestamptz 'epoch' + n.at * interval '1 microsecond' as at,
           nextval('event_arrivals') as arrival
      from unnest($2::int[], $3::uuid[], $4::int[], $5::int8[], $6::int[], $7::int[], $8::int[], $9::int[], $10::int[],
                  $11::int[], $12::int[], $13::int2[], string_to_array($14, e'\\x1e'), string_to_array($15, e'\\x1e'),
                  string_to_array($16, e'\\x1e'), $18::uuid[])
           as n (tenant, id, request, at, environment, agent, tool, verdict, mode, rule, key_prefix, flags, call_id,
                 session_id, payload, call_digest)
  ), fresh as (
    insert into event_keys (tenant_id, id, at, received_at)
    select g.tenant_id, g.id, g.at, $17 from given as g
    on conflict (tenant_id, id) do nothing
    returning id
  ), kept as materialized (
    -- "is true" keeps this from becoming a join, which without statistics would compare each row with every other.
    select g.* from given as g where (g.id in (select f.id from fresh as f)) is true
  ), stored as (
    insert into events (tenant_id, at, arrival, received_at, id, environment, agent, tool, verdict, mode, rule,
                        key_prefix, flags, call_id, session_id, payload, call_digest)
    select k.tenant_id, k.at, k.arrival, $17, k.id, k.environment, k.agent, k.tool, k.verdict, k.mode, k.rule,
           k.key_prefix, k.flags, k.call_id, nullif(k.session_id, ''), k.payload, k.call_digest
      from kept as k
  ), counted as (
    insert into event_count_changes (tenant_id, minute, environment, agent, tool, verdict, mode, rule, count)
    select k.tenant_id, date_trunc('minute', k.at, 'UTC'), k.environment, k.agent, k.tool, k.verdict, k.mode, k.rule,
           count(*)
      from kept as k
     group by 1, 2, 3, 4, 5, 6, 7, 8
  )
  select k.request, count(*)::int as count from kept as k group by k.request`

/**
 * Stores those of the rows that are not stored yet, with their keys and counts, in one statement. Answers how many of
 * each request were new. No id may occur twice.
 */
export async function insertEvents(
  sql: Sql,
  requests: readonly (readonly EventRow[])[],
  receivedAt: Date,
): Promise<ReadonlyMap<number, number>> {
  const tenants: string[] = []
  const tenantAt: number[] = []
  const requestAt: number[] = []
  const rows: EventRow[] = []
  for (const [request, own] of requests.entries()) {
    for (const row of own) {
      let at = tenants.indexOf(row.tenant)
      if (at < 0) at = tenants.push(row.tenant) - 1
      tenantAt.push(at + 1)
      requestAt.push(request)
      rows.push(row)
    }
  }
  if (rows.length === 0) return new Map()
  const found = await sql.query<{ request: number; count: number }>(insertSql, [
    tenants,
    numbers(tenantAt),
    `{${rows.map(({ id }) => id).join(',')}}`,
    numbers(requestAt),
    numbers(rows.map(({ atMicros }) => atMicros)),
    numbers(rows.map(({ environment }) => environment)),
    numbers(rows.map(({ agent }) => agent)),
    numbers(rows.map(({ tool }) => tool)),
    numbers(rows.map(({ verdict }) => verdict)),
    numbers(rows.map(({ mode }) => mode)),
    numbers(rows.map(({ rule }) => rule)),
    numbers(rows.map(({ keyPrefix }) => keyPrefix)),
    numbers(rows.map(({ flags }) => flags)),
    texts(rows.map(({ callId }) => callId)),
    texts(rows.map(({ sessionId }) => sessionId)),
    texts(rows.map(({ payload }) => payload)),
    receivedAt,
    `{${rows.map(({ callDigest }) => callDigest ?? 'null').join(',')}}`,
  ])
  return new Map(found.map(({ request, count }) => [request, count]))
}

/** Far cheaper than what the driver makes of an array, which must look at each element for characters to escape. */
function numbers(values: readonly number[]): string {
  return `{${values.join(',')}}`
}

function texts(values: readonly string[]): string {
  return values.join(separator)
}

/** Which of these ids are stored. */
export async function storedIds(sql: Sql, tenant: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ id: string }>(
    `select k.id from event_keys as k where k.tenant_id = $1 and k.id = any($2::uuid[])`,
    [tenant, ids],
  )
  return new Set(rows.map(({ id }) => id))
}

const madeBefore = new Set(['42P07', '23505'])

/** Makes the partition of the month that contains `month` unless it is there; true when it was made. Outside of transactions. */
export async function makePartition(sql: Sql, month: Date): Promise<boolean> {
  try {
    const [row] = await sql.query<{ made: boolean }>(`select make_event_partition($1) as made`, [month])
    return row?.made === true
  } catch (cause) {
    // Of two that make it at once the second may wait for its turn and still not see what the first made.
    if (madeBefore.has(sqlState(cause))) return false
    throw cause
  }
}
