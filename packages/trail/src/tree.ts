import { sha256 } from '#sha256'

export const hashBytes = 32

/** The root of a log with nothing in it: SHA-256 of no bytes (RFC 6962 §2.1). */
export const emptyRoot: Uint8Array = sha256(new Uint8Array(0))

/** RFC 6962 leaf: SHA-256(0x00 ‖ entry). The prefix keeps a leaf from ever being taken for a node. */
export function leafHash(entryBytes: Uint8Array): Uint8Array {
  return sha256(leafText(entryBytes))
}

/** What a leaf is the hash of. To be hashed at once: the next call may write over it. */
export function leafText(entryBytes: Uint8Array): Uint8Array {
  const { length } = entryBytes
  const text = length < scratch.length ? scratch.subarray(0, length + 1) : new Uint8Array(length + 1)
  text.set(entryBytes, 1)
  return text
}

// Reused for entries of usual length, whose first byte stays zero: hashing is synchronous.
const scratch = new Uint8Array(4096)

// Reused, since hashing is synchronous and a proof over a million leaves makes a million of these.
const pair = new Uint8Array(1 + 2 * hashBytes)
pair[0] = 1

/** RFC 6962 node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== hashBytes || right.length !== hashBytes)
    throw new RangeError('A tree node joins two hashes of 32 bytes.')
  pair.set(left, 1)
  pair.set(right, 1 + hashBytes)
  return sha256(pair)
}

/**
 * What must be remembered of a log in order to append to it: its size and the roots of its perfect
 * subtrees, largest first (one for each bit set in the size).
 */
export type Frontier = { readonly size: number; readonly peaks: readonly Uint8Array[] }

export const emptyFrontier: Frontier = { size: 0, peaks: [] }

/** The frontier after more leaves. Costs about one hash a leaf. */
export function extendFrontier(frontier: Frontier, leaves: Iterable<Uint8Array>): Frontier {
  checkFrontier(frontier)
  const peaks = [...frontier.peaks]
  let size = frontier.size
  for (const leaf of leaves) {
    if (leaf.length !== hashBytes) throw new RangeError('A leaf is a hash of 32 bytes.')
    let node = leaf
    // Arithmetic instead of bit operators: those stop at 2^31 leaves.
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) {
      const left = peaks.pop()
      if (left === undefined) throw new RangeError('The frontier has fewer peaks than its size says.')
      node = nodeHash(left, node)
    }
    peaks.push(node)
    size++
  }
  return { size, peaks }
}

/** The Merkle tree hash (RFC 6962 §2.1) of the log this frontier stands for. */
export function frontierRoot(frontier: Frontier): Uint8Array {
  checkFrontier(frontier)
  let root: Uint8Array | undefined
  for (const peak of frontier.peaks.toReversed()) root = root === undefined ? peak : nodeHash(peak, root)
  return root ?? emptyRoot
}

/** The Merkle tree hash of these leaf hashes. */
export function treeRoot(leaves: Iterable<Uint8Array>): Uint8Array {
  return frontierRoot(extendFrontier(emptyFrontier, leaves))
}

function checkFrontier({ size, peaks }: Frontier): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('The size of a log is a whole number from 0.')
  let bits = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2
  if (bits !== peaks.length) throw new RangeError(`A log of ${size} entries has ${bits} peaks, not ${peaks.length}.`)
}
