import { gunzipSync } from 'node:zlib'
import { isStubSignedBy, readExportLine, verifierOf } from '@countersign/trail'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { testDatabase } from '../../../test/database.ts'
import { type Fault, fakeS3 } from '../../../test/fake-s3.ts'
import { openRetention, type RetentionScene } from '../../../test/retention-scene.ts'
import { testServer } from '../../../test/server.ts'
import { findStubs, logSigner, proveContinuation, proveEntry, selectHashes } from '../trail/index.ts'
import { removalHealth } from './removal-health.ts'

const scenes: RetentionScene[] = []
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

async function open() {
  const scene = await openRetention(s3.connect(400))
  scenes.push(scene)
  return scene
}

/** 520 entries that have expired, and 80 that have not. */
async function openExpired() {
  const scene = await open()
  await scene.fill(520)
  await scene.pass(31)
  await scene.fill(80)
  return scene
}

const archives = (): readonly string[] => [...s3.objects.keys()].filter((key) => key.includes('/archive/'))

test('what has expired goes in whole tiles, first into a locked archive; hashes, proofs and a signed stub stay', async () => {
  const scene = await openExpired()
  const { db } = scene
  const leaves = await selectHashes(db, 0, 0, 600)
  const [before, proof] = [await proveContinuation({ db })(300, 520), await proveEntry({ db })(undefined, 550)]
  const removal = scene.openRemoval()

  const plan = await removal.plan()
  expect(plan).toMatchObject({ spans: [{ is: 'due', first: 0, beyond: 512 }], waiting: { is: 'few' } })
  expect(archives()).toEqual([])

  const outcome = await removal.pass()
  expect(outcome).toMatchObject({ is: 'removed', failures: [], spans: [{ first: 0, last: 511, count: 512 }] })
  expect(await scene.counts()).toEqual({ entries: 89, numbers: 88, tiles: 2 })
  await scene.sequence()
  await scene.cut()

  const [key = ''] = archives()
  expect(key).toBe('test-chain/archive/0000000000000000-0000000000000511.jsonl.gz')
  const stored = s3.objects.get(key)
  expect(stored).toHaveLength(1)
  expect(stored?.[0]?.lockedUntil).toMatch(/^2022-05-/)
  const lines = gunzipSync(stored?.[0]?.bytes ?? '')
    .toString()
    .trimEnd()
    .split('\n')
  expect(lines).toHaveLength(514)
  expect(readExportLine(Buffer.from(lines[1] ?? ''))).toMatchObject({ is: 'entry', entry: { number: 0 } })

  expect(await selectHashes(db, 0, 0, 600)).toEqual(leaves)
  expect(await proveContinuation({ db })(300, 520)).toEqual(before)
  expect((await proveEntry({ db })(undefined, 550)).leaf_hash).toBe(proof.leaf_hash)
  const [stub] = await findStubs(db)
  const signer = await logSigner(scene.keyring)(db)
  if (!stub || !signer) throw new Error('no stub')
  expect(isStubSignedBy(stub, verifierOf(signer))).toBe(true)
  expect(isStubSignedBy({ ...stub, last: 513, count: 514 }, verifierOf(signer))).toBe(false)
  expect(stub).toMatchObject({ retention_days: 30, removed_by: { kind: 'system', id: 'retention' }, size: 600 })
  await expect(proveEntry({ db })(undefined, 5)).rejects.toThrow(
    /was removed after its time .* archive test-chain\/archive/,
  )

  expect(await removal.pass()).toMatchObject({ spans: [], failures: [] })
  await scene.pass(31)
  await scene.fill(200)
  // Its tile has entries that are still young.
  expect(await removal.pass()).toMatchObject({ spans: [], failures: [] })
  expect(await removal.plan()).toMatchObject({ spans: [], waiting: { is: 'young', span: { first: 512, beyond: 768 } } })
  expect((await scene.verify()).faults).toEqual([])
  expect((await scene.verify()).oddities).toEqual([])
})

