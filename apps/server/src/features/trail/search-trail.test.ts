import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyCreated, openTrail, type TrailScene, tenant } from '../../../test/trail-scene.ts'
import { entryMacs } from './entry-macs.ts'
import { readableLines } from './export-entries.ts'
import { listTrail } from './read-trail.ts'
import type { EntrySearch } from './scan-entries.ts'
import { erasePersonalFacts } from './subject-keys.ts'
import { trailFacets } from './trail-facets.ts'

const other = '0190f5a0-0000-7000-9000-000000000002'
let scene: TrailScene
let list: ReturnType<typeof listTrail>

/** 600 entries: every third of another tenant; ada works from one network, bob from another, and bob is refused in runs. */
beforeAll(async () => {
  scene = await openTrail()
  const { db, record, keyring } = scene
  list = listTrail({ db, keyring })
  expect(entryMacs(undefined, []).macOf).toBeUndefined()
  for (let i = 0; i < 600; i++) {
    const isAda = i < 300
    await record(db, {
      ...keyCreated(isAda ? i : 0),
      tenant: i % 3 === 2 ? other : tenant,
      ...(isAda ? {} : { act: 'route.refused', outcome: 'refused' as const, subject: { kind: 'route', id: 'GET /x' } }),
      actor: { kind: 'person', id: isAda ? 'ada' : 'bob' },
      request: { id: `request-${i}`, address: isAda ? '10.1.2.3' : i % 100 < 50 ? '192.0.2.7' : '2001:db8::1' },
    })
  }
  await scene.sequence()
})
afterAll(() => scene.close())

const whole = async (search: EntrySearch, isFolded = false) => {
  const items: Awaited<ReturnType<typeof list>>['items'] = []
  let cursor: string | undefined
  for (let page = 0; page < 100; page++) {
    const found = await list(tenant, search, 50, cursor, isFolded)
    items.push(...found.items)
    if (found.next_cursor === null) return items
    cursor = found.next_cursor
  }
  throw new Error('The list does not end.')
}
const own = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => from + i).filter((i) => i % 3 !== 2)

test('an address finds what came from it, though it is sealed, page by page and of no other tenant', async () => {
  const numbers = (await whole({ address: '10.1.2.3' })).map(({ number }) => number)
  expect(numbers).toEqual(own(0, 300).reverse())
  expect(await whole({ address: '10.1.*' })).toHaveLength(200)
  expect(await whole({ address: '10.1.2' })).toHaveLength(0)
  expect(await whole({ address: '2001:db8:*', outcome: 'refused' })).toHaveLength(
    own(300, 600).filter((i) => i % 100 >= 50).length,
  )
})

test('words find what is sealed too, of this tenant alone, whatever their case', async () => {
  const numbers = (await whole({ text: '10.1.2' })).map(({ number }) => number)
  expect(numbers).toEqual(own(0, 300).reverse())
  expect(await whole({ text: '2001:DB8', outcome: 'refused', since: new Date(0) })).toHaveLength(
    own(300, 600).filter((i) => i % 100 >= 50).length,
  )
  // The names of facts are no words of theirs.
  expect(await whole({ text: 'user_agent' })).toEqual([])
  // What only the other tenant's entries say.
  expect(await list(other, { text: 'request-302' }, 50, undefined)).toMatchObject({ items: [{ number: 302 }] })
  expect(await whole({ text: 'request-302' })).toEqual([])
})

test('a search that opened as much as a page may says how far it looked, and the next page looks on', async () => {
  const bounded = listTrail({ db: scene.db, keyring: scene.keyring, lookedMax: 100 })
  let [count, cursor, pages]: [number, string | undefined, number] = [0, undefined, 0]
  for (;;) {
    const page = await bounded(tenant, { text: '10.1.2.3', until: new Date('2100-01-01') }, 10, cursor)
    count += page.items.length
    pages += 1
    if (page.looked) expect(page.looked).toEqual({ count: 500, oldest_at: expect.stringMatching(/Z$/) })
    if (page.next_cursor === null) break
    cursor = page.next_cursor
  }
  expect(count).toBe(own(0, 300).length)
  expect(pages).toBeGreaterThanOrEqual(count / 10)
  const none = await bounded(tenant, { text: 'nobody says this' }, 10, undefined)
  expect(none).toMatchObject({ items: [], looked: null, next_cursor: null })
})

