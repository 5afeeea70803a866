import {
  includes,
  inclusionProof,
  type NodeSource,
  nodeOf,
  openNote,
  readCheckpoint,
  readTile,
  readVerifier,
  tileBytes,
  tileOf,
  tileWidth,
  verifierText,
  verifyEntries,
} from '@countersign/trail'
import { afterAll, expect, test } from 'vitest'
import { keyCreated, openTrail, readLog, type TrailScene } from '../../../test/trail-scene.ts'
import type { Db } from '../../kernel/db.ts'
import { findLastCheckpoint, findLogKey, selectHashes } from './checkpoint-tables.ts'
import { cutCheckpoints, originOf } from './cut-checkpoints.ts'

const scenes: TrailScene[] = []
const origin = 'countersign.example.com/trail'

async function open() {
  const scene = await openTrail()
  scenes.push(scene)
  const { db, clock, keyring } = scene
  const write = async (from: number, count: number): Promise<void> => {
    for (let i = from; i < from + count; i++) await scene.record(db, keyCreated(i))
    await scene.sequence()
  }
  return { ...scene, write, cut: cutCheckpoints({ db, clock, sealing: keyring, origin }) }
}

afterAll(async () => {
  for (const scene of scenes) await scene.close()
})

/** As a verifier elsewhere: from the texts that are served, with a key that was trusted before. */
async function trusted(db: Db, verifier: string) {
  const last = await findLastCheckpoint(db)
  return readCheckpoint(openNote(last?.note ?? '', readVerifier(verifier)))
}

async function keyOf(db: Db): Promise<string> {
  const key = await findLogKey(db)
  if (!key) throw new Error('no key')
  return verifierText({ name: key.name, publicKey: key.publicKey })
}

test('what is new is signed once, under one key and name for ever, and every entry is in the tree that was signed', async () => {
  const { db, clock, keyring, write, cut } = await open()
  expect(await cut()).toBeUndefined()
  await write(0, 3)
  expect(await cut()).toBe(3)
  expect(await cut()).toBeUndefined()
  const verifier = await keyOf(db)
  await write(3, 4)
  const moved = cutCheckpoints({ db, clock, sealing: keyring, origin: 'another.example.com/trail' })
  expect(await moved()).toBe(7)
  expect(await keyOf(db)).toBe(verifier)
  const checkpoint = await trusted(db, verifier)
  expect(checkpoint).toMatchObject({ origin, size: 7 })
  const found = verifyEntries(await readLog(db), { heads: [checkpoint] })
  expect(found).toMatchObject({ ok: true, entries: 7, headsCompared: 1 })
})

test('proofs made from tiles alone hold under the checkpoint, when tiles are full and when they are not', async () => {
  const { db, asSuperuser, write, cut } = await open()
  await write(0, 2)
  await cut()
  // Many entries at once; what they say does not matter to the tree.
  await asSuperuser(`
    insert into trail_entries (id, at, act, outcome, actor_kind, actor_id, subject_kind, subject_id, bytes)
    select gen_random_uuid(), now(), 'x', 'done', 'system', 'x', 'x', 'x', convert_to('entry ' || n, 'UTF8')
      from generate_series(1, 66000) as n`)
  const { sequence } = scenes.at(-1) ?? { sequence: never }
  while ((await sequence()) > 0);
  const size = (await cut()) ?? 0
  expect(size).toBe(66_002)
  const { root } = await trusted(db, await keyOf(db))
  for (const number of [0, 255, 256, 65_535, 65_536, 66_001]) {
    const tiles = new Map<string, readonly Uint8Array[]>()
    for (const level of [0, 1, 2]) {
      for (let index = 0; index * tileWidth < Math.floor(size / tileWidth ** level); index += 1) {
        const width = Math.min(tileWidth, Math.floor(size / tileWidth ** level) - index * tileWidth)
        if (level === 0 && index !== number >> 8 && index !== Math.floor(size / tileWidth)) continue
        tiles.set(`${level}/${index}`, readTile(tileBytes(await selectHashes(db, level, index * tileWidth, width))))
      }
    }
    const nodes: NodeSource = (level, index) => {
      const { tile, first, count } = tileOf({ level, index }, size)
      return nodeOf((tiles.get(`${tile.level}/${tile.index}`) ?? []).slice(first, first + count))
    }
    const [leaf = new Uint8Array()] = await selectHashes(db, 0, number, 1)
    expect(includes(leaf, number, inclusionProof(number, size, nodes), { size, root }), `${number}`).toBe(true)
  }
})

test('two servers that sign at once make one line of checkpoints', async () => {
  const { db, connect, clock, keyring, write, cut } = await open()
  const other = cutCheckpoints({ db: connect(), clock, sealing: keyring, origin })
  for (let round = 0; round < 10; round += 1) {
    await write(round * 3, 3)
    const signed = await Promise.all([cut(), other(), cut(), other()])
    expect(signed.filter((size) => size !== undefined)).toEqual([(round + 1) * 3])
  }
  const rows = await db.query<{ size: number }>('select c.size from trail_checkpoints as c order by c.size')
  expect(rows.map(({ size }) => size)).toEqual(Array.from({ length: 10 }, (_, at) => (at + 1) * 3))
})

test('a database that was set back under a running server is not signed again by it', async () => {
  const { asSuperuser, write, cut } = await open()
  await write(0, 2)
  await cut()
  await write(2, 2)
  expect(await cut()).toBe(4)
  await cut()
  await asSuperuser('alter table trail_checkpoints disable trigger all; delete from trail_checkpoints where size = 4')
  await expect(cut()).rejects.toThrow('was signed up to entry 4 and now its last checkpoint has 2')
})

test('what was signed and summed up can be changed by nobody the server is', async () => {
  const { db, write, cut } = await open()
  await write(0, 300)
  await cut()
  for (const table of ['trail_checkpoints', 'trail_tile_roots', 'trail_log_keys']) {
    await expect(db.query(`delete from ${table}`), table).rejects.toThrow(/insert-only|permission denied/)
    await expect(db.query(`truncate ${table}`), table).rejects.toThrow(/insert-only|permission denied/)
  }
  await expect(db.query(`update trail_checkpoints set note = ''`)).rejects.toThrow(/insert-only|permission denied/)
})

test('an origin has no scheme, no space and no plus sign', () => {
  expect(originOf('https://countersign.example.com')).toBe('countersign.example.com/trail')
  expect(originOf('http://localhost:8000/a+b/')).toBe('localhost:8000/a%2Bb/trail')
})

function never(): Promise<number> {
  throw new Error('unreachable')
}
