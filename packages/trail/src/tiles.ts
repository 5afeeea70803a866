import { entryBytesMax } from './entry.ts'
import type { NodePlace } from './proof.ts'
import { hashBytes, nodeHash } from './tree.ts'

/** How many hashes a full tile holds: C2SP tlog-tiles, eight levels of the tree each. */
export const tileWidth = 256
const tileHeight = 8

/** A tile of hashes (`level` from 0) or a bundle of entries; `width` is below 256 for the newest, partial one. */
export type TilePlace = { readonly level: number | 'entries'; readonly index: number; readonly width: number }

/** `tile/0/x001/x234/067.p/12`: where a tile lies below the log's address. */
export function tilePath({ level, index, width }: TilePlace): string {
  const isLevel = level === 'entries' || (Number.isInteger(level) && level >= 0 && level < 64)
  const isPlace =
    Number.isSafeInteger(index) && index >= 0 && Number.isInteger(width) && width >= 1 && width <= tileWidth
  if (!isLevel || !isPlace) throw new RangeError('There is no such tile.')
  let path = `${index % 1000}`.padStart(3, '0')
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${`${rest % 1000}`.padStart(3, '0')}/${path}`
  }
  return `tile/${level}/${path}${width === tileWidth ? '' : `.p/${width}`}`
}

const pathForm = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/

/** Undefined for a path that no tile has; each tile has exactly one. */
export function readTilePath(path: string): TilePlace | undefined {
  const found = pathForm.exec(path)
  if (!found) return undefined
  const index = Number((found[2] ?? '').replaceAll('/', '').replaceAll('x', ''))
  const place = {
    level: found[1] === 'entries' ? ('entries' as const) : Number(found[1]),
    index,
    width: found[3] === undefined ? tileWidth : Number(found[3]),
  }
  const isOne =
    Number.isSafeInteger(index) && place.width <= tileWidth && (place.level === 'entries' || place.level < 64)
  return isOne && tilePath(place) === path ? place : undefined
}

/** The hashes of a tile, one after the other. */
export function tileBytes(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * hashBytes)
  for (const [i, hash] of hashes.entries()) bytes.set(hash, i * hashBytes)
  return bytes
}

export function readTile(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.length === 0 || bytes.length % hashBytes !== 0 || bytes.length > tileWidth * hashBytes) {
    throw new RangeError(`A tile is 1 to ${tileWidth} hashes of ${hashBytes} bytes.`)
  }
  return Array.from({ length: bytes.length / hashBytes }, (_, i) => bytes.subarray(i * hashBytes, (i + 1) * hashBytes))
}

/** Entries one after the other, each behind its length in 16 bits. */
export function bundleBytes(entries: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(entries.reduce((length, entry) => length + 2 + entry.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const entry of entries) {
    if (entry.length > entryBytesMax) throw new RangeError(`An entry has at most ${entryBytesMax} bytes.`)
    view.setUint16(at, entry.length)
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

export function readBundle(bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Uint8Array[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 <= bytes.length ? at + 2 + view.getUint16(at) : Number.POSITIVE_INFINITY
    if (end > bytes.length) throw new RangeError('The bundle ends in the middle of an entry.')
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  return entries
}

/**
 * What a bundle shows of an entry to somebody who may not read it: the byte 1 and its leaf hash. No entry begins with that
 * byte, so that a verifier can tell them apart and still recompute every root. C2SP tlog-tiles leaves it to each log what
 * an entry of a bundle is and how its leaf hash is had from it.
 */
export function hiddenRecord(leaf: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + hashBytes)
  bytes[0] = 1
  bytes.set(leaf, 1)
  return bytes
}

/** The leaf hash of a record that hides its entry; undefined for an entry. */
export function hiddenLeaf(record: Uint8Array): Uint8Array | undefined {
  return record.length === 1 + hashBytes && record[0] === 1 ? record.subarray(1) : undefined
}

/** Which tile of a log of `size` entries holds what a node is made of, and which hashes in it. */
export function tileOf(
  { level, index }: NodePlace,
  size: number,
): { readonly tile: TilePlace; readonly first: number; readonly count: number } {
  const tileLevel = Math.floor(level / tileHeight)
  const count = 2 ** (level % tileHeight)
  const first = index * count
  const tileIndex = Math.floor(first / tileWidth)
  const hashesAtLevel = Math.floor(size / tileWidth ** tileLevel)
  const width = Math.min(tileWidth, hashesAtLevel - tileIndex * tileWidth)
  if ((first % tileWidth) + count > width) throw new RangeError(`A log of ${size} entries has no such node.`)
  return { tile: { level: tileLevel, index: tileIndex, width }, first: first % tileWidth, count }
}

/** The root over the hashes of a tile that a node is made of; as many as a power of two. */
export function nodeOf(hashes: readonly Uint8Array[]): Uint8Array {
  const [first] = hashes
  if (first === undefined) throw new RangeError('A node is made of at least one hash.')
  if (hashes.length === 1) return first
  return nodeHash(nodeOf(hashes.slice(0, hashes.length / 2)), nodeOf(hashes.slice(hashes.length / 2)))
}
