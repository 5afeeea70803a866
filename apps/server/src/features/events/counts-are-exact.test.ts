import { type EventDimension, eventDimensions } from '@countersign/wire'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { testClock } from '../../kernel/clock.ts'
import { makeKeyring } from '../../kernel/crypto.ts'
import { type Db, openDb } from '../../kernel/db.ts'
import { seriesOf } from './actions.ts'
import { countFacets } from './event-facets.ts'
import { countHistogram, widthFor } from './event-histogram.ts'
import { type EventFilter, scopeOf } from './event-scope.ts'
import { eventWords } from './event-words.ts'
import { eventWriter } from './event-writer.ts'
import { foldOnce } from './fold-counts.ts'
import { ingestEvents } from './ingest-events.ts'
import { searchEvents } from './search-events.ts'
import type { Position, StoredEvent } from './stored-event.ts'

/** Every facet, count, bucket and page is compared with plain SQL over the events themselves. `counts-of-many-events` does a million. */
const eventCount = 6_000
const days = 9
const start = Date.UTC(2026, 0, 1)

let database: TestDatabase
let db: Db
const tenant = '00000000-0000-7000-8000-000000000001'
const clock = testClock('2026-01-10T00:00:00.000Z')

const values: Readonly<Record<EventDimension, readonly string[]>> = {
  agent: ['a1', 'a2', 'a3', 'rare'],
  tool: ['shell', 'read', 'write', 'mail'],
  environment: ['production', 'staging'],
  verdict: ['call_allowed', 'call_blocked', 'call_asked', 'call_failed', 'call_would_block', 'foo_bar'],
  mode: ['enforce', 'observe'],
  rule: ['', 'no-shell', 'no-mail'],
}

/** The same numbers in each run, so that a failure can be looked at again. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

let read: {
  scope: ReturnType<typeof scopeOf>
  facets: ReturnType<typeof countFacets>
  histogram: ReturnType<typeof countHistogram>
  search: ReturnType<typeof searchEvents>
}

beforeAll(async () => {
  database = await testDatabase()
  db = openDb({
    url: database.url,
    applicationName: 'countersign test',
    connectionsMax: 4,
    onBrokenConnection: () => undefined,
  })
  await db.query(`insert into tenants (id, name, made_at) values ($1, 'one', $2)`, [tenant, clock.now()])
  const words = eventWords(db)
  const ingest = ingestEvents({
    clock,
    words,
    writer: eventWriter({ db, clock }),
    macs: makeKeyring(['a secret of the tests that is long enough']).macs('event-dedup'),
    storedIds: () => Promise.resolve(new Set()),
    hear: () => undefined,
  })
  const next = random(7)
  const pick = (list: readonly string[]): string => list[Math.min(next(list.length), next(list.length + 3))] ?? ''
  const perRequest = 1_000
  for (let from = 0; from < eventCount; from += perRequest) {
    const environment = pick(values.environment)
    const events = Array.from({ length: Math.min(perRequest, eventCount - from) }, (_, at) => {
      // Half of them crowd into one hour, so that minutes hold many.
      const offset = next(2) === 0 ? next(days * 86_400_000) : 3 * 86_400_000 + next(3_600_000)
      return {
        schema_version: '0.3.0',
        call_id: `c${from + at}`,
        tool_name: pick(values.tool),
        action: pick(values.verdict),
        mode: pick(values.mode),
        decision_name: pick(values.rule),
        timestamp: new Date(start + offset).toISOString().replace('Z', `${String(next(1_000)).padStart(3, '0')}Z`),
        reason: next(10) === 0 ? 'a rare "needle" 100%' : 'hay',
      }
    })
    const agentId = from % 5_000 === 0 ? 'rare' : pick(values.agent)
    await ingest({ tenant, environment, keyPrefix: 'k', agentId }, events)
    // Some are folded, some wait, as it is at any moment.
    if (from % 3_000 === 0) await foldOnce(db)
  }
  read = {
    scope: scopeOf({ db, words }),
    facets: countFacets({ db, words }),
    histogram: countHistogram({ db, words }),
    search: searchEvents({ db, words }),
  }
}, 600_000)
afterAll(async () => {
  await db.end()
  await database.drop()
})

type Plain = { readonly at: number } & Readonly<Record<EventDimension, string>>

/** Plain SQL: words joined, no counts. */
async function plainEvents(filter: EventFilter, except?: EventDimension): Promise<Plain[]> {
  const rows = await db.query<Plain>(
    `select (extract(epoch from e.at) * 1000000)::int8 as at, ${eventDimensions
      .map(
        (name) =>
          `coalesce((select w.word from event_words as w where w.tenant_id = $1 and w.id = e.${name}), '') as "${name}"`,
      )
      .join(', ')}
       from events as e
      where e.tenant_id = $1 and ($2::timestamptz is null or e.at >= $2::text::timestamptz)
        and ($3::timestamptz is null or e.at < $3::text::timestamptz) and ($4::text is null or strpos(lower(e.payload), lower($4)) > 0)`,
    [
      tenant,
      filter.since ?? null,
      filter.until ?? null,
      filter.q === undefined ? null : JSON.stringify(filter.q).slice(1, -1),
    ],
  )
  return rows.filter((row) =>
    eventDimensions.every((name) => name === except || filter[name] === undefined || filter[name].includes(row[name])),
  )
}

