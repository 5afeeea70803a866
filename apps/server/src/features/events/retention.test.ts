import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { testClock } from '../../kernel/clock.ts'

const day = 86_400_000
const hour = 3_600_000
const clock = testClock('2026-01-05T12:00:00.000Z')
const tools = ['shell', 'read', 'write']

let server: ServerApart

beforeAll(async () => {
  server = await serverApart({ clock })
})
afterAll(() => server.stop())

const tenants: TestTenant[] = []
const newTenant = async (): Promise<TestTenant> => {
  const tenant = await server.newTenant()
  tenants.push(tenant)
  return tenant
}

/** Sessions end long before events do. */
const as = async (tenant: TestTenant): Promise<TestTenant> => ({
  ...tenant,
  cookie: await server.signIn(tenant.email),
})
const keep = async (tenant: TestTenant, days: number | null): Promise<void> => {
  const { cookie } = await as(tenant)
  const path = '/api/v2/settings/events.retention_days'
  expect((await server.call('PUT', path, { cookie, body: { value: days } })).status).toBe(200)
}

/** As many events at this moment as there are tools, of each tool one more than of the one before. */
async function report(key: string, round: number): Promise<number> {
  const calls = tools.flatMap((tool, at) =>
    Array.from({ length: at + 1 }, (_, n) => ({ tool, id: `${round}-${at}-${n}` })),
  )
  const events = calls.map(({ tool, id }) => ({
    schema_version: '0.3.0',
    call_id: id,
    tool_name: tool,
    action: 'call_allowed',
    mode: 'enforce',
    timestamp: clock.now().toISOString(),
  }))
  const answer = await server.call('POST', '/v1/events', { key, agent: `agent-${round % 2}`, body: { events } })
  expect(answer.body).toMatchObject({ accepted: events.length })
  return events.length
}

type Facets = {
  total: { count: number }
  facets: Record<'tool' | 'agent', { values: { value: string; count: number }[] }>
}

/** What the counts say, beside what plain SQL finds in the events and their keys. */
async function counted(tenant: TestTenant) {
  const { cookie } = await as(tenant)
  const { body } = await server.call('GET', '/api/v2/events/facets', { cookie })
  const { total, facets } = body as Facets
  const plain = async (column: 'tool' | 'agent') =>
    server.db.query<{ value: string; count: number }>(
      `select w.word as value, count(*) as count from events as e
         join event_words as w on w.tenant_id = e.tenant_id and w.id = e.${column}
        where e.tenant_id = $1 group by w.word`,
      [tenant.tenant],
    )
  const sorted = (values: readonly { value: string; count: number }[]) =>
    values.map(({ value, count }) => `${value} ${count}`).toSorted()
  const [keys] = await server.db.query<{ count: number }>(
    `select count(*) as count from event_keys as k where k.tenant_id = $1`,
    [tenant.tenant],
  )
  for (const name of ['tool', 'agent'] as const) {
    expect(sorted(facets[name].values), name).toEqual(sorted(await plain(name)))
  }
  const range = `since=2026-01-01T00:00:00Z&until=${clock.now().toISOString()}&buckets=50`
  const histogram = await server.call('GET', `/api/v2/events/histogram?${range}`, { cookie })
  expect(histogram.body).toMatchObject({ total: total.count })
  expect(keys?.count).toBe(total.count)
  return total.count
}

const partitions = async (): Promise<readonly string[]> =>
  (
    await server.db.query<{ name: string }>(
      `select p.relname as name from pg_inherits as i join pg_class as p on p.oid = i.inhrelid
        where i.inhparent = 'events'::regclass order by 1`,
    )
  ).map(({ name }) => name.slice('events_'.length))

test('each tenant keeps its events for as long as it said, whoever said nothing keeps all, and counts stay exact', async () => {
  const kept: readonly (number | null)[] = [30, 60, 90, 45, 1, null]
  const scenes = await Promise.all(
    kept.map(async (days) => {
      const tenant = await newTenant()
      await keep(tenant, days)
      return { days, tenant, key: (await server.newKey(tenant)).key, reported: [] as { at: number; count: number }[] }
    }),
  )
  for (const [round, wait] of [0, 20, 20, 30, 25].entries()) {
    if (wait > 0) await clock.jumpBy(wait * day)
    for (const { key, reported } of scenes) {
      reported.push({ at: clock.now().getTime(), count: await report(key, round) })
    }
  }
  // The pass that removes what is too old by now.
  await clock.jumpBy(hour)
  for (const { days, tenant, reported } of scenes) {
    const oldest = days === null ? 0 : clock.now().getTime() - days * day
    const expected = reported.filter(({ at }) => at >= oldest).reduce((sum, { count }) => sum + count, 0)
    expect(await counted(tenant), `keeps ${days} days`).toBe(expected)
  }
  // One tenant still has events of January, so no month may go.
  expect((await partitions())[0]).toBe('2026_01')
})

test('a month that is over and empty is dropped with the last tenant’s events of it, and counts stay exact', async () => {
  const tenant = await newTenant()
  const { key } = await server.newKey(tenant)
  await report(key, 1)
  expect((await partitions())[0]).toBe('2026_01')
  for (const other of tenants) if (other !== tenant) await keep(other, 1)
  await clock.jumpBy(40 * day)
  // What is left is what this tenant reported, and the months from then on.
  expect((await partitions())[0]).toBe('2026_04')
  expect(await counted(tenant)).toBe(6)
  await report(key, 2)
  const body = { older_than_days: 30, confirm: 'purge events' }
  const purged = await server.call('POST', '/api/v2/events/purge', { cookie: (await as(tenant)).cookie, body })
  expect(purged.body).toMatchObject({ deleted_count: 6 })
  await clock.jumpBy(hour)
  expect(await counted(tenant)).toBe(6)
  expect((await partitions())[0]).toBe('2026_05')
})

test('months are made three ahead without waiting for a long read, which only holds up the drop of one', async () => {
  const tenant = await newTenant()
  const { key } = await server.newKey(tenant)
  await report(key, 1)
  for (const one of tenants) await keep(one, 1)
  expect(await partitions()).toEqual(['2026_05', '2026_06', '2026_07', '2026_08'])
  await server.db.withClient(async (reader) => {
    await reader.query('begin')
    await reader.query('select count(*) from events')
    await clock.jumpBy(60 * day)
    // The worker gave up soon instead of making agents wait behind it; it will come again.
    expect(await partitions()).toEqual(['2026_05', '2026_06', '2026_07', '2026_08', '2026_09', '2026_10'])
    await report(key, 2)
    await reader.query('rollback')
  })
  await clock.jumpBy(hour)
  expect(await partitions()).toEqual(['2026_07', '2026_08', '2026_09', '2026_10'])
  expect(await counted(tenant)).toBe(6)
})

test('reports of scans are kept as long as events are', async () => {
  const [short, all] = [await newTenant(), await newTenant()]
  await keep(short, 30)
  for (const tenant of [short, all]) {
    const { key } = await server.newKey(await as(tenant))
    const answer = await server.call('POST', '/v1/skill-scan', { key, agent: 'scanner', body: { violations: [] } })
    expect(answer.status).toBe(202)
  }
  const left = async ({ tenant }: TestTenant) =>
    (await server.db.query(`select s.id from skill_scans as s where s.tenant_id = $1`, [tenant])).length
  await clock.jumpBy(31 * day)
  await clock.jumpBy(hour)
  expect([await left(short), await left(all)]).toEqual([0, 1])
})
