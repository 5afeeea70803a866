import {
  checkpointText,
  consistencyProof,
  entryBytes,
  entryProofText,
  hexOf,
  inclusionProof,
  leafHash,
  type NodeSource,
  readEntry,
  signNote,
  treeRoot,
  verifierOf,
  verifierText,
} from '@countersign/trail'
import { expect, test } from 'vitest'
import type { TrailEntryWithBytes } from '../../api/types.ts'
import { type LogReader, type Memory, verifyHere } from './verify-here.ts'

const signer = { name: 'log.example.com/trail', seed: new Uint8Array(32).fill(7) }
const makeLog = (count: number, word = 'k') =>
  Array.from({ length: count }, (_, number) =>
    entryBytes({
      v: 1,
      id: `0190f5a0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`,
      at: '2026-02-28T10:00:00.123Z',
      tenant: 't1',
      act: 'key.created',
      outcome: 'done',
      actor: { kind: 'person', id: 'p1' },
      subject: { kind: 'key', id: `${word}${number}` },
      request: {},
      details: {},
    }),
  )

function reader(entries: readonly Uint8Array[], by = signer): LogReader {
  const leaves = entries.map(leafHash)
  const nodes: NodeSource = (level, index) => treeRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
  const size = entries.length
  const root = treeRoot(leaves)
  const checkpoint = signNote(checkpointText({ origin: by.name, size, root, extensions: [] }), by)
  return {
    key: async () => `${verifierText(verifierOf(by))}\n`,
    proof: async (number) => {
      const hashes = inclusionProof(number, size, nodes)
      const proof = entryProofText({ number, bytes: entries[number] ?? new Uint8Array(), hashes, checkpoint })
      return { number, leaf_hash: '', size, root: '', hashes: [], checkpoint, proof }
    },
    continuation: async (from) => ({
      from: { size: from, root: '', checkpoint: null },
      to: { size, root: hexOf(root), checkpoint },
      hashes: consistencyProof(from, size, nodes).map((hash) => Buffer.from(hash).toString('base64')),
      proof: null,
    }),
  }
}

function memory(): Memory {
  const kept = new Map<string, string>()
  return { read: (name) => kept.get(name), write: (name, value) => void kept.set(name, value) }
}

function shown(entries: readonly Uint8Array[], number: number): TrailEntryWithBytes {
  const bytes = entries[number] ?? new Uint8Array()
  const { id, at, act, outcome, actor, subject } = readEntry(bytes)
  const canonical = new TextDecoder().decode(bytes)
  const rest = { request_id: null, details: {}, personal: {}, is_erased: false, mac: null }
  return { number, id, at, act, outcome, actor, subject, ...rest, canonical, leaf_hash: hexOf(leafHash(bytes)) }
}

const last = async (...args: Parameters<typeof verifyHere>) => (await verifyHere(...args)).at(-1)

test('a good entry is found good at every step, and the log is remembered', async () => {
  const log = makeLog(9)
  const kept = memory()
  expect((await verifyHere(shown(log, 4), reader(log), kept)).map(({ found }) => found)).toEqual(Array(5).fill('good'))
  const more = makeLog(23)
  expect((await last(shown(more, 20), reader(more), kept))?.says).toContain('begins with the 9 entries')
})

test('what the page shows is held against the bytes', async () => {
  const log = makeLog(9)
  const entry = shown(log, 4)
  expect(await last({ ...entry, act: 'key.revoked' }, reader(log), memory())).toMatchObject({ found: 'bad' })
  expect(await last({ ...entry, leaf_hash: '00' }, reader(log), memory())).toMatchObject({ found: 'bad' })
  expect(await last({ ...entry, number: 5 }, reader(log), memory())).toMatchObject({ found: 'bad' })
})

test('an entry of another log, a swapped key, a log set back and a fork are found', async () => {
  const log = makeLog(9)
  const kept = memory()
  await verifyHere(shown(log, 4), reader(log), kept)
  expect((await last(shown(makeLog(9, 'x'), 4), reader(log), kept))?.found).toBe('bad')
  const stranger = { ...signer, seed: new Uint8Array(32).fill(9) }
  expect((await last(shown(log, 4), reader(log, stranger), kept))?.says).toContain('it was swapped')
  const short = makeLog(6)
  expect((await last(shown(short, 4), reader(short), kept))?.says).toContain('it was set back')
  const fork = makeLog(12, 'x')
  expect((await last(shown(fork, 4), reader(fork), kept))?.says).toContain('forked or rewritten')
})