const some = (list: readonly string[]) => fc.subarray([...list, 'never seen'], { minLength: 1, maxLength: 3 })
const moment = fc
  .integer({ min: start - 3_600_000, max: start + (days + 1) * 86_400_000 })
  .chain((at) =>
    fc.constantFrom(
      at,
      Math.floor(at / 60_000) * 60_000,
      Math.floor(at / 3_600_000) * 3_600_000,
      Math.floor(at / 86_400_000) * 86_400_000,
    ),
  )
  .map((at) => new Date(at).toISOString())

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
    q: fc.constantFrom('needle', '"NEEDLE" 100%', 'nothing has this'),
  },
  { requiredKeys: [] },
)

test('every facet is what plain SQL counts under the filters of the others', async () => {
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      const found = await read.facets(await read.scope(tenant, filter))
      expect(found.total.count).toBe((await plainEvents(filter)).length)
      // A search for text reads the matches themselves, so its facets are counted under all filters.
      for (const name of eventDimensions) {
        const plain = await plainEvents(filter, filter.q === undefined ? name : undefined)
        const counts = new Map<string | null, number>()
        for (const row of plain) counts.set(row[name] || null, (counts.get(row[name] || null) ?? 0) + 1)
        expect(new Map(found.facets[name].values.map(({ value, count }) => [value, count])), name).toEqual(counts)
      }
    }),
    { numRuns: 25 },
  )
}, 600_000)

test('every bucket of the histogram is what plain SQL counts', async () => {
  await fc.assert(
    fc.asyncProperty(filters, moment, moment, fc.integer({ min: 4, max: 200 }), async (filter, one, other, buckets) => {
      const [since = '', until = ''] = [one, other].toSorted()
      const bounded = { ...filter, since, until }
      const range = { since: Date.parse(since) * 1_000, until: Date.parse(until) * 1_000 }
      const found = await read.histogram({ ...(await read.scope(tenant, bounded)), ...range }, buckets)
      const width = widthFor(range.until - range.since, buckets) * 1_000
      const plain = new Map<string, number>()
      const rows = await plainEvents(bounded)
      for (const row of rows) {
        const origin = Date.UTC(2001, 0, 1)
        const bucket = origin + Math.floor((row.at / 1_000 - origin) / width) * width
        const key = `${new Date(bucket).toISOString()} ${seriesOf(row.verdict, row.mode)}`
        plain.set(key, (plain.get(key) ?? 0) + 1)
      }
      const counted = new Map<string, number>()
      for (const { at, ...series } of found.buckets) {
        for (const [name, count] of Object.entries(series)) if (count !== 0) counted.set(`${at} ${name}`, count)
      }
      expect(counted).toEqual(plain)
      expect(found.total).toBe(rows.length)
      expect(found.buckets.length).toBeLessThanOrEqual(buckets + 2)
    }),
    { numRuns: 40 },
  )
}, 600_000)

test('pages of any filter hold every event once, newest first', async () => {
  await fc.assert(
    fc.asyncProperty(filters, fc.integer({ min: 50, max: 400 }), async (filter, limit) => {
      const scope = await read.scope(tenant, filter)
      const events: StoredEvent[] = []
      let after: Position | undefined
      do {
        const page = await read.search(scope, { after, limit, patienceMs: 60_000 })
        events.push(...page.events)
        after = page.next
      } while (after && events.length < eventCount * 2)
      const plain = await plainEvents(filter)
      expect(events.length).toBe(plain.length)
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
      for (const [at, event] of events.entries()) {
        const before = events[at - 1]
        if (before) expect(before.atMicros).toBeGreaterThanOrEqual(event.atMicros)
      }
    }),
    { numRuns: 12 },
  )
}, 600_000)
