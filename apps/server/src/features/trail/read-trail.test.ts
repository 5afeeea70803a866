import { leafHash } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyCreated, openTrail, type TrailScene, tenant } from '../../../test/trail-scene.ts'
import { entryMacs } from './entry-macs.ts'
import { listTrail, readTrailEntry, readTrailHead } from './read-trail.ts'
import { recordRefusals } from './record-refusal.ts'
import { erasePersonalFacts } from './subject-keys.ts'

const other = '0190f5a0-0000-7000-9000-000000000002'
let scene: TrailScene
let list: ReturnType<typeof listTrail>
let read: ReturnType<typeof readTrailEntry>

beforeAll(async () => {
  scene = await openTrail()
  const { db, record, clock, keyring } = scene
  list = listTrail({ db, keyring })
  read = readTrailEntry({ db, keyring, macs: entryMacs(undefined, []) })
  expect(await readTrailHead(db)).toMatchObject({ size: 0, at: null })
  for (let i = 0; i < 30; i++) {
    await record(db, {
      ...keyCreated(i),
      tenant: i % 3 === 2 ? other : tenant,
      act: i % 2 === 0 ? 'key.created' : 'ruleset.uploaded',
      outcome: i % 5 === 0 ? 'refused' : 'done',
      actor: { kind: 'person', id: i < 10 ? 'ada' : 'bob' },
      details: { note: i === 4 ? 'Größe "eins"' : `n${i}` },
      personal: { actor: { email: `${i < 10 ? 'ada' : 'bob'}@example.com` } },
    })
    await clock.moveBy(60_000)
    if (i % 7 === 0) await scene.sequence()
  }
  await scene.sequence()
})
afterAll(() => scene.close())

const numbers = async (filter: Parameters<typeof list>[1], limit = 100) =>
  (await list(tenant, filter, limit, undefined)).items.map((item) => item.number)
const ours = Array.from({ length: 30 }, (_, i) => i)
  .filter((i) => i % 3 !== 2)
  .reverse()

test('the newest comes first, and only what is of the reader’s tenant', async () => {
  expect(await numbers({})).toEqual(ours)
})

test('pages follow each other without a gap or a repetition, also while entries are added', async () => {
  const seen: number[] = []
  let cursor: string | undefined
  for (;;) {
    const page = await list(tenant, {}, 3, cursor)
    seen.push(...page.items.map((item) => item.number))
    if (page.next_cursor === null) break
    cursor = page.next_cursor
    await scene.record(scene.db, { ...keyCreated(100), tenant: other })
    await scene.sequence()
  }
  expect(seen).toEqual(ours)
})

test('filters narrow: actor, act, noun, subject, outcome, time, and all together', async () => {
  const minute = (n: number) => new Date(new Date('2026-02-28T10:00:00.123Z').getTime() + n * 60_000)
  expect(await numbers({ actor: 'ada' })).toEqual(ours.filter((i) => i < 10))
  expect(await numbers({ act: 'key.created' })).toEqual(ours.filter((i) => i % 2 === 0))
  expect(await numbers({ act: 'ruleset.*' })).toEqual(ours.filter((i) => i % 2 === 1))
  expect(await numbers({ subject: 'k7' })).toEqual([7])
  expect(await numbers({ subjectKind: 'person' })).toEqual([])
  expect(await numbers({ outcome: 'refused' })).toEqual(ours.filter((i) => i % 5 === 0))
  expect(await numbers({ since: minute(6), until: minute(9) })).toEqual([7, 6])
  expect(await numbers({ actor: 'bob', act: 'key.*', outcome: 'done', since: minute(20) })).toEqual([28, 24, 22])
})

test('text is found anywhere in the entry, whatever its case, with characters that JSON escapes', async () => {
  expect(await numbers({ text: 'GRÖSSE' })).toEqual([])
  expect(await numbers({ text: 'größe "EINS"' })).toEqual([4])
  expect(await numbers({ text: 'ruleset.up' }, 2)).toEqual([27, 25])
  expect(await numbers({ text: "%'; drop table trail_entries; --" })).toEqual([])
})

test('an entry is shown with its exact bytes and its leaf', async () => {
  const entry = await read(tenant, 4)
  expect(entry).toMatchObject({
    number: 4,
    act: 'key.created',
    actor: { id: 'ada' },
    personal: { actor: { email: 'ada@example.com' } },
  })
  expect(entry.leaf_hash).toBe(Buffer.from(leafHash(new TextEncoder().encode(entry.canonical))).toString('hex'))
})

test('an entry of another tenant does not exist, in the same words as one that was never there', async () => {
  await expect(read(tenant, 5)).rejects.toThrow('There is no such entry.')
  await expect(read(tenant, 5_000_000)).rejects.toThrow('There is no such entry.')
  expect((await read(other, 5)).number).toBe(5)
})

test('a cursor that is none of ours is refused with the remedy', async () => {
  for (const cursor of ['x', '-1', '1.5', '1e3', '9'.repeat(30), ' 1']) {
    await expect(list(tenant, {}, 10, cursor)).rejects.toThrow('Give next_cursor of the page before')
  }
})

test('the head is told as it was made last', async () => {
  const [row] = await scene.db.query<{ n: number }>('select count(*) as n from trail_sequence')
  expect(await readTrailHead(scene.db)).toMatchObject({ size: row?.n, root: expect.stringMatching(/^[0-9a-f]{64}$/) })
})

test('a refused stranger is recorded for the only tenant, a refused person for theirs, and a full disk refuses nobody twice', async () => {
  const { db, record } = scene
  const told: string[] = []
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_: object, text: string) => void told.push(text),
  }
  const refused = {
    route: { does: 'Create a key', method: 'POST', path: '/keys' },
    code: 'forbidden',
    facts: { id: 'r1', address: '192.0.2.1', userAgent: 'curl' },
  } as const
  await recordRefusals({ db, record, log, clock: scene.clock }).record({ who: undefined, ...refused })
  await scene.asSuperuser(`insert into tenants (id, name, made_at) values ('${tenant}', 'only', now())`)
  await recordRefusals({ db, record, log, clock: scene.clock }).record({ who: undefined, ...refused })
  await scene.sequence()
  const [newest] = (await list(tenant, {}, 1, undefined)).items
  expect(newest).toMatchObject({
    act: 'route.refused',
    outcome: 'refused',
    actor: { kind: 'anyone' },
    subject: { kind: 'route', id: 'POST /keys' },
    details: { code: 'forbidden' },
    personal: { request: { address: '192.0.2.1', user_agent: 'curl' } },
  })
  const full = async () => Promise.reject(new Error('disk full'))
  await recordRefusals({ db, record: full, log, clock: scene.clock }).record({ who: undefined, ...refused })
  expect(told).toEqual(['A refusal could not be written into the trail'])
})

test('what was erased is shown as erased', async () => {
  await erasePersonalFacts(scene.db, tenant, 'person:ada', scene.clock.now())
  expect(await read(tenant, 4)).toMatchObject({ personal: {}, is_erased: true })
  expect(await read(tenant, 12)).toMatchObject({ personal: { actor: { email: 'bob@example.com' } }, is_erased: false })
})
