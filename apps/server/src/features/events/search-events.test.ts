import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'

let server: ServerApart
let tenant: TestTenant

beforeAll(async () => {
  server = await serverApart()
  tenant = await server.newTenant()
})
afterAll(() => server.stop())

const hourMs = 3_600_000
/** More than one look at the newest events goes through. */
const newerEvents = 2_100

test('page by page every event of a rare pair is found once, newest first, however far apart in time they are', async () => {
  const { key } = await server.newKey(tenant)
  const now = Date.UTC(2026, 5, 15, 12)
  const event = (callId: string, tool: string, rule: string, at: number) => ({
    call_id: callId,
    tool_name: tool,
    action: 'call_blocked',
    decision_name: rule,
    timestamp: new Date(at).toISOString(),
  })
  // Minutes, days, months and years ago, several in one minute, and one by a clock that runs ahead.
  const hoursAgo = [-30, 0.3, 0.3, 0.3, 5, 23.9, 24, 24.1, 100, 191, 193, 193, 500, 1_500, 1_600, 9_000, 20_000]
  const rare = hoursAgo.map((hours, n) => event(`rare-${n}`, 'deploy', 'no-deploy', now - hours * hourMs))
  const others = Array.from({ length: newerEvents }, (_, n) =>
    event(`other-${n}`, n % 2 === 0 ? 'deploy' : 'shell', n % 2 === 0 ? 'no-shell' : 'no-deploy', now - n * 10),
  )
  const sent = await server.call('POST', '/v1/events', { key, agent: 'a1', body: { events: [...rare, ...others] } })
  expect(sent.body).toEqual({ accepted: rare.length + newerEvents, duplicates: 0 })

  const found: string[] = []
  let cursor = ''
  for (;;) {
    const path = `/api/v2/events?tool=deploy&rule=no-deploy&limit=2${cursor}`
    const answer = await server.call('GET', path, { cookie: tenant.cookie })
    expect(answer.status, answer.text).toBe(200)
    const page = answer.body as { readonly items: readonly { readonly call_id: string }[]; next_cursor: string | null }
    found.push(...page.items.map((one) => one.call_id))
    if (page.next_cursor === null) break
    cursor = `&cursor=${encodeURIComponent(page.next_cursor)}`
  }
  expect(found.toSorted()).toEqual(rare.map((one) => one.call_id).toSorted())
  const hoursOf = (callId: string): number => hoursAgo[Number(callId.slice('rare-'.length))] ?? 0
  expect(found.map(hoursOf)).toEqual(hoursAgo.toSorted((a, b) => a - b))
})
