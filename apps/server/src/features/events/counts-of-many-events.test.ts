import { type EventDimension, eventDimensions } from '@countersign/wire'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { type Db, openDb } from '../../kernel/db.ts'
import { idMaker } from '../../kernel/ids.ts'
import { seriesOf } from './actions.ts'
import { countFacets } from './event-facets.ts'
import { countHistogram, widthFor } from './event-histogram.ts'
import { type EventFilter, scopeOf } from './event-scope.ts'
import { eventWords } from './event-words.ts'
import { type EventRow, insertEvents, makePartition } from './events-table.ts'
import { foldOnce } from './fold-counts.ts'

/**
 * The same as `counts-are-exact`, over many more events: written by the statement that counts, without the wire before
 * it, and compared with what plain SQL counts in the events themselves. `EVENTS_COMPARED=1000000` compares a million.
 */
const eventCount = Number(process.env['EVENTS_COMPARED'] ?? 250_000)
const seed = Number(process.env['EVENTS_SEED'] ?? 11)
const perStatement = 10_000
const days = 9
const start = Date.UTC(2026, 0, 1)
const tenants = ['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000002'] as const
const [tenant] = tenants

let database: TestDatabase
let db: Db
let read: {
  words: ReturnType<typeof eventWords>
  scope: ReturnType<typeof scopeOf>
  facets: ReturnType<typeof countFacets>
  histogram: ReturnType<typeof countHistogram>
}

const values: Readonly<Record<EventDimension, readonly string[]>> = {
  agent: Array.from({ length: 30 }, (_, at) => `agent-${at}`),
  tool: ['shell', 'read', 'write', 'mail', 'deploy'],
  environment: ['production', 'staging'],
  verdict: ['call_allowed', 'call_blocked', 'call_executed', 'call_asked', 'call_would_block'],
  mode: ['enforce', 'observe'],
  rule: ['', 'no-shell', 'no-read', 'no-write', 'no-mail', 'ask-deploy'],
}

