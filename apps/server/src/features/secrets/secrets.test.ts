import { makePersonKey, personKeyName } from '@countersign/trail'
import pg from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/database.ts'
import { systemClock } from '../../kernel/clock.ts'
import { type Keyring, makeKeyring, makeSigningKeyPair } from '../../kernel/crypto.ts'
import { type Db, openDb } from '../../kernel/db.ts'
import { idMaker } from '../../kernel/ids.ts'
import { recordAct } from '../trail/index.ts'
import { digestColumns } from './digest-columns.ts'
import { macKeyUses, resealSecrets, sealKeyUses, unlistedRows } from './index.ts'
import { sealedColumns } from './sealed-columns.ts'

const [keyA, keyB, keyC] = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)] as const
const underA = makeKeyring([keyA])
const rotated = makeKeyring([keyB, keyA])
const underB = makeKeyring([keyB])
const underC = makeKeyring([keyC])
const rowCount = 25

let database: TestDatabase
let owner: Db
let app: Db
const clock = systemClock()
const newId = idMaker(clock.now)
/** The sealed keys of this test, by name. */
let keys: Map<string, Uint8Array>

const open = (url: string): Db =>
  openDb({ url, applicationName: 'secrets test', connectionsMax: 4, onBrokenConnection: () => undefined })

beforeEach(async () => {
  database = await testDatabase()
  owner = open(database.ownerUrl)
  app = open(database.url)
  keys = new Map()
  await seal(underA, rowCount)
  return async () => {
    await owner.end()
    await app.end()
    await database.drop()
  }
})
async function seal(sealing: Keyring, count: number): Promise<string[]> {
  const names: string[] = []
  for (let n = 0; n < count; n += 1) {
    const key = makePersonKey()
    const name = personKeyName(key)
    await app.query(
      `insert into trail_subject_keys (name, data_subject, sealed_key, made_at) values ($1, $2, $3, now())`,
      [name, `person:${name}`, sealing.seal('trail-subject-key', name, key)],
    )
    keys.set(name, key)
    names.push(name)
  }
  return names
}

const reseal = (db = owner, sealing: Keyring = rotated, batchRows = 4) =>
  resealSecrets({ db, sealing, batchRows, recordAct: recordAct({ clock, newId, keyring: sealing }) })

const rows = () =>
  owner.query<{ name: string; box: string | null }>(
    `select k.name, k.sealed_key as box from trail_subject_keys as k where k.data_subject like 'person:%' order by k.name`,
  )

/** Every key that was made here opens under this one, as what it was. */
async function expectAllUnder(sealing: Keyring): Promise<void> {
  for (const { name, box } of await rows()) {
    expect(sealing.unseal('trail-subject-key', name, box ?? '')).toEqual(Buffer.from(keys.get(name) ?? []))
  }
}

const underKey = async (id: string): Promise<number> =>
  (await rows()).filter(({ box }) => box?.startsWith(`${id}:`)).length

const quiet = (): void => undefined

const entries = async () => {
  const found = await owner.query<{ text: string }>(
    `select convert_from(e.bytes, 'UTF8') as text from trail_entries as e where e.act = 'secrets.resealed' order by e.at, e.id`,
  )
  return found.map(({ text }) => JSON.parse(text) as { outcome: string; details: object; sealed: unknown })
}

test('whatever column is sealed or digested is known to the rotation', async () => {
  const found = await owner.query<{ name: string }>(
    `select c.table_name || '.' || c.column_name as name from information_schema.columns as c
      where c.table_schema = 'public' and c.data_type = 'text'
        and (c.column_name like '%sealed%' or c.column_name like '%digest%') order by 1`,
  )
  // What is no digest under the secret key, or stands in a row with one that is counted.
  const others = new Set([
    'approvals.digest',
    'cli_sign_ins.user_code_digest',
    'cli_sign_ins.verifier_digest',
    'trusted_devices.agent_digest',
  ])
  const known = [...sealedColumns, ...digestColumns].map(({ table, column }) => `${table}.${column}`)
  expect(found.map(({ name }) => name).filter((name) => !others.has(name))).toEqual(known.toSorted())
})