test('a request id finds its entries', async () => {
  expect((await whole({ request: 'request-301' })).map(({ number }) => number)).toEqual([301])
  expect(await whole({ request: 'request-2' })).toEqual([])
  expect(await whole({ request: 'request\0' })).toEqual([])
})

test('neighbors that say the same are told once with how many they are; together they are all', async () => {
  const folded = await whole({}, true)
  const total = folded.reduce((sum, { repeats }) => sum + (repeats?.count ?? 1), 0)
  expect(total).toBe(own(0, 600).length)
  const runs = folded.filter(({ repeats }) => repeats)
  expect(runs).toHaveLength(6)
  expect(runs.map(({ repeats }) => repeats?.count)).toEqual([
    own(550, 600).length,
    own(500, 550).length,
    own(450, 500).length,
    own(400, 450).length,
    own(350, 400).length,
    own(300, 350).length,
  ])
  expect(runs[5]).toMatchObject({ number: 349, repeats: { first_number: 300 } })
  // A page that ends within a run tells the run whole.
  const first = await list(tenant, {}, 1, undefined, true)
  const second = await list(tenant, {}, 1, first.next_cursor ?? undefined, true)
  expect([first.items[0]?.repeats?.count, second.items[0]?.repeats?.count]).toEqual([
    own(550, 600).length,
    own(500, 550).length,
  ])
})

test('facets count what the other filters leave, of this tenant alone', async () => {
  const facets = trailFacets({ db: scene.db })
  const all = await facets(tenant, {})
  expect(all.is_exact).toBe(true)
  expect(all.facets.act.values).toEqual([
    { value: 'key.created', count: 200 },
    { value: 'route.refused', count: 200 },
  ])
  const some = await facets(tenant, { actor: 'bob' })
  expect(some.facets.outcome.values).toEqual([{ value: 'refused', count: 200 }])
  expect(some.facets.actor.values).toEqual([
    { value: 'ada', count: 200 },
    { value: 'bob', count: 200 },
  ])
  const worded = await facets(tenant, { text: 'get /x' })
  expect(worded.facets.actor.values).toEqual([{ value: 'bob', count: 200 }])
  expect(worded.is_exact).toBe(false)
})

test('an export has every entry the filter leaves, with numbers, and no formula', async () => {
  const { db, keyring, record } = scene
  const evil = '=HYPERLINK("http://evil.example.com")'
  await record(db, {
    ...keyCreated(0),
    subject: { kind: 'key', id: evil },
    personal: { actor: { email: '+x@example.com' } },
  })
  await scene.sequence()
  const read = async (search: EntrySearch, format: 'csv' | 'jsonl') => {
    let text = ''
    for await (const lines of readableLines({ db, keyring }, tenant, search, format)) text += lines
    return text
  }
  const csv = (await read({ outcome: 'refused' }, 'csv')).trimEnd().split('\r\n')
  expect(csv[0]).toMatch(/^number,id,at,act,outcome,/)
  expect(csv.slice(1).map((line) => Number(line.split(',')[0]))).toEqual(own(300, 600).reverse())
  const one = await read({ subject: evil }, 'csv')
  expect(one).toContain(`"'=HYPERLINK(""http://evil.example.com"")"`)
  expect(one).toContain(`,'+x@example.com,`)
  const lines = (await read({ actor: 'ada' }, 'jsonl')).trimEnd().split('\n')
  expect(lines).toHaveLength(200)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ number: 298, personal: { request: { address: '10.1.2.3' } } })
})

test('what was erased is found by no address, by no words, and told by no export', async () => {
  await erasePersonalFacts(scene.db, tenant, 'person:ada', scene.clock.now())
  expect(await whole({ address: '10.1.2.3' })).toEqual([])
  expect(await whole({ text: '10.1.2.3' })).toEqual([])
  let text = ''
  for await (const lines of readableLines({ db: scene.db, keyring: scene.keyring }, tenant, { actor: 'ada' }, 'jsonl'))
    text += lines
  expect(text).not.toContain('10.1.2.3')
  expect(text).toContain('"is_erased":true')
})
