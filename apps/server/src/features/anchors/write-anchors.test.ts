import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type AnchorScene, openAnchoredTrail } from '../../../test/anchor-scene.ts'
import { type Fault, fakeS3 } from '../../../test/fake-s3.ts'
import { listAnchors } from './anchors-table.ts'

const scenes: AnchorScene[] = []
let s3: Awaited<ReturnType<typeof fakeS3>>

beforeAll(async () => {
  s3 = await fakeS3()
})
beforeEach(() => {
  s3.misbehave()
  s3.objects.clear()
})
afterAll(async () => {
  for (const scene of scenes) await scene.close()
  await s3.close()
})

async function open(options: { intervalMinutes?: number } = {}) {
  const scene = await openAnchoredTrail(s3.connect(), options)
  scenes.push(scene)
  return scene
}

const hours = (count: number): number => count * 3_600_000

test('the first anchor is written at once and then one an interval, each linked to the one before, named by its hour', async () => {
  const scene = await open()
  const { pass } = scene.open()
  expect((await pass()).is).toBe('nothing_new')
  await scene.write(2)
  await scene.clock.moveBy(hours(1))
  for (let round = 0; round < 3; round += 1) {
    await scene.write(2)
    expect((await pass()).is).toBe('written')
    await scene.write(1)
    expect((await pass()).is).toBe('not_due')
    await scene.clock.moveBy(hours(1))
  }
  expect([...s3.objects.keys()]).toEqual([
    'test-chain/2026/02/28/11/anchor-20260228T11.json',
    'test-chain/2026/02/28/12/anchor-20260228T12.json',
    'test-chain/2026/02/28/13/anchor-20260228T13.json',
  ])
  expect(await scene.verify()).toMatchObject({ ok: true, anchors: 3, oddities: [], last: { sequence: 2, size: 10 } })
})

test('with an interval below an hour names have minutes, and one written by hand never takes the name of another', async () => {
  const scene = await open({ intervalMinutes: 20 })
  const { pass, writeNow } = scene.open()
  await scene.write(1)
  for (let round = 0; round < 4; round += 1) {
    expect((await pass()).is).toBe('written')
    await scene.write(1)
    expect((await writeNow()).is).toBe('written')
    await scene.write(1)
    expect((await writeNow()).is).toBe('written')
    await scene.write(1)
    await scene.clock.moveBy(21 * 60_000)
  }
  expect((await scene.verify()).faults).toEqual([])
  expect(s3.objects.size).toBe(12)
})

test('whatever the store does, nothing is skipped: the same bytes are tried again, and the next anchor covers the gap', async () => {
  const faults: readonly Fault[] = [
    'down',
    'silent',
    'failing',
    'refusing',
    'skewed',
    'no_lock',
    'forgets',
    'reads_wrong',
    'cuts_off',
  ]
  const scene = await openAnchoredTrail(s3.connect(400))
  scenes.push(scene)
  const { pass } = scene.open()
  await scene.write(1)
  expect((await pass()).is).toBe('written')
  for (const fault of faults) {
    await scene.write(2)
    await scene.clock.moveBy(hours(1))
    s3.misbehave(fault)
    const outcome = await pass()
    expect(outcome.is, fault).toBe('failed')
    expect((await pass()).is, 'it waits before it tries again').toBe('not_due')
    await scene.write(3)
    s3.misbehave()
    await scene.clock.moveBy(11_000)
    expect((await pass()).is, fault).toBe('written')
  }
  const found = await scene.verify()
  expect(found).toMatchObject({ ok: true, anchors: 10, oddities: [] })
  const rows = await listAnchors(scene.db, scene.place, undefined, 100)
  expect(rows.toReversed().map(({ firstNumber }) => firstNumber)).toEqual([
    0,
    ...rows
      .toReversed()
      .map(({ size }) => size)
      .slice(0, -1),
  ])
  expect(rows.every(({ writtenAt, lastError }) => writtenAt !== null && lastError === null)).toBe(true)
})

test('each failure is told in words that name the remedy, without credentials, and tries come further apart', async () => {
  const scene = await open()
  const { pass } = scene.open()
  await scene.write(1)
  const words: Partial<Record<Fault, RegExp>> = {
    down: /not reached/,
    refusing: /refused s3:GetBucketObjectLockConfiguration .* policy allows/,
    skewed: /clock is wrong/,
    no_lock: /has no Object Lock, so what is written there can be deleted/,
    ignores_lock: /without a lock; it must be locked until 2027-04-0/,
    reads_wrong: /something else under .* than was written/,
  }
  let wait = 10_000
  for (const [fault, says] of Object.entries(words)) {
    s3.objects.clear()
    s3.misbehave(fault as Fault)
    const outcome = await pass()
    if (outcome.is !== 'failed') throw new Error(`${fault}: ${outcome.is}`)
    expect(outcome.fault.message, fault).toMatch(says)
    await scene.clock.moveBy(wait - 1)
    expect((await pass()).is, fault).toBe('not_due')
    await scene.clock.moveBy(1)
    wait = Math.min(wait * 2, 600_000)
  }
  expect(scene.said.join('\n')).toMatch(/could not be anchored/)
  expect(scene.said.join('\n')).not.toMatch(/authorization|signature/i)
})

