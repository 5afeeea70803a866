import { emptyRoot, nodeHash } from './tree.ts'

/** The root of the perfect subtree over the leaves `index * 2^level` up to `(index + 1) * 2^level`. */
export type NodeSource = (level: number, index: number) => Uint8Array

export type NodePlace = { readonly level: number; readonly index: number }

/** RFC 6962 §2.1.1: the hashes with which somebody who has the leaf recomputes the root. */
export function inclusionProof(number: number, size: number, nodes: NodeSource): readonly Uint8Array[] {
  checkSize(size)
  if (!Number.isSafeInteger(number) || number < 0 || number >= size) {
    throw new RangeError(`A log of ${size} entries has no entry ${number}.`)
  }
  const proof: Uint8Array[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start)
    if (number < middle) {
      proof.push(subtreeRoot(middle, end, nodes))
      end = middle
    } else {
      proof.push(subtreeRoot(start, middle, nodes))
      start = middle
    }
  }
  return proof.reverse()
}

/** RFC 6962 §2.1.2: the hashes with which the newer log is seen to begin with the older one. */
export function consistencyProof(older: number, newer: number, nodes: NodeSource): readonly Uint8Array[] {
  checkSizes(older, newer)
  if (older === 0 || older === newer) return []
  const proof: Uint8Array[] = []
  let start = 0
  let end = newer
  let isOldRoot = true
  while (older !== end) {
    const middle = start + largestPowerBelow(end - start)
    if (older <= middle) {
      proof.push(subtreeRoot(middle, end, nodes))
      end = middle
    } else {
      proof.push(subtreeRoot(start, middle, nodes))
      start = middle
      isOldRoot = false
    }
  }
  if (!isOldRoot) proof.push(subtreeRoot(start, end, nodes))
  return proof.reverse()
}

/** The root of the log as it was with `size` entries. */
export function rootOf(size: number, nodes: NodeSource): Uint8Array {
  checkSize(size)
  return size === 0 ? emptyRoot : subtreeRoot(0, size, nodes)
}

/** The peaks of the log as it was with `size` entries, largest first: what its frontier is made of. */
export function peaksOf(size: number, nodes: NodeSource): readonly Uint8Array[] {
  checkSize(size)
  const peaks: Uint8Array[] = []
  for (let start = 0; start < size; ) {
    let level = 0
    while (2 ** (level + 1) <= size - start) level += 1
    peaks.push(nodes(level, start / 2 ** level))
    start += 2 ** level
  }
  return peaks
}

/** Which nodes a proof asks for, so that they can be fetched before it is made. */
export function nodesFor(proof: (nodes: NodeSource) => unknown): readonly NodePlace[] {
  const places: NodePlace[] = []
  const placeholder = new Uint8Array(32)
  proof((level, index) => {
    places.push({ level, index })
    return placeholder
  })
  return places
}

/** True when the leaf is entry `number` of the log of `size` entries that has this root (RFC 9162 §2.1.3.2). */
export function includes(
  leaf: Uint8Array,
  number: number,
  proof: readonly Uint8Array[],
  head: { readonly size: number; readonly root: Uint8Array },
): boolean {
  if (!isSize(head.size) || !isSize(number) || number >= head.size) return false
  let place = number
  let last = head.size - 1
  let hash = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      hash = nodeHash(sibling, hash)
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && equal(hash, head.root)
}

/** True when the newer log begins with every entry of the older one (RFC 9162 §2.1.4.2). */
export function continues(
  older: { readonly size: number; readonly root: Uint8Array },
  newer: { readonly size: number; readonly root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(older.size) || !isSize(newer.size) || older.size > newer.size) return false
  if (older.size === newer.size) return proof.length === 0 && equal(older.root, newer.root)
  // Every log begins with the empty one, whatever root somebody claims for that.
  if (older.size === 0) return proof.length === 0
  let place = older.size - 1
  let last = newer.size - 1
  while (place % 2 === 1) [place, last] = [half(place), half(last)]
  const path = place === 0 ? [older.root, ...proof] : [...proof]
  const seed = path.shift()
  if (seed === undefined) return false
  let oldHash = seed
  let newHash = seed
  for (const sibling of path) {
    if (last === 0) return false
    if (place % 2 === 1 || place === last) {
      oldHash = nodeHash(sibling, oldHash)
      newHash = nodeHash(sibling, newHash)
      while (place % 2 === 0 && place !== 0) [place, last] = [place / 2, half(last)]
    } else {
      newHash = nodeHash(newHash, sibling)
    }
    ;[place, last] = [half(place), half(last)]
  }
  return last === 0 && equal(oldHash, older.root) && equal(newHash, newer.root)
}

/** The root over any span that begins where RFC 6962's recursion can begin one. */
function subtreeRoot(start: number, end: number, nodes: NodeSource): Uint8Array {
  const width = end - start
  const level = Math.log2(width)
  if (Number.isInteger(level)) return nodes(level, start / width)
  const middle = start + largestPowerBelow(width)
  return nodeHash(subtreeRoot(start, middle, nodes), subtreeRoot(middle, end, nodes))
}

function largestPowerBelow(n: number): number {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}

// Bit operators would stop at 2^31 entries.
const half = (n: number): number => Math.floor(n / 2)
const isSize = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

function checkSize(size: number): void {
  if (!isSize(size)) throw new RangeError('The size of a log is a whole number from 0.')
}

function checkSizes(older: number, newer: number): void {
  checkSize(older)
  checkSize(newer)
  if (older > newer) throw new RangeError(`A log of ${newer} entries does not begin with one of ${older}.`)
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
