import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sha256 } from './sha256.ts'
import { emptyFrontier, emptyRoot, extendFrontier, frontierRoot, leafHash, nodeHash, treeRoot } from './tree.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

// The inputs and roots with which Certificate Transparency implementations are tested.
const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
const roots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

test('roots are those of RFC 6962', () => {
  expect(hex(emptyRoot)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  const leaves = inputs.map((input) => leafHash(Buffer.from(input, 'hex')))
  for (const [i, root] of roots.entries()) expect(hex(treeRoot(leaves.slice(0, i + 1)))).toBe(root)
})

/** RFC 6962 §2.1, word for word: split at the largest power of two below n. */
function rootByDefinition(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves
  if (first === undefined) return sha256(new Uint8Array(0))
  if (leaves.length === 1) return first
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return nodeHash(rootByDefinition(leaves.slice(0, k)), rootByDefinition(leaves.slice(k)))
}

test('appending in any batches gives the root of the definition', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(40), { maxLength: 8 }), (batches) => {
      const leaves: Uint8Array[] = []
      let frontier = emptyFrontier
      for (const batch of batches) {
        const more = Array.from({ length: batch }, (_, i) => leafHash(Buffer.from(`${leaves.length + i}`)))
        leaves.push(...more)
        frontier = extendFrontier(frontier, more)
        expect(hex(frontierRoot(frontier))).toBe(hex(rootByDefinition(leaves)))
      }
      expect(frontier.size).toBe(leaves.length)
    }),
  )
})

test('a leaf is never a node, and the order of children counts', () => {
  const a = leafHash(Buffer.from('a'))
  const b = leafHash(Buffer.from('b'))
  expect(hex(nodeHash(a, b))).not.toBe(hex(leafHash(Buffer.concat([a, b]))))
  expect(hex(nodeHash(a, b))).not.toBe(hex(nodeHash(b, a)))
})

test('a frontier that contradicts itself is refused', () => {
  const leaf = leafHash(Buffer.from('a'))
  expect(() => frontierRoot({ size: 3, peaks: [leaf] })).toThrow('2 peaks, not 1')
  expect(() => extendFrontier({ size: -1, peaks: [] }, [])).toThrow('whole number')
  expect(() => extendFrontier(emptyFrontier, [new Uint8Array(31)])).toThrow('32 bytes')
})