test('a server killed after the store took the anchor and before that was written down goes on with the same object', async () => {
  const scene = await open()
  await scene.write(2)
  const store = s3.connect()
  const killed = scene.open({
    ...store,
    put: async (...object) => {
      await store.put(...object)
      throw new Error('killed')
    },
  })
  await expect(killed.pass()).rejects.toThrow('killed')
  await scene.write(2)
  await scene.clock.moveBy(hours(2))
  const restarted = scene.open()
  expect((await restarted.pass()).is).toBe('written')
  expect((await restarted.pass()).is).toBe('written')
  expect([...s3.objects.values()].map((versions) => versions.length)).toEqual([1, 1])
  expect(await scene.verify()).toMatchObject({ ok: true, anchors: 2 })
})

test('replicas that anchor at once write one chain', async () => {
  const scene = await open()
  const replicas = [scene.open(), scene.open(s3.connect()), scene.open(s3.connect())]
  for (let round = 0; round < 5; round += 1) {
    await scene.write(2)
    await scene.clock.moveBy(hours(1))
    const outcomes = await Promise.all(replicas.map(({ pass }) => pass()))
    expect(outcomes.filter(({ is }) => is === 'written')).toHaveLength(1)
  }
  expect(await scene.verify()).toMatchObject({ ok: true, anchors: 5, oddities: [] })
})

test('a chain that somebody else writes, or a database older than its anchors, is refused until somebody has looked', async () => {
  const first = await open()
  await first.write(2)
  expect((await first.open().pass()).is).toBe('written')
  const other = await open()
  await other.write(2)
  const taken = await other.open().pass()
  if (taken.is !== 'failed') throw new Error(taken.is)
  expect(taken.fault.message).toMatch(/another installation uses this chain, or the database was set back/)
  await first.write(2)
  await first.clock.moveBy(hours(1))
  s3.put('test-chain/2026/02/28/10/anchor-20260228T1059.json', Buffer.from('{}'))
  const disturbed = await first.open().pass()
  expect(disturbed).toMatchObject({ is: 'failed', fault: { is: 'unexpected' } })
})

test('the link to the one before holds over thousands of anchors', async () => {
  const scene = await open()
  const { pass } = scene.open()
  await scene.write(1)
  expect((await pass()).is).toBe('written')
  // As if they had been written: what makes the next one reads the last row and lists what comes after it.
  await scene.asSuperuser(`
    alter table trail_anchors disable trigger all;
    insert into trail_anchors select a.bucket, a.chain_id, n, 'test-chain/2026/02/28/10/anchor-20260228T10' || lpad((n + 1000)::text, 7, '0') || '.json',
        a.bytes, sha256(n::text::bytea), 0, a.size, a.root, a.made_at + n * interval '1 millisecond', 1, a.made_at, null, a.made_at, a.locked_until
      from trail_anchors as a, generate_series(1, 3000) as n;
    alter table trail_anchors enable always trigger trail_anchors_kept;
    alter table trail_anchors enable always trigger trail_anchors_only_progress`)
  await scene.write(1)
  await scene.clock.moveBy(hours(2))
  const outcome = await pass()
  if (outcome.is !== 'written') throw new Error(outcome.is)
  const [object] = s3.objects.get(outcome.anchor.key) ?? []
  const [before] = await scene.db.query<{ key: string; sha256: Buffer }>(
    'select a.key, a.sha256 from trail_anchors as a where a.sequence = 3000',
  )
  expect(JSON.parse(object?.bytes.toString() ?? '')).toMatchObject({
    sequence: 3001,
    prev_anchor_key: before?.key,
    prev_anchor_sha256: before?.sha256.toString('hex'),
  })
})

test('an anchor cannot be deleted, nor changed once written, by the role the server runs as', async () => {
  const scene = await open()
  await scene.write(1)
  await scene.open().pass()
  for (const text of [
    'delete from trail_anchors',
    'truncate trail_anchors',
    `update trail_anchors set bytes = ''`,
    `update trail_anchors set last_error = 'x'`,
  ]) {
    await expect(scene.db.query(text), text).rejects.toThrow(/insert-only|permission denied|does not change/)
  }
})
