import { spawnSync } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { verifierOf, verifierText } from '@countersign/trail'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { logSigner } from '../../../server/src/features/trail/index.ts'
import { fakeS3 } from '../../../server/test/fake-s3.ts'
import { findPython } from '../../../server/test/python.ts'
import { openRetention, type RetentionScene } from '../../../server/test/retention-scene.ts'
import type { Report } from './report.ts'
import { trailCommand } from './trail-command.ts'

// What is left of the trail after retention, with and without the archives, in the hands of somebody who trusts nobody.

let s3: Awaited<ReturnType<typeof fakeS3>>
let scene: RetentionScene
let folder: string
let key: string
const python = findPython()
const verifyPy = join(import.meta.dirname, '../../../../docs/verify/verify.py')
const verifyAnchorsPy = join(import.meta.dirname, '../../../../docs/verify/verify_anchors.py')
const archiveName = 'test-chain/archive/0000000000000000-0000000000000511.jsonl.gz'
const file = (name: string): string => join(folder, name)

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  let text = ''
  let code = 0
  const command = trailCommand({
    env: { COUNTERSIGN_DATABASE_URL: scene.database.url, ...env },
    print: (more) => void (text += more),
    fail: () => void (code = 1),
  })
  await command.parseAsync([...args], { from: 'user' })
  return { text, code }
}

async function report(...args: readonly string[]): Promise<Report> {
  const { text, code } = await run([...args, '--json'])
  const read: Report = JSON.parse(text)
  expect(code).toBe(read.ok ? 0 : 1)
  return read
}

beforeAll(async () => {
  s3 = await fakeS3()
  scene = await openRetention(s3.connect())
  folder = await mkdtemp(join(tmpdir(), 'countersign-retention-'))
  await scene.fill(300)
  await scene.fill(300)
  await scene.pass(31)
  await scene.fill(50)
  const outcome = await scene.openRemoval().pass()
  if (outcome.is !== 'removed' || outcome.spans.length !== 1) throw new Error('nothing was removed')
  await scene.sequence()
  await scene.cut()
  const signer = await logSigner(scene.keyring)(scene.db)
  if (!signer) throw new Error('no key')
  key = verifierText(verifierOf(signer))
  for (const [name, [version]] of s3.objects) {
    await mkdir(dirname(file(`bucket/${name}`)), { recursive: true })
    if (version) await writeFile(file(`bucket/${name}`), version.bytes)
  }
  await run(['export', file('trail.jsonl')])
})
afterAll(async () => {
  await scene.close()
  await s3.close()
  await rm(folder, { recursive: true })
})

const archive = (): string => file(`bucket/${archiveName}`)
const removed = { first: 0, last: 511, is_restored: false }

test('the database verifies as before, says what was removed, and every head and checkpoint is still compared', async () => {
  const found = await report('verify', '--key', key)
  expect(found).toMatchObject({ ok: true, entries: 651, hidden: 512, removed: [removed] })
  expect(found.heads_compared).toBeGreaterThanOrEqual(4)
  expect(await report('fsck')).toMatchObject({ ok: true, removed: [removed] })
  expect((await run(['verify'])).text).toMatch(
    /Entries 0 to 511 were removed after their time on 2021-04-01 and archived as/,
  )
})

