import {
  continues,
  hiddenLeaf,
  leafHash,
  openNote,
  readBundle,
  readCheckpoint,
  readVerifier,
  treeRoot,
  verifyContinuation,
  verifyEntryProof,
} from '@countersign/trail'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type ServerApart, serverApart, type TestTenant } from '../../../test/server.ts'
import { keyCreated, openTrail } from '../../../test/trail-scene.ts'
import { findLogKey } from './checkpoint-tables.ts'
import { cutCheckpoints } from './cut-checkpoints.ts'
import { proveContinuation, proveEntry } from './prove.ts'

let server: ServerApart
let acme: TestTenant
let globex: TestTenant

type Proof = { number: number; size: number; proof: string; hashes: string[] }
type Continuation = { from: { size: number; root: string }; to: { size: number; root: string }; hashes: string[] }

beforeAll(async () => {
  server = await serverApart()
  acme = await server.newTenant('acme')
  await server.newKey(acme)
  globex = await server.newTenant('globex')
  await server.newKey(globex)
  await vi.waitUntil(async () => (await checkpoint()).size >= (await entryCount()), { timeout: 20_000 })
})
afterAll(() => server.stop())

async function entryCount(): Promise<number> {
  const [row] = await server.db.query<{ count: number }>('select count(*) as count from trail_entries as e')
  return row?.count ?? 0
}

async function checkpoint() {
  const answer = await fetch(`${server.url}/trail/checkpoint`)
  if (answer.status !== 200) return { size: 0, root: new Uint8Array(), note: '' }
  const note = await answer.text()
  return { ...readCheckpoint(openNote(note, await key())), note }
}

const key = async () => readVerifier((await (await fetch(`${server.url}/trail/key`)).text()).trim())
const get = (path: string, { cookie }: TestTenant) => server.call('GET', `/api/v2/trail${path}`, { cookie })

async function numbersOf(tenant: TestTenant): Promise<readonly number[]> {
  const { body } = await get('', tenant)
  return (body as { items: { number: number }[] }).items.map(({ number }) => number)
}

test('a reader gets a proof of each own entry that a stranger with the key can check', async () => {
  for (const tenant of [acme, globex]) {
    for (const number of await numbersOf(tenant)) {
      const { body } = await get(`/${number}/proof`, tenant)
      const proven = verifyEntryProof((body as Proof).proof, await key())
      expect(proven.number).toBe(number)
      expect(proven.entry.tenant).toBe(tenant.tenant)
    }
  }
})

test('another tenant’s entry does not exist for a proof', async () => {
  const [number] = await numbersOf(globex)
  const foreign = await get(`/${number}/proof`, acme)
  const unknown = await get('/999999/proof', acme)
  expect([foreign.status, unknown.status]).toEqual([404, 404])
  expect((foreign.body as { detail: string }).detail).toBe((unknown.body as { detail: string }).detail)
})

test('a bundle shows a reader the own entries, others by their leaf, and all of it makes the signed root', async () => {
  const { size, root } = await checkpoint()
  for (const tenant of [acme, globex]) {
    const answer = await fetch(`${server.url}/trail/tile/entries/000.p/${size}`, { headers: { cookie: tenant.cookie } })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('private, no-store')
    const records = readBundle(new Uint8Array(await answer.arrayBuffer()))
    expect(records).toHaveLength(size)
    const own = await numbersOf(tenant)
    for (const [number, record] of records.entries())
      expect(hiddenLeaf(record) === undefined, `entry ${number}`).toBe(own.includes(number))
    expect(Buffer.from(treeRoot(records.map((one) => hiddenLeaf(one) ?? leafHash(one)))).equals(root)).toBe(true)
  }
})

test('bundles are for those who may read the trail, and of what is signed', async () => {
  expect((await fetch(`${server.url}/trail/tile/entries/000.p/1`)).status).toBe(401)
  for (const path of ['entries/001', 'entries/0', 'entries/x001/000.p/0']) {
    const answer = await fetch(`${server.url}/trail/tile/${path}`, { headers: { cookie: acme.cookie } })
    expect(answer.status, path).toBe(404)
  }
})

test('the log is proven to continue every earlier state of itself', async () => {
  const { size } = await checkpoint()
  for (let from = 0; from <= size; from++) {
    const { body } = await get(`/continuation?from=${from}`, acme)
    const { from: older, to: newer, hashes } = body as Continuation
    const head = ({ size: count, root }: Continuation['to']) => ({ size: count, root: Buffer.from(root, 'hex') })
    const proof = hashes.map((hash) => Buffer.from(hash, 'base64'))
    expect(continues(head(older), head(newer), proof), `from ${from}`).toBe(true)
  }
  expect((await get('/continuation?from=100000', acme)).status).toBe(409)
  expect((await get('/continuation?from=0&to=100000', acme)).status).toBe(404)
})

test('in a log of many tiles every kind of proof is found good, and short', async () => {
  const scene = await openTrail()
  try {
    const { db, clock, keyring } = scene
    const cut = cutCheckpoints({ db, clock, sealing: keyring, origin: 'countersign.example.com/trail' })
    const sizes: number[] = []
    for (let batch = 0; batch < 4; batch++) {
      await Promise.all(Array.from({ length: 177 }, (_, i) => scene.record(db, keyCreated(batch * 177 + i))))
      await scene.sequence()
      sizes.push((await cut()) ?? 0)
    }
    expect(sizes.at(-1)).toBe(708)
    const stored = await findLogKey(db)
    if (!stored) throw new Error('no key')
    for (const number of [0, 255, 256, 300, 511, 512, 700, 707]) {
      const { proof } = await proveEntry({ db })(undefined, number)
      expect(verifyEntryProof(proof, stored).number).toBe(number)
      expect(proof.length).toBeLessThan(2_500)
    }
    for (const from of sizes) {
      const { proof } = await proveContinuation({ db })(from, undefined)
      expect(verifyContinuation(proof ?? '', stored)).toMatchObject({ older: { size: from }, newer: { size: 708 } })
    }
    await scene.record(db, keyCreated(9999))
    await scene.sequence()
    await expect(proveEntry({ db })(undefined, 708)).rejects.toThrow('not under a signed checkpoint yet')
    // The head is remembered for speed alone.
    await scene.asSuperuser('alter table trail_heads disable trigger all')
    await scene.asSuperuser('delete from trail_heads')
    for (const number of [0, 256, 707]) {
      const { proof } = await proveEntry({ db })(undefined, number)
      expect(verifyEntryProof(proof, stored).number).toBe(number)
    }
  } finally {
    await scene.close()
  }
})