test('everything comes under the current key, unchanged, and the trail says so without a secret', async () => {
  const done = await reseal()('operator', quiet)
  expect(done).toMatchObject({ resealed: { 'trail_subject_keys.sealed_key': rowCount }, leftCount: 0, left: [] })
  await expectAllUnder(underB)
  const [intent, end, ...more] = await entries()
  expect(more).toEqual([])
  expect(intent).toMatchObject({
    outcome: 'intended',
    subject: { kind: 'secret', id: 'COUNTERSIGN_SEAL_KEY' },
    details: { from: [underA.keyId], to: underB.keyId, counts: { 'trail_subject_keys.sealed_key': rowCount } },
  })
  expect(end).toMatchObject({ outcome: 'done', details: { left: 0, counts: done.resealed } })
  expect(JSON.stringify([intent, end])).not.toMatch(/operator|a{16}|b{16}/)
})

test('cut off in the middle every row opens, and the next run does the rest', async () => {
  let batches = 0
  const cut = reseal()('operator', () => {
    batches += 1
    if (batches === 3) throw new Error('the machine was switched off')
  })
  await expect(cut).rejects.toThrow('switched off')
  expect([await underKey(underA.keyId), await underKey(underB.keyId)]).toEqual([rowCount - 12, 12])
  await expectAllUnder(rotated)
  const rest = await reseal()('operator', quiet)
  expect(rest.resealed).toEqual({ 'trail_subject_keys.sealed_key': rowCount - 12 })
  await expectAllUnder(underB)
  expect((await entries()).map(({ outcome }) => outcome)).toEqual(['intended', 'intended', 'done'])
})

test('where nothing is under an old key nothing is written, not even an entry', async () => {
  await reseal()('operator', quiet)
  const before = [await rows(), await entries()]
  expect(await reseal()('operator', quiet)).toEqual({ resealed: {}, leftCount: 0, left: [] })
  expect([await rows(), await entries()]).toEqual(before)
})

test('two runs at once share the work, and each row is done once', async () => {
  const runs = await Promise.all([reseal()('one', quiet), reseal()('two', quiet), reseal()('three', quiet)])
  const counts = runs.map(({ resealed }) => resealed['trail_subject_keys.sealed_key'] ?? 0)
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rowCount)
  await expectAllUnder(underB)
})

test('a key that is erased meanwhile stays erased', async () => {
  await reseal()('operator', quiet)
  const [victim] = await seal(underA, 1)
  const eraser = new pg.Client({ connectionString: database.url })
  await eraser.connect()
  await eraser.query('begin')
  await eraser.query(`update trail_subject_keys set sealed_key = null, erased_at = now() where name = $1`, [victim])
  const waiting = reseal()('operator', quiet)
  // The run waits for the row that is held; when it gets it, there is nothing any more to seal.
  await expect
    .poll(async () => (await app.query(`select from pg_locks as l where not l.granted`)).length, { timeout: 20_000 })
    .toBeGreaterThan(0)
  await eraser.query('commit')
  await eraser.end()
  expect(await waiting).toMatchObject({ resealed: { 'trail_subject_keys.sealed_key': 0 }, leftCount: 0 })
  expect((await rows()).find(({ name }) => name === victim)?.box).toBeNull()
})

test('a row under a key that nobody listed is left and named; one that was tampered with too', async () => {
  const [foreign = ''] = await seal(underC, 1)
  const [swapped = '', forged = ''] = (await rows()).filter(({ name }) => name !== foreign).map(({ name }) => name)
  const attacker = await superuser()
  await attacker.query(`alter table trail_subject_keys disable trigger trail_subject_keys_only_erased`)
  // Another key's box, and a box that somebody with the seal key made of a key that is not this one.
  await attacker.query(
    `update trail_subject_keys as k set sealed_key = overlay(k.sealed_key placing 'AAAA' from 20) where k.name = $1`,
    [swapped],
  )
  await attacker.query(`update trail_subject_keys as k set sealed_key = $2 where k.name = $1`, [
    forged,
    underA.seal('trail-subject-key', forged, makePersonKey()),
  ])
  await attacker.query(`alter table trail_subject_keys enable always trigger trail_subject_keys_only_erased`)
  await attacker.end()

  const done = await reseal()('operator', quiet)
  expect(done.leftCount).toBe(2)
  expect(done.left).toEqual(
    expect.arrayContaining([
      { column: 'trail_subject_keys.sealed_key', key: [swapped], why: expect.stringMatching(/was changed/) },
      { column: 'trail_subject_keys.sealed_key', key: [forged], why: expect.stringMatching(/not what the row tells/) },
    ]),
  )
  expect(await underKey(underA.keyId)).toBe(2)
  expect(await unlistedRows(owner, rotated)).toEqual([
    { column: 'trail_subject_keys.sealed_key', key: [foreign], keyId: underC.keyId },
  ])
  const uses = await sealKeyUses(owner, rotated)
  expect(uses.map(({ keyId, standing, needs }) => [keyId, standing, needs.map((need) => need.rows)])).toEqual([
    [underB.keyId, 'current', [rowCount - 2 + 1]],
    [underA.keyId, 'old', [2]],
    [underC.keyId, 'unlisted', [1]],
  ])
})