test('an export has the stub and the leaves in place of what was removed; with the archives it proves the whole', async () => {
  const lines = (await readFile(file('trail.jsonl'), 'utf8')).split('\n')
  expect(lines[1]).toMatch(/^\{"removed":\{"anchor_key":/)
  expect(lines[2]).toMatch(/^\{"leaf":"[0-9a-f]{64}","number":0\}$/)
  const alone = await report('verify', file('trail.jsonl'), '--key', key)
  expect(alone).toMatchObject({ ok: true, entries: 651, removed: [removed] })
  const whole = await report('verify', file('trail.jsonl'), '--key', key, '--archive', file('bucket'))
  expect(whole).toMatchObject({ ok: true, root: alone.root, removed: [{ ...removed, is_restored: true }] })
  expect(await report('verify', '--archive', archive())).toMatchObject({ ok: true, removed: [{ is_restored: true }] })
})

test('an anchored checkpoint from the middle of what was removed is still held against the log', async () => {
  const anchored = await run(['verify', file('trail.jsonl'), '--key', key, '--anchors', '--folder', file('bucket')])
  expect(anchored.code).toBe(0)
  expect(anchored.text).toMatch(/3 anchors read/)
})

test('an archive is an export of its span by itself', async () => {
  await writeFile(file('archive.jsonl'), gunzipSync(await readFile(archive())))
  expect(await report('verify', file('archive.jsonl'), '--key', key)).toMatchObject({
    ok: true,
    entries: 512,
    hidden: 0,
  })
})

test('one byte changed in an archive is found, whether or not it was compressed anew', async () => {
  const text = gunzipSync(await readFile(archive())).toString('utf8')
  await writeFile(file('forged.jsonl.gz'), gzipSync(text.replace('key.created', 'key.deleted')))
  const forged = await report('verify', file('trail.jsonl'), '--key', key, '--archive', file('forged.jsonl.gz'))
  expect(forged.ok).toBe(false)
  expect(forged.faults.map(({ says }) => says).join('\n')).toMatch(/No stub names .*forged|Entry 0 was changed/)
  const other = text.split('\n').toSpliced(1, 1).join('\n')
  await writeFile(file('short.jsonl.gz'), gzipSync(other))
  expect((await report('verify', '--archive', file('short.jsonl.gz'))).ok).toBe(false)
})

test('a stub that was changed, moved or made by another key is found', async () => {
  const lines = (await readFile(file('trail.jsonl'), 'utf8')).split('\n')
  const forgeries = {
    'changed.jsonl': lines.with(1, (lines[1] ?? '').replace('"retention_days":30', '"retention_days":90')),
    'moved.jsonl': [...lines.slice(0, 1), ...lines.slice(2, 600), lines[1] ?? '', ...lines.slice(600)],
  }
  for (const [name, forged] of Object.entries(forgeries)) {
    await writeFile(file(name), forged.join('\n'))
    expect((await report('verify', file(name), '--key', key)).ok, name).toBe(false)
    if (python) {
      const { status } = spawnSync(python, ['-B', verifyPy, file(name), '--key', key], { encoding: 'utf8' })
      expect(status, name).toBe(1)
    }
  }
})

test.skipIf(!python)('the verifier in Python agrees, on the export and on the archive', async () => {
  const check = (name: string) => {
    const { stdout, status } = spawnSync(python ?? '', ['-B', verifyPy, '--json', file(name), '--key', key], {
      encoding: 'utf8',
    })
    const read: { root: string; removed: readonly object[] } = JSON.parse(stdout)
    return { ...read, status }
  }
  const { root } = await report('verify', file('trail.jsonl'), '--key', key)
  expect(check('trail.jsonl')).toMatchObject({ status: 0, root, removed: [{ first: 0, last: 511 }] })
  await writeFile(file('archive.jsonl'), gunzipSync(await readFile(archive())))
  expect(check('archive.jsonl')).toMatchObject({ status: 0, removed: [] })
})

test.skipIf(!python)('anchors and archives are held against the export by the verifier in Python too', async () => {
  const check = (at: string, exported = 'trail.jsonl') => {
    const args = ['-B', verifyAnchorsPy, '--json', file(at), '--export', file(exported), '--key', key]
    const { stdout, stderr, status } = spawnSync(python ?? '', args, { encoding: 'utf8' })
    expect(stderr).toBe('')
    return { status, text: stdout }
  }
  const good = check('bucket')
  expect(good.status).toBe(0)
  expect(JSON.parse(good.text)).toMatchObject({
    ok: true,
    anchors: { anchors: 3, last: { sequence: 2, size: 650 } },
    log: { removed: [{ first: 0 }] },
  })
  const anchors = [...s3.objects.keys()].filter((name) => name.includes('/anchor-'))
  const [first = '', second = ''] = anchors
  const attack = async (name: string, change: (folder: string) => Promise<void>) => {
    await cp(file('bucket'), file(name), { recursive: true })
    await change(file(name))
    const found = check(name)
    expect(found.status, name).toBe(1)
    return found.text
  }
  expect(await attack('missing', (at) => rm(join(at, second)))).toMatch(/Anchor 1 is missing before/)
  expect(await attack('moved', (at) => rename(join(at, second), join(at, `${second.slice(0, -8)}T23.json`)))).toMatch(
    /which is not where it lies|changed, moved or forged/,
  )
  expect(
    await attack('changed', async (at) => {
      const text = await readFile(join(at, first), 'utf8')
      await writeFile(join(at, first), text.replace('"sequence":0', '"sequence":1'))
    }),
  ).toMatch(/was changed, moved or forged/)
  expect(
    await attack('swapped', async (at) => writeFile(join(at, archiveName), await readFile(file('forged.jsonl.gz')))),
  ).toMatch(/is not the archive its stub names/)
  const lines = (await readFile(file('trail.jsonl'), 'utf8')).split('\n')
  await writeFile(file('cut.jsonl'), lines.slice(0, 620).join('\n'))
  expect(check('bucket', 'cut.jsonl')).toMatchObject({ status: 1, text: expect.stringMatching(/the end was cut off/) })
  const stranger = spawnSync(python ?? '', ['-B', verifyAnchorsPy, file('bucket'), '--key', 'x+00000000+AA=='])
  expect(stranger.status).toBe(2)
})

test('entries that somebody with full rights took out without a stub are found', async () => {
  const id = (n: number) => `(select entry_id from trail_sequence where number = ${n})`
  expect(id(600)).toContain('600')
  await scene.asSuperuser(
    `alter table trail_removals disable trigger all; alter table trail_removed_tiles disable trigger all;
     create table kept as select * from trail_removals; create table kept_tiles as select * from trail_removed_tiles;
     update trail_removals set removed_at = null, stub = null, stub_id = null`,
  )
  const found = await report('verify')
  expect(found.ok).toBe(false)
  expect(found.faults.map(({ says }) => says).join('\n')).toMatch(/taken out and no stub says so/)
  await scene.asSuperuser(
    `update trail_removals as r set removed_at = k.removed_at, stub = k.stub || '{"retention_days": 3}', stub_id = k.stub_id from kept as k where k.id = r.id`,
  )
  expect((await report('verify')).faults.map(({ says }) => says).join('\n')).toMatch(
    /is not the one its entry tells[\s\S]*does not bear the signature/,
  )
  await scene.asSuperuser(
    `update trail_removals as r set stub = k.stub from kept as k where k.id = r.id;
     update trail_removed_tiles set leaves = overlay(leaves placing '\\x00'::bytea from 5 for 1) where index = 1`,
  )
  expect((await report('verify', '--key', key)).faults.map(({ is }) => is)).toContain('head_differs')
  await scene.asSuperuser(
    `update trail_removed_tiles as t set leaves = k.leaves from kept_tiles as k where k.index = t.index;
     drop table kept; drop table kept_tiles;
     alter table trail_removals enable always trigger trail_removals_kept;
     alter table trail_removals enable always trigger trail_removals_only_progress;
     alter table trail_removed_tiles enable always trigger trail_removed_tiles_insert_only`,
  )
  expect(await report('verify')).toMatchObject({ ok: true })
})

test('the command says what would go and what waits, and refuses without a bucket or a policy', async () => {
  const env = {
    LOG_RETENTION_DAYS: '30',
    AUDIT_ANCHOR_BUCKET: 'anchors',
    AUDIT_ANCHOR_CHAIN_ID: 'test-chain',
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    COUNTERSIGN_SEAL_KEY: '5'.repeat(64),
  }
  const plan = await run(['retention', 'plan', '--json'], env)
  expect(JSON.parse(plan.text)).toMatchObject({ spans: [], waits_for: 'few' })
  expect((await run(['retention', 'plan'], env)).text).toMatch(/Nothing has expired[\s\S]*256 entries more/)
  expect((await run(['retention', 'apply'], env)).text).toBe('Nothing has expired that may be removed.\n')
  await expect(run(['retention', 'plan'])).rejects.toThrow(/COUNTERSIGN_LOG_RETENTION_DAYS/)
  await expect(run(['retention', 'apply'], { LOG_RETENTION_DAYS: '30' })).rejects.toThrow(/COUNTERSIGN_ANCHOR_BUCKET/)
})