/** The same numbers in each run of one seed, so that a failure can be looked at again. */
function random(from: number): (below: number) => number {
  let state = from
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

type Numbers = Readonly<Record<EventDimension, readonly number[]>>
const newId = idMaker(() => new Date(start))

async function numbersOf(words: ReturnType<typeof eventWords>, owner: string): Promise<Numbers> {
  await words.learn(owner, new Set([...Object.values(values).flat(), 'k'].filter((word) => word !== '')))
  const ids = (name: EventDimension) => values[name].map((word) => words.known(owner, word) ?? 0)
  return {
    agent: ids('agent'),
    tool: ids('tool'),
    environment: ids('environment'),
    verdict: ids('verdict'),
    mode: ids('mode'),
    rule: ids('rule'),
  }
}

/** Most come in bursts and from few agents, and a rule belongs to a tool, as in life; some come from anywhere in the nine days. */
function makeRows(next: (below: number) => number, numbers: readonly Numbers[], count: number): readonly EventRow[] {
  const bursts = [0, 0].map(() => start + next(days * 1_440) * 60_000)
  const low = (length: number): number => Math.min(next(length), next(length))
  return Array.from({ length: count }, () => {
    // A neighbor, whose events must never be counted.
    const owner = next(20) === 0 ? 1 : 0
    const ids = numbers[owner]
    if (!ids) throw new Error('there are two tenants')
    const [agent, tool, verdict] = [low(values.agent.length), low(values.tool.length), low(values.verdict.length)]
    const namesRule = verdict % 2 === 1 || verdict === 4
    const burst = bursts[next(bursts.length)] ?? start
    const millis = next(100) === 0 ? start + next(days * 86_400_000) : burst + next(60_000)
    return {
      tenant: tenants[owner] ?? tenant,
      id: newId(),
      atMicros: millis * 1_000 + next(1_000),
      environment: ids.environment[agent % 2] ?? 0,
      agent: ids.agent[agent] ?? 0,
      tool: ids.tool[tool] ?? 0,
      verdict: ids.verdict[verdict] ?? 0,
      mode: ids.mode[next(16) === 0 ? 1 : 0] ?? 0,
      rule: namesRule ? (ids.rule[tool + 1] ?? 0) : 0,
      keyPrefix: 0,
      flags: 0,
      callId: 'c',
      sessionId: '',
      payload: '{}',
      callDigest: undefined,
    }
  })
}

async function writeEvents(words: ReturnType<typeof eventWords>): Promise<void> {
  const next = random(seed)
  const numbers = await Promise.all(tenants.map((owner) => numbersOf(words, owner)))
  let left = eventCount
  const write = async (): Promise<void> => {
    for (let round = 1; left > 0; round += 1) {
      const count = Math.min(perStatement, left)
      left -= count
      await insertEvents(db, [makeRows(next, numbers, count)], new Date(start))
      // Some are folded, some wait, as it is at any moment.
      if (round % 8 === 0) await foldOnce(db)
    }
  }
  await Promise.all([write(), write()])
}

beforeAll(async () => {
  database = await testDatabase()
  const options = { url: database.url, applicationName: 'countersign test', connectionsMax: 4 }
  db = openDb({ ...options, onBrokenConnection: () => undefined })
  for (const id of tenants) {
    await db.query(`insert into tenants (id, name, made_at) values ($1, 'one', $2)`, [id, new Date(start)])
  }
  await makePartition(db, new Date(start))
  const words = eventWords(db)
  await writeEvents(words)
  read = {
    words,
    scope: scopeOf({ db, words }),
    facets: countFacets({ db, words }),
    histogram: countHistogram({ db, words }),
  }
}, 600_000)
afterAll(async () => {
  await db.end()
  await database.drop()
})

type Cell = { readonly bucket: number; readonly count: number } & Readonly<Record<EventDimension, number>>

/** Plain SQL: reads every event there is, and no counts. */
async function plainCells({ since, until }: EventFilter, widthMicros?: number): Promise<readonly Cell[]> {
  const dimensions = eventDimensions.map((name) => `e.${name}`).join(', ')
  return db.query<Cell>(
    `select ${widthMicros === undefined ? '0::int8' : `floor((extract(epoch from e.at) * 1000000 - $4) / $5)::int8 * $5 + $4`} as bucket,
            ${dimensions}, count(*) as count
       from events as e
      where e.tenant_id = $1 and ($2::timestamptz is null or e.at >= $2::text::timestamptz)
        and ($3::timestamptz is null or e.at < $3::text::timestamptz)
      group by 1, ${dimensions}`,
    [
      tenant,
      since ?? null,
      until ?? null,
      ...(widthMicros === undefined ? [] : [Date.UTC(2001, 0, 1) * 1_000, widthMicros]),
    ],
  )
}

async function matching(filter: EventFilter, cells: readonly Cell[], except?: EventDimension) {
  const wanted = new Map<EventDimension, ReadonlySet<number>>()
  for (const name of eventDimensions) {
    const asked = filter[name]
    if (asked === undefined || name === except) continue
    wanted.set(name, new Set((await read.words.find(tenant, asked)).values()))
  }
  return cells.filter((cell) => [...wanted].every(([name, ids]) => ids.has(cell[name])))
}

const sum = (cells: readonly Cell[]): number => cells.reduce((total, { count }) => total + count, 0)

const some = (list: readonly string[]) => fc.subarray([...list, 'never seen'], { minLength: 1, maxLength: 3 })
const moment = fc
  .tuple(fc.integer({ min: start, max: start + days * 86_400_000 }), fc.constantFrom(1, 60_000, 3_600_000, 86_400_000))
  .map(([at, unit]) => new Date(Math.floor(at / unit) * unit).toISOString())
const filters: fc.Arbitrary<EventFilter> = fc.record(
  {
    agent: some(values.agent),
    tool: some(values.tool),
    environment: some(values.environment),
    verdict: some(values.verdict),
    mode: some(values.mode),
    rule: some(values.rule),
    since: moment,
    until: moment,
  },
  { requiredKeys: [] },
)

test(`of ${eventCount} random events every facet is what plain SQL counts`, async () => {
  expect(sum(await plainCells({}))).toBeGreaterThan(eventCount * 0.9)
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      const found = await read.facets(await read.scope(tenant, filter))
      const cells = await plainCells(filter)
      expect(found.total).toEqual({ count: sum(await matching(filter, cells)), is_exact: true })
      for (const name of eventDimensions) {
        const counts = new Map<string | null, number>()
        const own = await matching(filter, cells, name)
        const spelled = await read.words.spell(
          tenant,
          own.map((cell) => cell[name]),
        )
        for (const cell of own) {
          const word = spelled.get(cell[name]) || null
          counts.set(word, (counts.get(word) ?? 0) + cell.count)
        }
        expect(new Map(found.facets[name].values.map(({ value, count }) => [value, count])), name).toEqual(counts)
      }
    }),
    { numRuns: 10, seed, examples: [[{}]] },
  )
}, 600_000)

test(`of ${eventCount} random events every bucket is what plain SQL counts`, async () => {
  await fc.assert(
    fc.asyncProperty(filters, moment, moment, fc.integer({ min: 4, max: 200 }), async (filter, one, other, buckets) => {
      const [since = '', until = ''] = [one, other].toSorted()
      const range = { since: Date.parse(since) * 1_000, until: Date.parse(until) * 1_000 }
      const found = await read.histogram(
        { ...(await read.scope(tenant, { ...filter, since, until })), ...range },
        buckets,
      )
      const width = widthFor(range.until - range.since, buckets) * 1_000_000
      const cells = await matching(filter, await plainCells({ since, until }, width))
      const spelled = await read.words.spell(
        tenant,
        cells.flatMap(({ verdict, mode }) => [verdict, mode]),
      )
      const plain = new Map<string, number>()
      for (const { bucket, verdict, mode, count } of cells) {
        const series = seriesOf(spelled.get(verdict) ?? '', spelled.get(mode) ?? '')
        const key = `${new Date(bucket / 1_000).toISOString()} ${series}`
        plain.set(key, (plain.get(key) ?? 0) + count)
      }
      const counted = new Map<string, number>()
      for (const { at, ...series } of found.buckets) {
        for (const [name, count] of Object.entries(series)) if (count !== 0) counted.set(`${at} ${name}`, count)
      }
      expect(counted).toEqual(plain)
      expect(found.total).toBe(sum(cells))
    }),
    { numRuns: 12, seed },
  )
}, 600_000)
