import type { PoolClient } from 'pg'
import type { Db } from '../../kernel/db.ts'
import type { EventScope } from './event-scope.ts'
import { type EventWords, eventWords } from './event-words.ts'
import { conditionsSql, moment, type Statement, statement } from './statement.ts'

/** An event with its words spelled and its payload unread, for whoever goes through millions of them. */
export type RawEvent = {
  readonly id: string
  readonly atMs: number
  readonly environment: string
  readonly agent: string
  readonly tool: string
  readonly action: string
  readonly mode: string
  readonly rule: string
  readonly callId: string
  readonly payload: string
  readonly digest: string | undefined
}

/** Whoever goes through the calls. All that is told of one whose like he has seen is when it was, and its id. */
export type CallReader = {
  readonly add: (event: RawEvent) => void
  readonly knows: (digest: string) => boolean
  /** False when he has forgotten its like meanwhile: he is then given all of the event. */
  readonly addLike: (event: { readonly atMs: number; readonly callId: string; readonly digest: string }) => boolean
}

/** Microseconds, call id, digest; and for a row without a digest its id, the numbers of its words and its payload. */
type Row = [number, string, string | null, string | null, string | null, string | null]
/** Microseconds, digest, id, numbers of its words, payload. */
type WholeRow = [number, string, string, string, string]

type Words = Pick<RawEvent, 'environment' | 'agent' | 'tool' | 'action' | 'mode' | 'rule'>
type Whole = Pick<RawEvent, 'id' | 'payload'> & { readonly words: Words }

const batchRows = 1_000
const knownMax = 100_000

const micros = `round(date_part('epoch', e.at) * 1000000)::int8`
const numbers = `concat_ws(',', e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule)`

/**
 * Every event of a scope in the order of their times: while one batch is worked on, the database reads the next. Of calls
 * that are the same it sends one in full, since sending and reading payloads would take longer than all the rest. For
 * threads of their own, since it keeps a processor busy. `afterBatch` may say how far it is.
 */
export async function readRecordedCalls(
  db: Db,
  scope: EventScope,
  reader: CallReader,
  afterBatch: () => void,
): Promise<void> {
  const spell = speller(eventWords(db), scope.tenant)
  const query = statement()
  const times =
    (scope.since === undefined ? '' : ` and e.at >= ${moment(query, scope.since)}`) +
    (scope.until === undefined ? '' : ` and e.at < ${moment(query, scope.until)}`)
  const text = `declare recorded_calls no scroll cursor for
    select ${micros}, e.call_id, e.call_digest,
           case when e.call_digest is null then e.id end,
           case when e.call_digest is null then ${numbers} end,
           case when e.call_digest is null then e.payload end
      from events as e
     where e.tenant_id = ${query.bind(scope.tenant)}${times}${conditionsSql(query, scope)}
     order by e.at, e.arrival`
  await db.withClient(async (client) => {
    // One picture of the table, so that what the cursor named can be looked up.
    await client.query('begin isolation level repeatable read, read only')
    try {
      await client.query(text, [...query.values])
      let rows = await fetchRows(client)
      while (rows.length > 0) {
        const fresh = fetchWhole(client, scope, freshOf(rows, reader))
        const coming = fetchRows(client)
        // Whoever awaits it hears of a failure; until then nobody listens.
        coming.catch(() => undefined)
        await tell(reader, rows, await spell.whole(await fresh), {
          spelled: await spell.old(rows),
          more: async (left) => spell.whole(await fetchWhole(client, scope, freshOf(left, reader))),
        })
        afterBatch()
        rows = await coming
      }
    } finally {
      await client.query('rollback').catch(() => undefined)
    }
  })
}

type Rest = {
  /** The words of rows that came in full. */
  readonly spelled: ReadonlyMap<string, Words>
  /** The first event of each digest that is unknown among these rows. */
  readonly more: (rows: readonly Row[]) => Promise<ReadonlyMap<string, Whole>>
}

