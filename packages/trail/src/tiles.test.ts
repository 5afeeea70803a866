import fc from 'fast-check'
import { expect, test } from 'vitest'
import { includes, inclusionProof, type NodeSource } from './proof.ts'
import {
  bundleBytes,
  nodeOf,
  readBundle,
  readTile,
  readTilePath,
  tileBytes,
  tileOf,
  tilePath,
  tileWidth,
} from './tiles.ts'
import { leafHash, treeRoot } from './tree.ts'

test('paths are those of the specification', () => {
  expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067')
  expect(tilePath({ level: 0, index: 273, width: 17 })).toBe('tile/0/273.p/17')
  expect(tilePath({ level: 'entries', index: 0, width: 256 })).toBe('tile/entries/000')
  expect(tilePath({ level: 3, index: 1000, width: 1 })).toBe('tile/3/x001/000.p/1')
})

const place = fc.record({
  level: fc.oneof(fc.constant('entries' as const), fc.nat(63)),
  index: fc.oneof(fc.nat(2000), fc.maxSafeNat()),
  width: fc.integer({ min: 1, max: 256 }),
})

test('every tile has one path, and what is no path of a tile is refused', () => {
  fc.assert(
    fc.property(place, (given) => {
      expect(readTilePath(tilePath(given))).toEqual(given)
    }),
  )
  for (const path of [
    '',
    'tile/0/0',
    'tile/0/1000',
    'tile/64/000',
    'tile/0/x000/001',
    'tile/0/000.p/256',
    'tile/0/000.p/0',
    'tile/0/000.p/300',
    'tile/-1/000',
    'tile/00/000',
    'tile/0/../000',
    'tile/0/001/000',
    'tile/entries/000/',
    '/tile/0/000',
    `tile/0/${'x999/'.repeat(8)}999`,
  ]) {
    expect(readTilePath(path), path).toBeUndefined()
  }
  fc.assert(
    fc.property(fc.string(), (noise) => {
      const read = readTilePath(`tile/${noise}`)
      if (read) expect(tilePath(read)).toBe(`tile/${noise}`)
    }),
  )
})

test('bundles read back as they were written; a cut one is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), fc.nat(), (entries, cut) => {
      const bytes = bundleBytes(entries)
      expect(readBundle(bytes)).toEqual(entries)
      const short = bytes.subarray(0, cut % Math.max(1, bytes.length))
      try {
        expect(bundleBytes(readBundle(short))).toEqual(short)
      } catch (cause) {
        expect(cause).toBeInstanceOf(RangeError)
      }
    }),
  )
  expect(() => bundleBytes([new Uint8Array(65_536)])).toThrow('at most 65535')
})

test('a tile is whole hashes, 256 at the most', () => {
  expect(readTile(tileBytes([leafHash(new Uint8Array())]))).toHaveLength(1)
  for (const length of [0, 31, 33, 257 * 32]) expect(() => readTile(new Uint8Array(length))).toThrow(RangeError)
})

test('proofs made from tiles alone are good, whatever the size of the log', () => {
  const leaves = Array.from({ length: 66_000 }, (_, i) => leafHash(Buffer.from(`${i}`)))
  for (const size of [1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_793, 66_000]) {
    const levels: Uint8Array[][] = [leaves.slice(0, size)]
    for (let below = levels[0]; below && below.length >= tileWidth; below = levels.at(-1)) {
      const whole = Math.floor(below.length / tileWidth)
      const hashes: readonly Uint8Array[] = below
      levels.push(Array.from({ length: whole }, (_, i) => nodeOf(hashes.slice(i * tileWidth, (i + 1) * tileWidth))))
    }
    const nodes: NodeSource = (level, index) => {
      const { tile, first, count } = tileOf({ level, index }, size)
      const start = tile.index * tileWidth
      const bytes = tileBytes((levels[Number(tile.level)] ?? []).slice(start, start + tile.width))
      return nodeOf(readTile(bytes).slice(first, first + count))
    }
    const head = { size, root: treeRoot(leaves.slice(0, size)) }
    for (const number of new Set([0, size >> 1, size - 1])) {
      expect(includes(leaves[number] ?? new Uint8Array(), number, inclusionProof(number, size, nodes), head)).toBe(true)
    }
  }
})

test('a node beyond the log has no tile', () => {
  expect(() => tileOf({ level: 0, index: 5 }, 5)).toThrow('no such node')
  expect(() => tileOf({ level: 9, index: 0 }, 511)).toThrow('no such node')
})
