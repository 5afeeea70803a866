import fc from 'fast-check'
import { expect, test } from 'vitest'
import { consistencyProof, continues, includes, inclusionProof, type NodeSource, nodesFor } from './proof.ts'
import { leafHash, nodeHash, treeRoot } from './tree.ts'

const leaves = Array.from({ length: 140 }, (_, i) => leafHash(Buffer.from(`entry ${i}`)))
const made = new Map<string, Uint8Array>()
const nodes: NodeSource = (level, index) => {
  const known = level === 0 ? leaves[index] : made.get(`${level} ${index}`)
  if (known) return known
  if (level === 0) throw new Error(`asked for leaf ${index}`)
  const node = nodeHash(nodes(level - 1, 2 * index), nodes(level - 1, 2 * index + 1))
  made.set(`${level} ${index}`, node)
  return node
}
const headOf = (size: number) => ({ size, root: treeRoot(leaves.slice(0, size)) })
const leafOf = (number: number) => leaves[number] ?? new Uint8Array(32)
const hex = (hashes: readonly Uint8Array[]) => hashes.map((hash) => Buffer.from(hash).toString('hex'))
const flip = (hash: Uint8Array, bit: number) => {
  const changed = new Uint8Array(hash)
  changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
  return changed
}

// The inputs with which Certificate Transparency implementations are tested, and what they expect.
const known = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(
  (input) => leafHash(Buffer.from(input, 'hex')),
)
const knownNodes: NodeSource = (level, index) =>
  level === 0
    ? (known[index] ?? new Uint8Array(32))
    : nodeHash(knownNodes(level - 1, 2 * index), knownNodes(level - 1, 2 * index + 1))

test('proofs are those of RFC 6962', () => {
  expect(hex(inclusionProof(5, 8, knownNodes))).toEqual([
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
  expect(hex(inclusionProof(2, 3, knownNodes))).toEqual([
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  ])
  expect(hex(consistencyProof(6, 8, knownNodes))).toEqual([
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  ])
})

test('every entry of every log up to 140 is proven', () => {
  for (let size = 1; size <= leaves.length; size++) {
    const head = headOf(size)
    for (let number = 0; number < size; number++) {
      const proof = inclusionProof(number, size, nodes)
      expect(includes(leafOf(number), number, proof, head)).toBe(true)
    }
  }
})

test('every log up to 70 continues every older one', () => {
  for (let newer = 0; newer <= 70; newer++) {
    for (let older = 0; older <= newer; older++) {
      expect(continues(headOf(older), headOf(newer), consistencyProof(older, newer, nodes))).toBe(true)
    }
  }
})

const sized = fc.integer({ min: 1, max: leaves.length }).chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)))

test('nothing else is proven: another leaf, number, size, root, or any changed, missing or added hash', () => {
  fc.assert(
    fc.property(sized, fc.nat(255), fc.nat(), ([size, number], bit, place) => {
      const proof = inclusionProof(number, size, nodes)
      const head = headOf(size)
      const leaf = leafOf(number)
      const at = place % Math.max(1, proof.length)
      const hash = proof[at]
      expect(includes(flip(leaf, bit), number, proof, head)).toBe(false)
      expect(includes(leaf, number, proof, { ...head, root: flip(head.root, bit) })).toBe(false)
      expect(includes(leaf, number, [...proof, leaf], head)).toBe(false)
      for (const other of [number - 1, number + 1, number + 0.5, -number - 1, size])
        expect(includes(leaf, other, proof, head)).toBe(false)
      if (hash) expect(includes(leaf, number, proof.with(at, flip(hash, bit)), head)).toBe(false)
      if (hash) expect(includes(leaf, number, proof.toSpliced(at, 1), head)).toBe(false)
    }),
  )
})

test('no log continues one that it does not begin with', () => {
  fc.assert(
    fc.property(sized, fc.nat(255), fc.nat(), ([newer, older], bit, place) => {
      fc.pre(older > 0)
      const proof = consistencyProof(older, newer, nodes)
      const at = place % proof.length
      const hash = proof[at]
      const [old, now] = [headOf(older), headOf(newer)]
      expect(continues({ ...old, root: flip(old.root, bit) }, now, proof)).toBe(false)
      expect(continues(old, { ...now, root: flip(now.root, bit) }, proof)).toBe(false)
      expect(continues(now, old, proof)).toBe(false)
      if (hash) expect(continues(old, now, proof.with(at, flip(hash, bit)))).toBe(false)
      expect(continues(old, now, proof.toSpliced(at, 1))).toBe(false)
      expect(continues(old, now, [...proof, old.root])).toBe(false)
    }),
  )
})

test('a proof asks for few nodes, each within the log, and they can be fetched first', () => {
  const size = 1_000_003
  for (const number of [0, 1, 524_288, 999_999, size - 1]) {
    const places = nodesFor((source) => inclusionProof(number, size, source))
    expect(places.length).toBeLessThanOrEqual(2 * 20)
    for (const { level, index } of places) expect((index + 1) * 2 ** level).toBeLessThanOrEqual(size)
  }
})

test('what is no entry or no log is refused', () => {
  expect(() => inclusionProof(5, 5, nodes)).toThrow('has no entry 5')
  expect(() => inclusionProof(-1, 5, nodes)).toThrow('has no entry -1')
  expect(() => inclusionProof(0, 0.5, nodes)).toThrow('whole number')
  expect(() => consistencyProof(6, 5, nodes)).toThrow('does not begin with one of 6')
})
