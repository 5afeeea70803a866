import type { PoolClient } from 'pg'
import type { Db } from '../../kernel/db.ts'
import type { EventScope } from './event-scope.ts'
import { type EventWords, eventWords } from './event-words.ts'
import { conditionsSql, moment, statement } from './statement.ts'

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
}

/** Id, milliseconds, the numbers of its words, call id, payload. Fewer columns are read faster. */
type Row = [string, number, string, string, string]

type Words = Pick<RawEvent, 'environment' | 'agent' | 'tool' | 'action' | 'mode' | 'rule'>

/** What fits into the buffers between the database and us, so that it can go on while one batch is worked on. */
const batchRows = 1_000
const knownMax = 100_000

/**
 * Every event of a scope in the order of their times, batch by batch: while one is worked on, the database reads the next.
 * For threads of their own, since it keeps a processor busy.
 */
export async function readRawEvents(
  db: Db,
  scope: EventScope,
  take: (events: readonly RawEvent[]) => void,
): Promise<void> {
  const words = eventWords(db)
  const known = new Map<string, Words>()
  const query = statement()
  const times =
    (scope.since === undefined ? '' : ` and e.at >= ${moment(query, scope.since)}`) +
    (scope.until === undefined ? '' : ` and e.at < ${moment(query, scope.until)}`)
  const text = `declare raw_events no scroll cursor for
    select e.id, date_part('epoch', e.at) * 1000,
           concat_ws(',', e.environment, e.agent, e.tool, e.verdict, e.mode, e.rule), e.call_id, e.payload
      from events as e
     where e.tenant_id = ${query.bind(scope.tenant)}${times}${conditionsSql(query, scope)}
     order by e.at, e.arrival`
  await db.withClient(async (client) => {
    await client.query('begin read only')
    try {
      await client.query(text, [...query.values])
      let coming = fetchRows(client)
      for (;;) {
        const rows = await coming
        if (rows.length === 0) break
        coming = fetchRows(client)
        // Whoever awaits it hears of a failure; until then nobody listens.
        coming.catch(() => undefined)
        take(await spell(words, known, scope.tenant, rows))
      }
    } finally {
      await client.query('rollback').catch(() => undefined)
    }
  })
}

async function fetchRows(client: PoolClient): Promise<Row[]> {
  const { rows } = await client.query<Row>({ text: `fetch forward ${batchRows} from raw_events`, rowMode: 'array' })
  return rows
}

/** Most events have one of few sets of words, which are spelled once. */
async function spell(
  words: EventWords,
  known: Map<string, Words>,
  tenant: string,
  rows: readonly Row[],
): Promise<readonly RawEvent[]> {
  const fresh = new Set<string>()
  for (const [, , numbers] of rows) if (!known.has(numbers)) fresh.add(numbers)
  if (fresh.size > 0) {
    if (known.size > knownMax) known.clear()
    const wanted = known.size === 0 ? new Set(rows.map(([, , numbers]) => numbers)) : fresh
    const split = [...wanted].map((numbers) => [numbers, numbers.split(',').map(Number)] as const)
    const spelled = await words.spell(
      tenant,
      split.flatMap(([, numbers]) => numbers),
    )
    for (const [numbers, [environment = 0, agent = 0, tool = 0, verdict = 0, mode = 0, rule = 0]] of split) {
      const word = (number: number): string => spelled.get(number) ?? ''
      known.set(numbers, {
        environment: word(environment),
        agent: word(agent),
        tool: word(tool),
        action: word(verdict),
        mode: word(mode),
        rule: word(rule),
      })
    }
  }
  const events: RawEvent[] = []
  for (const [id, atMs, numbers, callId, payload] of rows) {
    const found = known.get(numbers)
    if (!found) continue
    const { environment, agent, tool, action, mode, rule } = found
    events.push({ id, atMs, environment, agent, tool, action, mode, rule, callId, payload })
  }
  return events
}
