import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkpointText } from './checkpoint.ts'
import { entryBytes } from './entry.ts'
import { signNote, verifierOf } from './note-key.ts'
import { consistencyProof, inclusionProof, type NodeSource } from './proof.ts'
import { continuationText, entryProofText, NotAProof } from './proof-file.ts'
import { leafHash, treeRoot } from './tree.ts'
import { verifyContinuation, verifyEntryProof } from './verify-proof.ts'

const signer = { name: 'log.example.com/trail', seed: new Uint8Array(32).fill(7) }
const key = verifierOf(signer)
const entries = Array.from({ length: 37 }, (_, number) =>
  entryBytes({
    v: 1,
    id: `0190f5a0-0000-7000-8000-${number.toString(16).padStart(12, '0')}`,
    at: '2026-02-28T10:00:00.123Z',
    tenant: 't1',
    act: 'key.created',
    outcome: 'done',
    actor: { kind: 'person', id: 'p1' },
    subject: { kind: 'key', id: `k${number}` },
    request: {},
    details: { n: number },
  }),
)
const leaves = entries.map(leafHash)
const nodes: NodeSource = (level, index) => treeRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))
const checkpoint = (size: number, by = signer) =>
  signNote(checkpointText({ origin: signer.name, size, root: treeRoot(leaves.slice(0, size)), extensions: [] }), by)
const proofOf = (number: number, size: number) =>
  entryProofText({
    number,
    bytes: entries[number] ?? new Uint8Array(),
    hashes: inclusionProof(number, size, nodes),
    checkpoint: checkpoint(size),
  })
const grown = (older: number, newer: number) =>
  continuationText({
    older: checkpoint(older),
    newer: checkpoint(newer),
    hashes: consistencyProof(older, newer, nodes),
  })

test('every entry is proven under every checkpoint that counts it, in at most 2.5 KB', () => {
  for (let size = 1; size <= entries.length; size++) {
    for (let number = 0; number < size; number++) {
      const text = proofOf(number, size)
      expect(text.length).toBeLessThan(2_500)
      const { entry, checkpoint: under } = verifyEntryProof(text, key)
      expect(entry.details).toEqual({ n: number })
      expect(under.size).toBe(size)
    }
  }
})

test('a proof has the form of C2SP tlog-proof', () => {
  const lines = proofOf(5, 9).split('\n')
  expect(lines[0]).toBe('c2sp.org/tlog-proof@v1')
  expect(Buffer.from(lines[1]?.replace(/^extra /, '') ?? '', 'base64').toString()).toContain('"k5"')
  expect(lines[2]).toBe('index 5')
  expect(lines.slice(3, 7)).toEqual(inclusionProof(5, 9, nodes).map((hash) => Buffer.from(hash).toString('base64')))
  expect(lines.slice(7, 10)).toEqual(['', signer.name, '9'])
})

test('a proof in which any character was changed proves nothing', () => {
  const text = proofOf(11, 37)
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.constantFrom('A', '0', '1', '\n', ' ', '{', '='), (place, character) => {
      fc.pre(text[place] !== character)
      const changed = text.slice(0, place) + character + text.slice(place + 1)
      expect(() => verifyEntryProof(changed, key)).toThrow(NotAProof)
    }),
  )
})

test('an entry, a number or a path put in place of another is refused', () => {
  const proof = { number: 4, bytes: entries[4] ?? new Uint8Array(), checkpoint: checkpoint(20) }
  const hashes = inclusionProof(4, 20, nodes)
  const refused = (text: string) => expect(() => verifyEntryProof(text, key)).toThrow('is not in the log of 20 entries')
  refused(entryProofText({ ...proof, hashes, number: 5 }))
  refused(entryProofText({ ...proof, hashes, bytes: entries[5] ?? new Uint8Array() }))
  refused(entryProofText({ ...proof, hashes: inclusionProof(5, 20, nodes) }))
  refused(entryProofText({ ...proof, hashes: hashes.slice(1) }))
  refused(entryProofText({ ...proof, hashes: inclusionProof(4, 19, nodes) }))
})

test('a checkpoint that another key signed proves nothing', () => {
  const stranger = { ...signer, seed: new Uint8Array(32).fill(9) }
  const bytes = entries[0] ?? new Uint8Array()
  const text = entryProofText({ number: 0, bytes, hashes: [], checkpoint: checkpoint(1, stranger) })
  expect(() => verifyEntryProof(text, key)).toThrow('The checkpoint in the proof cannot be trusted')
  expect(verifyEntryProof(text, verifierOf(stranger)).number).toBe(0)
})

test('what is in the log but is no entry is refused', () => {
  const bytes = new TextEncoder().encode('{"v":1}')
  const note = signNote(checkpointText({ origin: signer.name, size: 1, root: leafHash(bytes), extensions: [] }), signer)
  const text = entryProofText({ number: 0, bytes, hashes: [], checkpoint: note })
  expect(() => verifyEntryProof(text, key)).toThrow('Entry 0 is no entry')
})

test('a log that grew is proven to, and a fork is not', () => {
  for (let newer = 1; newer <= 20; newer++)
    for (let older = 1; older <= newer; older++)
      expect(verifyContinuation(grown(older, newer), key).newer.size).toBe(newer)
  const forked = signNote(
    checkpointText({ origin: signer.name, size: 12, root: treeRoot(leaves.slice(1, 13)), extensions: [] }),
    signer,
  )
  const text = continuationText({ older: forked, newer: checkpoint(20), hashes: consistencyProof(12, 20, nodes) })
  expect(() => verifyContinuation(text, key)).toThrow('it was forked or rewritten')
  const other = { ...signer, name: 'other.example.com/trail' }
  const foreign = signNote(
    checkpointText({ origin: other.name, size: 12, root: treeRoot(leaves.slice(0, 12)), extensions: [] }),
    other,
  )
  const mixed = continuationText({ older: foreign, newer: checkpoint(20), hashes: consistencyProof(12, 20, nodes) })
  expect(() => verifyContinuation(mixed, key)).toThrow('bears no signature of')
  expect(() => verifyContinuation(mixed, undefined)).toThrow('of two logs')
})

test('whatever text comes, it is refused in words', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => verifyEntryProof(text, key)).toThrow(NotAProof)
      expect(() => verifyEntryProof(`c2sp.org/tlog-proof@v1\n${text}`, key)).toThrow(NotAProof)
      expect(() => verifyContinuation(text, key)).toThrow(NotAProof)
    }),
  )
})
