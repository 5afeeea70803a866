import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { archiveKey, readExportLine, verifierOf, verifierText } from '@countersign/trail'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trailCommand } from '../../cli/src/trail/trail-command.ts'
import { readChain, s3Store } from '../src/features/anchors/index.ts'
import { cutCheckpoints, findStubs, logSigner } from '../src/features/trail/index.ts'
import { Secret } from '../src/kernel/crypto.ts'
import { type AnchorScene, openAnchoredTrail } from './anchor-scene.ts'
import { testDatabase } from './database.ts'
import { hasRadosgw, radosgwStartMsMax, startRadosgw, type TestStore } from './radosgw.ts'
import { openRetention } from './retention-scene.ts'
import { testServer } from './server.ts'
import { keyCreated } from './trail-scene.ts'

// Against a store that really refuses to delete. Attackers here own the database, and may write into the bucket.

let rados: TestStore
let s3: S3Client
let folder: string
const scenes: AnchorScene[] = []
let chains = 0

const storeOf = (bucket: string) =>
  s3Store({
    bucket,
    region: undefined,
    endpoint: rados.endpoint,
    accessKeyId: rados.accessKeyId,
    secretAccessKey: new Secret(rados.secretAccessKey),
  })

const environment = (bucket: string, chainId: string) => ({
  AUDIT_ANCHOR_BUCKET: bucket,
  AUDIT_ANCHOR_CHAIN_ID: chainId,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: rados.accessKeyId,
  AWS_SECRET_ACCESS_KEY: rados.secretAccessKey,
  AWS_ENDPOINT_URL_S3: rados.endpoint,
})

/** Three anchors over 30 entries, and five entries that are in none. */
async function open() {
  const scene = await openAnchoredTrail(storeOf('locked'), { bucket: 'locked', chainId: `chain-${chains++}` })
  scenes.push(scene)
  const { pass } = scene.open()
  for (let round = 0; round < 3; round += 1) {
    await scene.write(10)
    expect((await pass()).is).toBe('written')
    await scene.clock.moveBy(3_600_000)
  }
  await scene.write(5)
  const signer = await logSigner(scene.keyring)(scene.db)
  if (!signer) throw new Error('no key')
  const key = verifierText(verifierOf(signer))
  const run = async (...args: readonly string[]): Promise<{ readonly text: string; readonly code: number }> => {
    let text = ''
    let code = 0
    const command = trailCommand({
      env: {
        COUNTERSIGN_DATABASE_URL: scene.database.url,
        COUNTERSIGN_SEAL_KEY: '5'.repeat(64),
        ...environment('locked', scene.place.chainId),
      },
      print: (more) => void (text += more),
      fail: () => void (code = 1),
    })
    await command.parseAsync([...args], { from: 'user' })
    return { text, code }
  }
  return { ...scene, key, run, pass }
}

/** Rights over everything, guards switched off and on again. */
async function attack(scene: Pick<AnchorScene, 'asSuperuser'>, text: string): Promise<void> {
  const tables = [
    'trail_entries',
    'trail_sequence',
    'trail_heads',
    'trail_checkpoints',
    'trail_anchors',
    'trail_log_keys',
  ]
  const lower = tables.map((table) => `alter table ${table} disable trigger all;`).join('\n')
  // No attacker leaves a guard down.
  const raise = `do $$ declare guard record; begin
    for guard in select t.tgrelid::regclass as place, t.tgname as name from pg_trigger as t
      where t.tgenabled = 'D' and not t.tgisinternal
    loop execute format('alter table %s enable always trigger %I', guard.place, guard.name); end loop;
  end $$`
  await scene.asSuperuser(`${lower} ${text}; ${raise}`)
}

