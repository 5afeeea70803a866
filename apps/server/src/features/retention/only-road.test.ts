import { afterAll, beforeAll, expect, test } from 'vitest'
import { fakeS3 } from '../../../test/fake-s3.ts'
import { openRetention, type RetentionScene } from '../../../test/retention-scene.ts'

// What the role the server runs as, if it is the attacker, can do about entries: nothing but what retention allows.

let s3: Awaited<ReturnType<typeof fakeS3>>
let scene: RetentionScene

beforeAll(async () => {
  s3 = await fakeS3()
  scene = await openRetention(s3.connect())
  await scene.fill(520)
  await scene.pass(31)
  await scene.fill(80)
})
afterAll(async () => {
  await scene.close()
  await s3.close()
})

const sha256 = 'ab'.repeat(32)

/** A removal as an attacker would put it there, claiming an archive nobody wrote. */
async function claim(
  more: { first?: number; beyond?: number; isArchived?: boolean; chain?: string; days?: number } = {},
): Promise<string> {
  const { first = 0, beyond = 256, isArchived = true, chain = 'test-chain', days = 30 } = more
  const id = scene.newId()
  await scene.db.query(
    `insert into trail_removals (id, first_number, beyond, oldest_at, newest_at, retention_days, bucket, chain_id, key, planned_at, next_attempt_at)
      values ($1, $2, $3, '2021-03-01', '2021-03-01', $4, 'anchors', $5, 'k', now(), now())`,
    [id, first, beyond, days, chain],
  )
  if (isArchived) {
    await scene.db.query(
      'update trail_removals set archived_at = now(), sha256 = $2, bytes = 1, locked_until = now() where id = $1',
      [id, Buffer.from(sha256, 'hex')],
    )
  }
  return id
}

const stub = { first: 0, last: 255, bucket: 'anchors', archive_key: 'k', archive_sha256: sha256 }
const whole = { ...stub, removed_at: '2021-04-01T00:00:00.000Z', signature: 'x' }

async function writeStub(said: object): Promise<string> {
  const id = scene.newId()
  const act = {
    tenant: null,
    act: 'trail.span_removed',
    actor: { kind: 'system', id: 'retention' },
    subject: { kind: 'trail', id: '0-255' },
    details: { stub: { ...said } },
  } as const
  await scene.writeStub(scene.db, act, id)
  return id
}

/** Tries it in a transaction that leaves nothing behind, so that every test finds the same. */
async function attempt(work: () => Promise<{ removal: string; stub: string }>): Promise<void> {
  let removal = ''
  try {
    const found = await work()
    removal = found.removal
    await scene.db.query('select trail_remove_span($1, $2)', [found.removal, found.stub])
  } finally {
    await scene.asSuperuser(
      `alter table trail_removals disable trigger all; delete from trail_removals where id::text = '${removal}' or removed_at is null;
       alter table trail_removals enable always trigger trail_removals_kept;
       alter table trail_removals enable always trigger trail_removals_only_progress`,
    )
  }
}

test.for([
  'delete from trail_entries',
  'delete from trail_entries where false',
  'truncate trail_entries',
  "update trail_entries set act = 'x.y'",
  'delete from trail_sequence',
  'truncate trail_sequence cascade',
  'delete from trail_removed_tiles',
  "insert into trail_removed_tiles (index, removal_id, leaves) values (0, gen_random_uuid(), '')",
  'delete from trail_removals',
  'update trail_removals set removed_at = now()',
  'update trail_removals set removed_in = pg_current_xact_id()',
  'insert into trail_removals (id, removed_in) values (gen_random_uuid(), pg_current_xact_id())',
  'delete from trail_holds',
  "update trail_holds set reason = 'none'",
  "update trail_holds set held_until = '2000-01-01'",
  'alter table trail_holds disable trigger all',
  'drop function trail_remove_span(uuid, uuid)',
  'create or replace function trail_refuse_delete() returns trigger language plpgsql as $$ begin return null; end $$',
])('the role the server runs as may not: %s', async (attack) => {
  await expect(scene.db.query(attack)).rejects.toThrow(/permission denied|must be owner/)
})

