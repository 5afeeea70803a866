import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keyCreated, openTrail, type TrailScene } from '../../../test/trail-scene.ts'
import { erasePersonalFacts } from './subject-keys.ts'

let scene: TrailScene
beforeAll(async () => {
  scene = await openTrail()
  const person = { kind: 'person', id: 'p1' } as const
  for (let i = 0; i < 3; i++) {
    await scene.record(scene.db, { ...keyCreated(i), actor: person, personal: { actor: { name: 'Ada' } } })
  }
  await scene.sequence()
})
afterAll(() => scene.close())

const tables = ['trail_entries', 'trail_sequence', 'trail_heads', 'trail_subject_keys'] as const
const changes = {
  trail_entries: "update trail_entries set act = 'x.y'",
  trail_sequence: 'update trail_sequence set number = number + 100',
  trail_heads: "update trail_heads set root = sha256('')",
  trail_subject_keys: "update trail_subject_keys set data_subject = 'person:other'",
} as const

const attacks = tables.flatMap((table) => [
  changes[table],
  `delete from ${table}`,
  `truncate ${table}`,
  `drop table ${table}`,
  `alter table ${table} disable trigger all`,
  `alter table ${table} add column extra text`,
])

test.for([
  ...attacks,
  'insert into trail_entries (id, arrival, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes) ' +
    "values (gen_random_uuid(), -5, now(), 'a.b', 'done', 'system', '-', 'x', 'y', '')",
  'insert into trail_entries (id, leaf_hash, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes) ' +
    "values (gen_random_uuid(), sha256(''), now(), 'a.b', 'done', 'system', '-', 'x', 'y', '')",
  "update trail_subject_keys set sealed_key = 'x'",
  'drop function trail_refuse_change cascade',
  'create or replace function trail_refuse_change() returns trigger language plpgsql as $$ begin return null; end $$',
  "select setval('trail_arrival', 1)",
  'set session_replication_role = replica',
  'set role countersign_test_owner',
])('the role the server runs as may not: %s', async (attack) => {
  await expect(scene.db.query(attack)).rejects.toThrow(
    /permission denied|must be owner|is refused|can be erased|violates|default|generated/i,
  )
})

test.for(
  tables.flatMap((table) => [
    changes[table],
    `delete from ${table}`,
    `truncate ${table}`,
    `delete from ${table} where false`,
  ]),
)(
  'the owner of the tables is refused by trigger, also as a session that calls itself a replica: %s',
  async (attack) => {
    const owner = new pg.Client({ connectionString: scene.database.ownerUrl })
    await owner.connect()
    try {
      await expect(owner.query(attack)).rejects.toThrow(/insert-only|can be erased/)
    } finally {
      await owner.end()
    }
    await expect(scene.asSuperuser(`set session_replication_role = replica; ${attack}`)).rejects.toThrow(
      /insert-only|can be erased/,
    )
  },
)

test('a key can be erased once, and an erased key never comes back', async () => {
  expect(await erasePersonalFacts(scene.db, keyCreated(0).tenant, 'person:p1', scene.clock.now())).toBe(1)
  expect(await erasePersonalFacts(scene.db, keyCreated(0).tenant, 'person:p1', scene.clock.now())).toBe(0)
  await expect(scene.db.query("update trail_subject_keys set sealed_key = 'again', erased_at = null")).rejects.toThrow(
    'can be erased',
  )
  const owner = new pg.Client({ connectionString: scene.database.ownerUrl })
  await owner.connect()
  await expect(owner.query("update trail_subject_keys set sealed_key = 'again', erased_at = null")).rejects.toThrow(
    'can be erased',
  )
  await owner.end()
})

test('nothing of all this changed a row', async () => {
  const [row] = await scene.db.query<{ entries: number; numbers: number; heads: number }>(
    `select (select count(*) from trail_entries) as entries, (select count(*) from trail_sequence where number < 3) as numbers,
        (select count(*) from trail_heads) as heads`,
  )
  expect(row).toEqual({ entries: 3, numbers: 3, heads: 1 })
})