test('whatever the store does, nothing is removed before its archive is there, locked and read back; then once', async () => {
  const faults: readonly Fault[] = [
    'down',
    'silent',
    'failing',
    'refusing',
    'no_lock',
    'forgets',
    'reads_wrong',
    'cuts_off',
  ]
  const scene = await openExpired()
  const removal = scene.openRemoval()
  for (const fault of faults) {
    s3.misbehave(fault)
    const outcome = await removal.pass(undefined, true)
    expect(outcome.is === 'removed' && outcome.failures.length, fault).toBe(1)
    expect(await scene.counts(), fault).toMatchObject({ entries: 600, tiles: 0 })
    expect(await removal.pass(), 'it waits before it tries again').toMatchObject({ spans: [], failures: [] })
  }
  s3.misbehave()
  await scene.pass(1)
  expect(await removal.pass()).toMatchObject({ spans: [{ first: 0, last: 511 }], failures: [] })
  expect(archives()).toHaveLength(1)
  expect(s3.objects.get(archives()[0] ?? '')).toHaveLength(1)
  expect(scene.said).toContain('Expired entries could not be removed')
})

test('a store that takes an archive and does not lock it gets no entries for it', async () => {
  const scene = await openExpired()
  s3.misbehave('ignores_lock')
  const outcome = await scene.openRemoval().pass()
  expect(outcome).toMatchObject({ spans: [], failures: [expect.stringMatching(/without a lock; it must be locked/)] })
  expect(await scene.counts()).toMatchObject({ entries: 600 })
})

test('something else under the name of the archive stops the removal', async () => {
  const scene = await openExpired()
  s3.put('test-chain/archive/0000000000000000-0000000000000511.jsonl.gz', Buffer.from('not it'), {
    lockedUntil: '2030-01-01T00:00:00.000Z',
  })
  const outcome = await scene.openRemoval().pass()
  expect(outcome).toMatchObject({ failures: [expect.stringMatching(/holds something else/)] })
  expect(await scene.counts()).toMatchObject({ entries: 600 })
})

test('killed between the archive and the removal, the next pass finishes it without a second archive', async () => {
  const scene = await openExpired()
  const killed = (): Promise<never> => Promise.reject(new Error('killed'))
  await expect(scene.openRemoval({ write: killed }).pass()).rejects.toThrow('killed')
  expect(await scene.counts()).toMatchObject({ entries: 600, tiles: 0 })
  const before = s3.objects.get(archives()[0] ?? '')
  expect(before).toHaveLength(1)
  expect(await scene.openRemoval().pass()).toMatchObject({ spans: [{ first: 0, last: 511 }] })
  expect(s3.objects.get(archives()[0] ?? '')).toEqual(before)
})

test('killed after the store took the archive and before that was written down, the next pass takes the same object', async () => {
  const scene = await openExpired()
  const store = s3.connect()
  let puts = 0
  const dying = {
    ...store,
    put: async (...of: Parameters<typeof store.put>) => {
      puts += 1
      await store.put(...of)
      throw new Error('killed')
    },
  }
  await expect(scene.openRemoval({ store: dying }).pass()).rejects.toThrow('killed')
  expect(await scene.openRemoval({ store: dying }).pass()).toMatchObject({ spans: [{ first: 0, last: 511 }] })
  expect(puts).toBe(1)
})

test('under a hold nothing goes, and one placed while a removal runs wins; lifted, the same archive serves', async () => {
  const scene = await openExpired()
  const all = await scene.hold()
  const removal = scene.openRemoval()
  expect(await removal.plan()).toMatchObject({ spans: [{ is: 'held', first: 0 }] })
  expect(await removal.pass()).toMatchObject({ spans: [], failures: [] })
  expect(archives()).toEqual([])
  await scene.lift(all)

  let placed = ''
  const store = s3.connect()
  const slow = {
    ...store,
    put: async (...of: Parameters<typeof store.put>) => {
      placed = await scene.hold('2021-03-01T00:00:00Z', '2021-03-02T00:00:00Z')
      return store.put(...of)
    },
  }
  expect(await scene.openRemoval({ store: slow }).pass()).toMatchObject({
    spans: [],
    failures: ['Refused: the span is under a legal hold.'],
  })
  expect(await scene.counts()).toMatchObject({ entries: 600, tiles: 0 })
  await scene.pass(1)
  expect(await removal.pass()).toMatchObject({ spans: [], failures: [] })
  await scene.lift(placed)
  expect(await removal.pass()).toMatchObject({ spans: [{ first: 0, last: 511 }] })
  expect(s3.objects.get(archives()[0] ?? '')).toHaveLength(1)
})