describe.skipIf(!hasRadosgw)('on a store with Object Lock', () => {
  beforeAll(async () => {
    rados = await startRadosgw()
    folder = await mkdtemp(join(tmpdir(), 'countersign-anchors-'))
    s3 = new S3Client({ region: 'us-east-1', endpoint: rados.endpoint, forcePathStyle: true, credentials: rados })
    await s3.send(new CreateBucketCommand({ Bucket: 'locked', ObjectLockEnabledForBucket: true }))
    await s3.send(new CreateBucketCommand({ Bucket: 'plain' }))
  }, radosgwStartMsMax)
  afterAll(async () => {
    for (const scene of scenes) await scene.close()
    // What did not start need not be stopped; why it did not is told already.
    s3?.destroy()
    await rados?.stop()
    if (folder) await rm(folder, { recursive: true, force: true })
  })

  test('an anchor is locked for its whole time, and nobody can delete it or shorten that', async () => {
    const { key, place, run } = await open()
    const { Versions = [] } = await s3.send(
      new ListObjectVersionsCommand({ Bucket: 'locked', Prefix: `${place.chainId}/` }),
    )
    expect(Versions).toHaveLength(3)
    for (const { Key, VersionId } of Versions) {
      const object = { Bucket: 'locked', Key, VersionId }
      await expect(s3.send(new DeleteObjectCommand({ ...object, BypassGovernanceRetention: true }))).rejects.toThrow(
        /lock|denied/i,
      )
      const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: new Date('2026-12-01T00:00:00Z') } as const
      await expect(s3.send(new PutObjectRetentionCommand({ ...object, Retention }))).rejects.toThrow()
    }
    const found = await run('anchors', 'verify', '--key', key)
    expect(found).toMatchObject({
      code: 0,
      text: expect.stringMatching(
        /3 anchors read; the last is number 2[^]*35 entries recomputed; 7 heads compared[^]*Nothing was changed/,
      ),
    })
  })

  test('a bucket without Object Lock is refused before anything is written, and everybody is told', async () => {
    const scene = await openAnchoredTrail(storeOf('plain'), { bucket: 'plain' })
    scenes.push(scene)
    await scene.write(3)
    const outcome = await scene.open().pass()
    expect(outcome).toMatchObject({ is: 'failed', fault: { is: 'no_lock' } })
    expect(scene.said.join()).toMatch(/could not be anchored.*has no Object Lock/)
    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: 'plain' }))
    expect(Versions).toEqual([])
  })

  test('a server anchors by itself, tells its health, and takes a request for one now', async () => {
    // Each has a trail of its own: what one anchors is not the other's to anchor.
    const [lockedDatabase, plainDatabase] = [await testDatabase(), await testDatabase()]
    const environmentOf = (bucket: string) => environment(bucket, `server-${bucket}`)
    const [well, ill] = [
      await testServer({ databaseUrl: lockedDatabase.url, environment: environmentOf('locked') }),
      await testServer({ databaseUrl: plainDatabase.url, environment: environmentOf('plain') }),
    ]
    try {
      const [tenant, other] = [await well.newTenant(), await ill.newTenant()]
      const state = async (server: typeof well, { cookie }: { readonly cookie: string }) =>
        (await server.call('GET', '/api/v2/trail/anchoring', { cookie })).body
      await expect
        .poll(async () => state(well, tenant), { timeout: 60_000 })
        .toMatchObject({ anchoring: { is_on: true, is_healthy: true, bucket: 'locked' } })
      // Each failure is one more than the last wait; three are an alarm, whether asked for or tried by itself.
      await expect
        .poll(
          async () => {
            await ill.call('POST', '/api/v2/trail/anchors', { cookie: other.cookie })
            return state(ill, other)
          },
          { timeout: 60_000, interval: 500 },
        )
        .toMatchObject({
          anchoring: { is_healthy: false, error: expect.stringContaining('has no Object Lock') },
        })
      expect((await ill.call('GET', '/api/v1/health')).body).toMatchObject({ status: 'degraded' })
      expect((await ill.call('GET', '/metrics')).text).toMatch(/countersign_trail_anchor_healthy 0/)
      const now = await well.call('POST', '/api/v2/trail/anchors', { cookie: tenant.cookie })
      expect([200, 409]).toContain(now.status)
      await expect
        .poll(async () => (await well.call('GET', '/api/v2/trail/anchors', { cookie: tenant.cookie })).body, {
          timeout: 30_000,
        })
        .toMatchObject({ items: [expect.objectContaining({ error: null, locked_until: expect.any(String) })] })
    } finally {
      await well.stop()
      await ill.stop()
      await lockedDatabase.drop()
      await plainDatabase.drop()
    }
  }, 240_000)

  test('expired entries go only into a locked archive, which the store lets nobody delete, shorten or empty', async () => {
    // A store refuses a lock that ends in the past, and the database asks its own clock what has expired.
    const startsAt = new Date(Date.now() - 60 * 86_400_000).toISOString()
    const chainId = `chain-${chains++}`
    const scene = await openRetention(storeOf('locked'), { bucket: 'locked', chainId, startsAt })
    scenes.push(scene)
    await scene.fill(300)
    await scene.pass(31)
    await scene.fill(10)
    const unlocked = await scene.openRemoval({ store: storeOf('plain') }).pass(undefined, true)
    expect(unlocked).toMatchObject({ spans: [], failures: [expect.stringContaining('has no Object Lock')] })
    expect(await scene.counts()).toMatchObject({ entries: 310, tiles: 0 })

    const outcome = await scene.openRemoval().pass(undefined, true)
    expect(outcome).toMatchObject({ failures: [], spans: [{ first: 0, last: 255, count: 256 }] })
    expect(await scene.counts()).toMatchObject({ entries: 55, tiles: 1 })
    await scene.sequence()
    await scene.cut()

    const Key = archiveKey(chainId, 0, 255)
    const stored = await storeOf('locked').get(Key, 10_000_000)
    const [stub] = await findStubs(scene.db)
    if (!stored?.lockedUntil || !stub) throw new Error('There is no locked archive, or no stub.')
    expect(createHash('sha256').update(stored.bytes).digest('hex')).toBe(stub.archive_sha256)
    expect(stored.lockedUntil.getTime()).toBeGreaterThan(scene.clock.now().getTime() + 399 * 86_400_000)
    const lines = gunzipSync(stored.bytes).toString().trimEnd().split('\n')
    expect(lines.filter((line) => readExportLine(Buffer.from(line)).is === 'entry')).toHaveLength(256)

    const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: 'locked', Prefix: Key }))
    expect(Versions).toHaveLength(1)
    const version = { Bucket: 'locked', Key, VersionId: Versions[0]?.VersionId }
    await expect(s3.send(new DeleteObjectCommand(version))).rejects.toThrow()
    const Retention = { Mode: 'COMPLIANCE' as const, RetainUntilDate: new Date(Date.now() + 86_400_000) }
    await expect(s3.send(new PutObjectRetentionCommand({ ...version, Retention }))).rejects.toThrow()
    expect(await scene.verify()).toMatchObject({ ok: true, oddities: [] })
  }, 120_000)

  test('a tail that was cut off is found, although everything in the database agrees', async () => {
    const scene = await open()
    await attack(
      scene,
      `
      delete from trail_entries where id in (select entry_id from trail_sequence where number >= 20);
      delete from trail_sequence where number >= 20;
      delete from trail_heads where size > 20; delete from trail_checkpoints where size > 20`,
    )
    const { code, text } = await scene.run('anchors', 'verify', '--key', scene.key)
    expect(code).toBe(1)
    expect(text).toMatch(/Anchor 2 of .* counts 30 entries; only 20 are here: the end was cut off/)
    expect(await scene.run('verify', '--anchors', '--key', scene.key)).toMatchObject({ code: 1 })
  })

  test('a database set back to an older dump is found, before and after new entries were written on it', async () => {
    const scene = await open()
    await attack(
      scene,
      `
      delete from trail_entries where id in (select entry_id from trail_sequence where number >= 10);
      delete from trail_sequence where number >= 10; delete from trail_heads where size > 10;
      delete from trail_checkpoints where size > 10; delete from trail_anchors where size > 10`,
    )
    const soon = await scene.run('anchors', 'verify', '--key', scene.key)
    expect(soon).toMatchObject({
      code: 1,
      text: expect.stringMatching(/bucket has anchors up to 2 .* the database knows them up to 0: it was set back/),
    })
    const cut = cutCheckpoints({
      db: scene.db,
      clock: scene.clock,
      sealing: scene.keyring,
      origin: 'x.example.com/trail',
    })
    for (let i = 0; i < 40; i += 1) await scene.record(scene.db, keyCreated(1000 + i))
    await scene.sequence()
    await cut()
    const later = await scene.run('verify', '--anchors', '--key', scene.key)
    expect(later.code).toBe(1)
    expect(later.text).toMatch(/Anchor 1 of .* over 20 entries differs from the head recomputed/)
    expect(await scene.pass(), 'and nothing is written on top of it').toMatchObject({
      is: 'failed',
      fault: { is: 'unexpected' },
    })
  })

  test('a history written anew, heads and checkpoints signed with the real key, is found at the entry where it begins', async () => {
    const scene = await open()
    await attack(
      scene,
      `
      delete from trail_entries; delete from trail_sequence; delete from trail_heads; delete from trail_checkpoints`,
    )
    const cut = cutCheckpoints({
      db: scene.db,
      clock: scene.clock,
      sealing: scene.keyring,
      origin: 'x.example.com/trail',
    })
    for (let i = 0; i < 35; i += 1) await scene.record(scene.db, keyCreated(i === 14 ? 666 : i))
    await scene.sequence()
    await cut()
    const { code, text } = await scene.run('anchors', 'verify', '--key', scene.key)
    expect(code).toBe(1)
    expect(text).toMatch(/Anchor 0 of .* over 10 entries differs/)
  })

  test('an old checkpoint put over a newer anchor, a delete marker and a stranger in the chain are found', async () => {
    const scene = await open()
    const { files } = await readChain(storeOf('locked'), scene.place.chainId)
    const [first, second, third] = files
    if (!first || !second || !third) throw new Error('no anchors')
    await s3.send(new PutObjectCommand({ Bucket: 'locked', Key: third.key, Body: first.bytes }))
    await s3.send(new DeleteObjectCommand({ Bucket: 'locked', Key: second.key }))
    const stranger = `${scene.place.chainId}/readme.txt`
    await s3.send(new PutObjectCommand({ Bucket: 'locked', Key: stranger, Body: 'x' }))
    const { code, text } = await scene.run('anchors', 'verify', '--key', scene.key)
    expect(code).toBe(1)
    expect(text).toMatch(/anchor-20260228T12.json was written over 1 times; the first version is what counts/)
    expect(text).toMatch(/anchor-20260228T11.json was deleted, as far as the lock allowed/)
    expect(text).toContain(`${stranger} lies among the anchors and is not named like one`)
    expect(text, 'the log itself is still proven by what the lock kept').toMatch(/Nothing was changed/)
  })

  test('another key in the place of the real one is found, whichever of the two somebody trusts', async () => {
    const scene = await open()
    await attack(scene, `update trail_log_keys set public_key = sha256('mallory')`)
    const trusting = await scene.run('anchors', 'verify')
    expect(trusting).toMatchObject({ code: 1, text: expect.stringMatching(/does not bear the signature of/) })
    const knowing = await scene.run('anchors', 'verify', '--key', scene.key)
    expect(knowing).toMatchObject({
      code: 1,
      text: expect.stringMatching(/which is not the one you gave: it was exchanged/),
    })
  })

  test('an outsider checks downloaded anchors against an export, without a database, a bucket or a network', async () => {
    const scene = await open()
    const { files } = await readChain(storeOf('locked'), scene.place.chainId)
    const place = join(folder, scene.place.chainId)
    for (const { key, bytes } of files) {
      await mkdir(dirname(join(place, key)), { recursive: true })
      await writeFile(join(place, key), bytes)
    }
    const exported = join(folder, `${scene.place.chainId}.jsonl`)
    await scene.run('export', exported)
    const offline = ['anchors', 'verify', '--folder', place, '--export', exported, '--key', scene.key]
    expect(await scene.run(...offline)).toMatchObject({ code: 0 })
    await rm(join(place, files[1]?.key ?? ''))
    expect(await scene.run(...offline)).toMatchObject({
      code: 1,
      text: expect.stringMatching(/Anchor 1 is missing before/),
    })
    expect(await scene.run('verify', '--anchors', '--folder', place, '--key', scene.key)).toMatchObject({ code: 1 })
  })
})
