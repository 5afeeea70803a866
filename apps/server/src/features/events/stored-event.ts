import type { EventSeries } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { isJsonObject, type JsonObject, type JsonValue, readJson } from '../../kernel/json.ts'
import { seriesOf } from './actions.ts'
import { flagsOf } from './event-flags.ts'
import type { EventScope } from './event-scope.ts'
import type { EventWords } from './event-words.ts'
import { conditionsSql, moment, statement } from './statement.ts'

/** An event as it is stored, its words spelled and its payload read. */
export type StoredEvent = {
  readonly id: string
  readonly atMicros: number
  readonly arrival: number
  readonly receivedAt: Date
  readonly environment: string
  readonly agent: string
  readonly tool: string
  readonly verdict: string
  readonly mode: string
  readonly rule: string | null
  readonly keyPrefix: string | null
  readonly callId: string
  readonly sessionId: string | null
  readonly flags: readonly string[]
  readonly series: EventSeries
  /** As it came, redacted. */
  readonly payload: JsonObject
  /** Where the details are: the nested payload of older shapes, the event itself of newer ones. */
  readonly details: JsonObject
}

/** Where a page ended: the last event's time and arrival. */
export type Position = { readonly atMicros: number; readonly arrival: number }

export type EventRecord = {
  readonly id: string
  readonly atMicros: number
  readonly arrival: number
  readonly receivedAt: Date
  readonly environment: number
  readonly agent: number
  readonly tool: number
  readonly verdict: number
  readonly mode: number
  readonly rule: number
  readonly keyPrefix: number
  readonly flags: number
  readonly callId: string
  readonly sessionId: string | null
  readonly payload: string
}

const columns = `e.id, (extract(epoch from e.at) * 1000000)::int8 as "atMicros", e.arrival, e.received_at as "receivedAt",
  e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule, e.key_prefix as "keyPrefix", e.flags,
  e.call_id as "callId", e.session_id as "sessionId", e.payload`

type Window = {
  readonly scope: EventScope
  /** Half-open ranges of microseconds, newest first and apart from each other; none means all of time. */
  readonly ranges?: readonly { readonly from: number; readonly to: number }[]
  readonly after: Position | undefined
  readonly limit: number
  /** Looks at so many of the newest events only, whatever the filter; not together with ranges. */
  readonly among?: number
}

/** Events of a scope, newest first, after a position. */
export function selectEvents(db: Sql, { scope, ranges, after, limit, among }: Window): Promise<EventRecord[]> {
  const query = statement()
  const { bind } = query
  const times =
    (scope.since === undefined ? '' : ` and e.at >= ${moment(query, scope.since)}`) +
    (scope.until === undefined ? '' : ` and e.at < ${moment(query, scope.until)}`)
  const position = after
    ? ` and (e.at, e.arrival) < (${moment(query, after.atMicros)}, ${bind(after.arrival)}::int8)`
    : ''
  const place = `e.tenant_id = ${bind(scope.tenant)}${times}${position}`
  const filter = conditionsSql(query, scope)
  const conditions = `${place}${filter}`
  const order = `order by e.at desc, e.arrival desc limit ${bind(limit)}::int`
  if (among !== undefined) {
    return db.query<EventRecord>(
      `select ${columns} from (
         select e.* from events as e where ${place} order by e.at desc, e.arrival desc limit ${bind(among)}::int
       ) as e where true${filter} ${order}`,
      query.values,
    )
  }
  if (ranges === undefined) {
    return db.query<EventRecord>(`select ${columns} from events as e where ${conditions} ${order}`, query.values)
  }
  const epoch = `timestamptz 'epoch'`
  return db.query<EventRecord>(
    `select e.* from unnest(${bind(ranges.map(({ from }) => from))}::int8[], ${bind(ranges.map(({ to }) => to))}::int8[]) as r (lower, upper)
      cross join lateral (
        select ${columns} from events as e
         where ${conditions} and e.at >= ${epoch} + r.lower * interval '1 microsecond'
           and e.at < ${epoch} + r.upper * interval '1 microsecond'
         ${order}
      ) as e
      order by e."atMicros" desc, e.arrival desc limit ${bind(limit)}::int`,
    query.values,
  )
}

export async function selectEvent(db: Sql, tenant: string, id: string): Promise<EventRecord | undefined> {
  const [row] = await db.query<EventRecord>(
    `select ${columns} from event_keys as k
       join events as e on e.tenant_id = k.tenant_id and e.at = k.at and e.received_at = k.received_at and e.id = k.id
      where k.tenant_id = $1 and k.id = $2::uuid`,
    [tenant, id],
  )
  return row
}

const storyMax = 200

/** Every event of one call, oldest first; within one environment, since ids are the agents' own. */
export function selectCall(db: Sql, tenant: string, environment: number, callId: string): Promise<EventRecord[]> {
  return db.query<EventRecord>(
    `select ${columns} from events as e
      where e.tenant_id = $1 and hashtextextended(e.call_id, 0) = hashtextextended($2::text collate "C", 0)
        and e.call_id = $2 and e.environment = $3
      order by e.at, e.arrival limit ${storyMax}`,
    [tenant, callId, environment],
  )
}

/** Spells and reads rows. */
export async function readEvents(
  words: EventWords,
  tenant: string,
  rows: readonly EventRecord[],
): Promise<readonly StoredEvent[]> {
  const spelled = await words.spell(
    tenant,
    rows.flatMap((row) => [row.environment, row.agent, row.tool, row.verdict, row.mode, row.rule, row.keyPrefix]),
  )
  const word = (number: number): string => spelled.get(number) ?? ''
  return rows.map((row) => {
    const payload = objectOf(readJson(row.payload))
    const verdict = word(row.verdict)
    const mode = word(row.mode)
    return {
      id: row.id,
      atMicros: row.atMicros,
      arrival: row.arrival,
      receivedAt: row.receivedAt,
      environment: word(row.environment),
      agent: word(row.agent),
      tool: word(row.tool),
      verdict,
      mode,
      rule: word(row.rule) || null,
      keyPrefix: word(row.keyPrefix) || null,
      callId: row.callId,
      sessionId: row.sessionId,
      flags: flagsOf(row.flags),
      series: seriesOf(verdict, mode),
      payload,
      details: isJsonObject(payload['payload']) ? payload['payload'] : payload,
    }
  })
}

function objectOf(value: JsonValue): JsonObject {
  return isJsonObject(value) ? value : {}
}