test('a hold on a time keeps the entries of that time; those before and after go', async () => {
  const scene = await open()
  for (let day = 0; day < 4; day += 1) {
    await scene.fill(256)
    await scene.pass(1)
  }
  await scene.fill(10)
  await scene.pass(40)
  await scene.hold('2021-03-02T00:00:00Z', '2021-03-03T00:00:00Z')
  const outcome = await scene.openRemoval().pass()
  expect(outcome).toMatchObject({
    spans: [
      { first: 0, last: 255 },
      { first: 512, last: 1023 },
    ],
    failures: [],
  })
  expect((await scene.numbers())[0]).toBe(256)
  expect(await scene.counts()).toMatchObject({ tiles: 3 })
})

test('a policy made longer holds at once, also for what was archived already', async () => {
  const scene = await openExpired()
  const killed = (): Promise<never> => Promise.reject(new Error('killed'))
  await expect(scene.openRemoval({ write: killed }).pass()).rejects.toThrow('killed')
  const longer = scene.openRemoval({ retentionDays: 90 })
  expect(await longer.pass()).toMatchObject({ spans: [], failures: [] })
  await scene.pass(60)
  expect(await longer.pass()).toMatchObject({ spans: [{ first: 0, last: 511 }] })
})

test('a span somebody changed is neither archived nor removed', async () => {
  const scene = await openExpired()
  await scene.asSuperuser(
    `alter table trail_entries disable trigger all;
     update trail_entries set bytes = replace(convert_from(bytes, 'UTF8'), 'key.created', 'key.deleted')::bytea
       where id = (select entry_id from trail_sequence where number = 100);
     alter table trail_entries enable always trigger trail_entries_insert_only`,
  )
  const outcome = await scene.openRemoval().pass()
  expect(outcome).toMatchObject({ spans: [], failures: [expect.stringMatching(/Run "countersign trail verify"/)] })
  expect(archives()).toEqual([])
})

test('two replicas never remove at the same time', async () => {
  const scene = await openExpired()
  const other = scene.openRemoval()
  let seen = ''
  const store = s3.connect()
  const slow = {
    ...store,
    put: async (...of: Parameters<typeof store.put>) => {
      seen = (await other.pass()).is
      return store.put(...of)
    },
  }
  expect((await scene.openRemoval({ store: slow }).pass()).is).toBe('removed')
  expect(seen).toBe('busy')
})

test('a removal that fails three times is an alarm until it succeeds; one that a hold keeps is none', async () => {
  const scene = await openExpired()
  const { db } = scene
  const removal = scene.openRemoval()
  const health = () => removalHealth({ db })
  expect(await health()).toEqual({ isHealthy: true, failures: 0, error: null })
  s3.misbehave('no_lock')
  for (const failures of [1, 2, 3]) {
    await removal.pass(undefined, true)
    expect(await health()).toEqual({
      isHealthy: failures < 3,
      failures,
      error: expect.stringMatching(/no Object Lock/),
    })
  }
  const hold = await scene.hold()
  expect(await health()).toMatchObject({ isHealthy: true })
  await scene.lift(hold)
  expect(await health()).toMatchObject({ isHealthy: false })
  s3.misbehave()
  await removal.pass(undefined, true)
  expect(await health()).toEqual({ isHealthy: true, failures: 0, error: null })
})

test('a server whose removals fail is degraded, and its metrics say since how many attempts', async () => {
  const database = await testDatabase()
  const server = await testServer({
    databaseUrl: database.url,
    environment: {
      AUDIT_ANCHOR_BUCKET: 'anchors',
      AUDIT_ANCHOR_CHAIN_ID: 'health',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      LOG_RETENTION_DAYS: '30',
    },
  })
  try {
    const [health, metrics] = [() => server.call('GET', '/api/v1/health'), () => server.call('GET', '/metrics')]
    expect((await metrics()).text).toMatch(/countersign_trail_retention_healthy 1\n/)
    expect((await health()).body).toMatchObject({ status: 'ok' })
    await server.db.query(
      `insert into trail_removals
          (id, first_number, beyond, oldest_at, newest_at, retention_days, bucket, chain_id, key, planned_at, next_attempt_at)
        values (gen_random_uuid(), 0, 256, '2021-01-01', '2021-01-02', 30, 'anchors', 'health', 'k', now(), 'infinity')`,
    )
    await server.db.query("update trail_removals set attempts = 3, last_error = 'The store refused.'")
    expect((await health()).body).toMatchObject({ status: 'degraded' })
    expect((await metrics()).text).toMatch(/countersign_trail_retention_healthy 0\n/)
    expect((await metrics()).text).toMatch(/countersign_trail_retention_failures 3\n/)
  } finally {
    await server.stop()
    await database.drop()
  }
})
