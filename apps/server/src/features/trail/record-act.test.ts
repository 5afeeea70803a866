import { readEntry } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyCreated, openTrail, type TrailScene, tenant } from '../../../test/trail-scene.ts'
import { erasePersonalFacts, openPersonalFacts } from './subject-keys.ts'

let scene: TrailScene
beforeAll(async () => {
  scene = await openTrail()
})
afterAll(() => scene.close())

async function lastEntry() {
  const [row] = await scene.db.query<{ bytes: Uint8Array }>(
    'select e.bytes from trail_entries as e order by e.arrival desc limit 1',
  )
  return readEntry(row?.bytes ?? new Uint8Array())
}

const personalOf = async (entry: Awaited<ReturnType<typeof lastEntry>>) =>
  (await openPersonalFacts(scene.db, scene.keyring, entry.tenant, [entry])).get(entry.id)?.facts

const signIn = {
  tenant,
  act: 'session.started',
  actor: { kind: 'person', id: 'p7', credential: 'password' },
  subject: { kind: 'session', id: 's7' },
  request: { id: 'r7', address: '192.0.2.7', userAgent: 'Mozilla/5.0' },
  details: { mfa: false },
  personal: { actor: { email: 'ada@example.com' } },
} as const

test('an act and its entry happen together or not at all', async () => {
  const { db, record } = scene
  const count = async () => (await db.query<{ n: number }>('select count(*) as n from trail_entries'))[0]?.n
  const before = await count()
  const undone = db.inTx(async (tx) => {
    await record(tx, signIn)
    throw new Error('the change failed')
  })
  await expect(undone).rejects.toThrow('the change failed')
  expect(await count()).toBe(before)
})

test('an entry says who did what to what, when, and how they were known', async () => {
  await scene.record(scene.db, signIn)
  expect(await lastEntry()).toMatchObject({
    v: 1,
    at: '2026-02-28T10:00:00.123Z',
    tenant,
    act: 'session.started',
    outcome: 'done',
    actor: { kind: 'person', id: 'p7', credential: 'password' },
    subject: { kind: 'session', id: 's7' },
    request: { id: 'r7' },
    details: { mfa: false },
  })
})

test('personal facts are nowhere in the clear in the database, and open with their key', async () => {
  await scene.record(scene.db, signIn)
  const found = await scene.db.query(
    `select e.id from trail_entries as e where position(convert_to('ada@', 'UTF8') in e.bytes) > 0
        or position(convert_to('192.0.2', 'UTF8') in e.bytes) > 0 or e.actor_id like '%ada%'`,
  )
  expect(found).toEqual([])
  expect(await personalOf(await lastEntry())).toEqual({
    actor: { email: 'ada@example.com' },
    request: { address: '192.0.2.7', user_agent: 'Mozilla/5.0' },
  })
})

test('erasing a person erases what is told of them everywhere, leaves others, and changes no entry', async () => {
  const { db, record } = scene
  await record(db, {
    ...signIn,
    act: 'person.invited',
    actor: { kind: 'person', id: 'admin' },
    subject: { kind: 'person', id: 'p8' },
    personal: { actor: { email: 'admin@example.com' }, subject: { email: 'bob@example.com' } },
  })
  const invited = await lastEntry()
  await record(db, {
    ...signIn,
    actor: { kind: 'person', id: 'p8' },
    personal: { actor: { email: 'bob@example.com' } },
  })
  const signedIn = await lastEntry()
  expect(await personalOf(invited)).toMatchObject({ subject: { email: 'bob@example.com' } })

  expect(await erasePersonalFacts(db, tenant, 'person:p8', scene.clock.now())).toBe(1)

  expect(await personalOf(invited)).toEqual({
    actor: { email: 'admin@example.com' },
    request: { address: '192.0.2.7', user_agent: 'Mozilla/5.0' },
  })
  expect(await personalOf(signedIn)).toEqual({})
  // Somebody erased who acts again is a new person to the trail.
  await record(db, { ...signIn, actor: { kind: 'person', id: 'p8' } })
  expect(await personalOf(await lastEntry())).toMatchObject({ actor: { email: 'ada@example.com' } })
})

test('another tenant cannot open what is sealed here, though the person has the same id', async () => {
  await scene.record(scene.db, signIn)
  const entry = await lastEntry()
  const other = '0190f5a0-0000-7000-9000-000000000002'
  expect((await openPersonalFacts(scene.db, scene.keyring, other, [entry])).get(entry.id)).toEqual({
    facts: {},
    isWhole: false,
  })
  await scene.record(scene.db, { ...signIn, tenant: other })
  expect((await lastEntry()).sealed?.[0]?.key).not.toBe(entry.sealed?.[0]?.key)
})

test('an unknown caller of no tenant is recorded, address sealed', async () => {
  await scene.record(scene.db, {
    tenant: null,
    act: 'session.refused',
    outcome: 'refused',
    actor: { kind: 'anyone', id: '-' },
    subject: { kind: 'route', id: 'POST /api/v2/session' },
    request: { address: '203.0.113.9' },
  })
  const entry = await lastEntry()
  expect(entry).toMatchObject({ tenant: null, outcome: 'refused', actor: { kind: 'anyone' } })
  expect(await personalOf(entry)).toEqual({ request: { address: '203.0.113.9' } })
})

test('many first acts of one person at once share one key', async () => {
  const { db, record, connect } = scene
  const others = [connect(), connect()]
  const acts = Array.from({ length: 30 }, (_, i) =>
    (others[i % 2] ?? db).inTx((tx) => record(tx, { ...signIn, actor: { kind: 'person', id: 'crowd' } })),
  )
  await Promise.all(acts)
  const keys = await db.query("select k.name from trail_subject_keys as k where k.data_subject = 'person:crowd'")
  expect(keys).toHaveLength(1)
})

test('what PostgreSQL has no text for is recorded all the same', async () => {
  await scene.record(scene.db, { ...keyCreated(1), subject: { kind: 'route', id: '/a\0b\ud800' } })
  expect((await lastEntry()).subject.id).toBe('/a\0b\\ud800')
  const [row] = await scene.db.query<{ subject: string }>(
    'select e.subject_id as subject from trail_entries as e order by e.arrival desc limit 1',
  )
  expect(row?.subject).toBe('/a\\u0000b\\ud800')
})

test('the database computes the leaf itself: nobody can store another', async () => {
  const [row] = await scene.db.query<{ n: number }>(
    `select count(*) as n from trail_entries as e where e.leaf_hash <> sha256('\\x00'::bytea || e.bytes)`,
  )
  expect(row?.n).toBe(0)
})