async function tell(
  reader: CallReader,
  rows: readonly Row[],
  fresh: ReadonlyMap<string, Whole>,
  { spelled, more }: Rest,
): Promise<void> {
  let known = fresh
  for (const [at, row] of rows.entries()) {
    const [atMicros, callId, digest, id, words, payload] = row
    const atMs = atMicros / 1_000
    if (digest === null) {
      const found = spelled.get(words ?? '')
      if (found) reader.add({ id: id ?? '', atMs, callId, payload: payload ?? '', digest: undefined, ...found })
      continue
    }
    if (reader.addLike({ atMs, callId, digest })) continue
    // It forgets when it remembers too much, in the midst of a batch too.
    if (!known.has(digest)) known = await more(rows.slice(at))
    const first = known.get(digest)
    if (!first) throw new Error('An event was there and cannot be found')
    reader.add({ id: first.id, atMs, callId, payload: first.payload, digest, ...first.words })
  }
}

async function fetchRows(client: PoolClient): Promise<Row[]> {
  const { rows } = await client.query<Row>({ text: `fetch forward ${batchRows} from recorded_calls`, rowMode: 'array' })
  return rows
}

/** Which of the digests are unknown, and when each was first. */
function freshOf(rows: readonly Row[], reader: CallReader): ReadonlyMap<string, Row> {
  const fresh = new Map<string, Row>()
  for (const row of rows) {
    const digest = row[2]
    if (digest !== null && !reader.knows(digest) && !fresh.has(digest)) fresh.set(digest, row)
  }
  return fresh
}

async function fetchWhole(
  client: PoolClient,
  scope: EventScope,
  fresh: ReadonlyMap<string, Row>,
): Promise<readonly WholeRow[]> {
  if (fresh.size === 0) return []
  const query = statement()
  const wanted = [...fresh.values()]
  const { rows } = await client.query<WholeRow>({
    text: wholeSql(query, scope, wanted),
    values: [...query.values],
    rowMode: 'array',
  })
  return rows
}

function wholeSql(query: Statement, scope: EventScope, wanted: readonly Row[]): string {
  const { bind } = query
  return `select w.micros, w.digest, e.id, e.numbers, e.payload
    from unnest(${bind(wanted.map(([atMicros]) => atMicros))}::int8[], ${bind(wanted.map(([, , digest]) => digest))}::uuid[])
         as w (micros, digest)
   cross join lateral (
     select e.id, ${numbers} as numbers, e.payload from events as e
      where e.tenant_id = ${bind(scope.tenant)} and e.at = timestamptz 'epoch' + w.micros * interval '1 microsecond'
        and e.call_digest = w.digest${conditionsSql(query, scope)}
      order by e.arrival limit 1
   ) as e`
}

/** Most events have one of few sets of words, which are spelled once. */
function speller(words: EventWords, tenant: string) {
  let known = new Map<string, Words>()

  const learn = async (wanted: Iterable<string>): Promise<void> => {
    const all = new Set(wanted)
    if (known.size > knownMax) known = new Map()
    const split = [...all].filter((one) => !known.has(one)).map((one) => [one, one.split(',').map(Number)] as const)
    if (split.length === 0) return
    const spelled = await words.spell(
      tenant,
      split.flatMap(([, each]) => each),
    )
    const word = (number: number): string => spelled.get(number) ?? ''
    for (const [one, [environment = 0, agent = 0, tool = 0, verdict = 0, mode = 0, rule = 0]] of split) {
      known.set(one, {
        environment: word(environment),
        agent: word(agent),
        tool: word(tool),
        action: word(verdict),
        mode: word(mode),
        rule: word(rule),
      })
    }
  }

  return {
    /** Of rows that came in full. */
    old: async (rows: readonly Row[]): Promise<ReadonlyMap<string, Words>> => {
      await learn(rows.flatMap(([, , , , one]) => one ?? []))
      return known
    },
    whole: async (rows: readonly WholeRow[]): Promise<ReadonlyMap<string, Whole>> => {
      await learn(rows.map(([, , , one]) => one))
      const found = new Map<string, Whole>()
      for (const [, digest, id, one, payload] of rows) {
        const spelled = known.get(one)
        if (spelled) found.set(digest, { id, payload, words: spelled })
      }
      return found
    },
  }
}