test.for([
  'delete from trail_entries',
  'delete from trail_sequence where false',
  'delete from trail_removals',
  'truncate trail_removed_tiles',
  'delete from trail_holds',
])('the owner is refused by trigger, also as a session that calls itself a replica: %s', async (attack) => {
  await expect(scene.asSuperuser(`set session_replication_role = replica; ${attack}`)).rejects.toThrow(/insert-only/)
})

test('the function removes nothing without an archive that was read back', async () => {
  const work = async () => ({ removal: await claim({ isArchived: false }), stub: await writeStub(whole) })
  await expect(attempt(work)).rejects.toThrow('there is no archive')
  const nobody = async () => ({ removal: scene.newId(), stub: scene.newId() })
  await expect(attempt(nobody)).rejects.toThrow('there is no archive')
})

test('nor a span that no anchor covers', async () => {
  const work = async () => ({ removal: await claim({ chain: 'another' }), stub: await writeStub(whole) })
  await expect(attempt(work)).rejects.toThrow('no anchor covers')
})

test('nor one that has not expired by the clock of the database, nor by a policy of the future', async () => {
  const work = async () => ({ removal: await claim({ days: 36_000 }), stub: await writeStub(whole) })
  await expect(attempt(work)).rejects.toThrow('has not expired')
})

test('nor half a span, nor the end of the log, nor what is not there', async () => {
  await expect(claim({ first: 10, beyond: 256 })).rejects.toThrow('check constraint')
  await expect(claim({ first: 0, beyond: 100 })).rejects.toThrow('check constraint')
  const work = async () => ({ removal: await claim({ first: 512, beyond: 768 }), stub: await writeStub(whole) })
  await expect(attempt(work)).rejects.toThrow(/no anchor covers|not whole/)
})

test('nor under a hold, whoever placed it', async () => {
  const hold = await scene.hold('2021-03-01T00:00:00Z', null)
  const work = async () => ({ removal: await claim(), stub: await writeStub(whole) })
  await expect(attempt(work)).rejects.toThrow('under a legal hold')
  await scene.lift(hold)
  await expect(scene.db.query('update trail_holds set lifted_by = null, lifted_at = null')).rejects.toThrow(
    'can be lifted and not otherwise changed',
  )
})

test('nor without a stub of exactly this span in the trail', async () => {
  const { signature: _, ...unsigned } = whole
  const wrong = [
    stub,
    unsigned,
    { ...whole, first: 256 },
    { ...whole, last: 511 },
    { ...whole, archive_key: 'another' },
    { ...whole, archive_sha256: 'cd'.repeat(32) },
    { ...whole, bucket: 'another' },
  ]
  for (const said of wrong) {
    const work = async () => ({ removal: await claim(), stub: await writeStub(said) })
    await expect(attempt(work), JSON.stringify(said)).rejects.toThrow('no signed stub')
  }
  const none = async () => ({ removal: await claim(), stub: scene.newId() })
  await expect(attempt(none)).rejects.toThrow('no signed stub')
})

test('a removal that was archived does not change, and two never overlap', async () => {
  const id = await claim()
  await expect(scene.db.query("update trail_removals set key = 'other' where id = $1", [id])).rejects.toThrow(
    'does not change',
  )
  await expect(scene.db.query('update trail_removals set retention_days = 1 where id = $1', [id])).rejects.toThrow(
    'does not change',
  )
  await expect(claim({ first: 0, beyond: 512 })).rejects.toThrow('exclusion constraint')
})

test('nothing of all this removed an entry', async () => {
  const [row] = await scene.db.query<{ numbers: number }>(
    'select count(*) as numbers from trail_sequence where number < 600',
  )
  expect(row).toEqual({ numbers: 600 })
  expect(await scene.counts()).toMatchObject({ tiles: 0 })
})