async function superuser(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.superuserUrl })
  await client.connect()
  return client
}

test('the role the server runs as cannot seal anew, by the command or by itself', async () => {
  await expect(reseal(app)('operator', quiet)).rejects.toThrow(
    /Only the owner of the tables.*COUNTERSIGN_MIGRATE_DATABASE_URL/,
  )
  const [first] = await rows()
  const { name, box } = { name: first?.name ?? '', box: first?.box ?? '' }
  const fresh = underB.seal('trail-subject-key', name, keys.get(name) ?? new Uint8Array())
  expect(fresh).toHaveLength(box.length)
  const update = `update trail_subject_keys set sealed_key = '${fresh}' where name = '${name}'`
  for (const trick of [
    '',
    `create temp table pg_class as select 'trail_subject_keys'::regclass::oid as oid, current_user::regrole::oid as relowner;`,
    `create function pg_temp.pg_has_role(name, oid, text) returns boolean language sql as 'select true'; set search_path = pg_temp, public;`,
  ]) {
    const attacker = new pg.Client({ connectionString: database.url })
    await attacker.connect()
    await expect(attacker.query(`${trick} ${update}`), trick).rejects.toThrow(
      /sealed anew by the owner|permission denied/,
    )
    await attacker.end()
  }
  expect(await underKey(underA.keyId)).toBe(rowCount)
  expect(await entries()).toEqual([])
})

test('the owner can change a sealed key of the trail by sealing it anew, and in no other way', async () => {
  await owner.query(
    `insert into trail_log_keys (name, public_key, sealed_seed, made_at) values ('log', $1, $2, now())`,
    [makeSigningKeyPair().publicKey, underA.seal('trail-log-key', 'log', makeSigningKeyPair().seed)],
  )
  const [{ name = '' } = {}, { name: erased = '' } = {}] = await rows()
  await owner.query(`update trail_subject_keys set sealed_key = null, erased_at = now() where name = $1`, [erased])
  const box = (of: string) => underB.seal('trail-subject-key', of, new Uint8Array(32))
  const seed = underB.seal('trail-log-key', 'log', new Uint8Array(32))
  for (const change of [
    `update trail_subject_keys set sealed_key = '${box(erased)}', erased_at = null where name = '${erased}'`,
    `update trail_subject_keys set sealed_key = '${box(name)}', data_subject = 'person:x' where name = '${name}'`,
    `update trail_subject_keys set sealed_key = '${box(name)}', made_at = now() where name = '${name}'`,
    `update trail_subject_keys set sealed_key = '${box(name)}x' where name = '${name}'`,
    `update trail_subject_keys set sealed_key = '${underA.seal('trail-subject-key', name, new Uint8Array(32))}' where name = '${name}'`,
    `update trail_subject_keys set sealed_key = repeat('x', length(sealed_key)) where name = '${name}'`,
    `update trail_log_keys set sealed_seed = '${seed}', public_key = sha256('x')`,
    `update trail_log_keys set sealed_seed = '${seed}', name = 'other'`,
    `update trail_log_keys set sealed_seed = 'x'`,
    'delete from trail_log_keys',
    'truncate trail_log_keys',
  ]) {
    await expect(owner.query(change), change).rejects.toThrow(/can be erased|insert-only/)
  }
  await expect(app.query(`update trail_log_keys set sealed_seed = '${seed}'`)).rejects.toThrow(/permission denied/)
  await expect(app.query(`update signing_keys set sealed_seed = 'x'`)).rejects.toThrow(/permission denied/)
  await owner.query(`update trail_log_keys set sealed_seed = '${seed}'`)
})

test('an old MAC secret is needed while the trail has an entry with its MAC', async () => {
  const id = newId()
  await app.query(
    `insert into trail_entries (id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes, mac, mac_key)
     values ($1, now(), 'a.b', 'done', 'system', '-', 'x', 'y', '', sha256(''), 'old-key')`,
    [id],
  )
  const uses = await macKeyUses(owner, 'new-key', ['old-key', 'older-key'])
  expect(uses.map(({ keyId, standing, position, needs }) => [keyId, standing, position, needs.length])).toEqual([
    ['new-key', 'current', null, 0],
    ['old-key', 'old', 1, 1],
    ['older-key', 'old', 2, 0],
  ])
})
