import {
  base64,
  consistencyProof,
  continuationText,
  entryProofText,
  hashBytes,
  hexOf,
  inclusionProof,
  type NodePlace,
  type NodeSource,
  nodeOf,
  nodesFor,
  readCheckpoint,
  readNote,
  rootOf,
  tileOf,
  tileWidth,
} from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import {
  findCheckpointOf,
  findLastCheckpoint,
  findPeaks,
  type StoredCheckpoint,
  selectSpans,
} from './checkpoint-tables.ts'
import { findEntry, findEntryOfAnyTenant } from './list-table.ts'
import { noEntry } from './removed-spans.ts'

/** That one entry is in the log of the newest signed checkpoint. With no tenant, an entry of any: for the operator's own tools. */
export function proveEntry({ db }: { readonly db: Sql }) {
  return async (tenant: string | undefined, number: number, under?: number) => {
    const [last, entry] = await Promise.all([
      under === undefined ? newestCheckpoint(db) : checkpointOf(db, under),
      tenant === undefined ? findEntryOfAnyTenant(db, number) : findEntry(db, tenant, number),
    ])
    if (!entry) throw await noEntry(db, number)
    const { size, root } = headOf(last)
    if (number >= size) {
      throw new Problem(
        problems.conflict,
        `Entry ${number} is not under a signed checkpoint yet. Ask again in a second.`,
      )
    }
    const hashes = await proofOf(db, size, (nodes) => inclusionProof(number, size, nodes))
    return {
      number,
      leaf_hash: hexOf(entry.leafHash),
      size,
      root: hexOf(root),
      hashes: hashes.map(base64),
      checkpoint: last.note,
      proof: entryProofText({ number, bytes: entry.bytes, hashes, checkpoint: last.note }),
    }
  }
}

/** That the log of the newest signed checkpoint begins with the whole log as it was with so many entries. */
export function proveContinuation({ db }: { readonly db: Sql }) {
  return async (from: number, to: number | undefined) => {
    const newer = to === undefined ? await newestCheckpoint(db) : await checkpointOf(db, to)
    const { size, root } = headOf(newer)
    if (from > size) {
      throw new Problem(problems.conflict, `The log under that checkpoint has ${size} entries, not ${from}.`)
    }
    const hashes = await proofOf(db, size, (nodes) => consistencyProof(from, size, nodes))
    const [olderRoot] = await proofOf(db, size, (nodes) => [rootOf(from, nodes)])
    const older = await findCheckpointOf(db, from)
    return {
      from: { size: from, root: hexOf(olderRoot ?? root), checkpoint: older?.note ?? null },
      to: { size, root: hexOf(root), checkpoint: newer.note },
      hashes: hashes.map(base64),
      proof: older ? continuationText({ older: older.note, newer: newer.note, hashes }) : null,
    }
  }
}

async function newestCheckpoint(db: Sql): Promise<StoredCheckpoint> {
  const last = await findLastCheckpoint(db)
  if (last) return last
  throw new Problem(
    problems.conflict,
    'Nothing is signed yet; the first checkpoint follows the first entry within a second.',
  )
}

async function checkpointOf(db: Sql, size: number): Promise<StoredCheckpoint> {
  const found = await findCheckpointOf(db, size)
  if (!found) throw notFound('checkpoint')
  return found
}

const headOf = ({ note }: StoredCheckpoint) => readCheckpoint(readNote(note).text)

/** Asks a proof which nodes of the log of `size` entries it is made of, reads them at once, and makes it. */
export async function proofOf(
  db: Sql,
  size: number,
  make: (nodes: NodeSource) => readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  const peaks = peaksOf(size)
  const isPeak = new Set(peaks.map(nameOf))
  const places = nodesFor(make)
  const inner = places.filter((place) => !isPeak.has(nameOf(place)))
  const atEdge = places.filter((place) => isPeak.has(nameOf(place)))
  const [stored, nodes] = await Promise.all([findPeaks(db, size), readNodes(db, size, inner)])
  const edge =
    stored?.length === peaks.length * hashBytes
      ? peaks.map((place, i) => [nameOf(place), stored.subarray(i * hashBytes, (i + 1) * hashBytes)] as const)
      : await readNodes(db, size, atEdge)
  const known = new Map([...nodes, ...edge])
  return make((level, index) => {
    const node = known.get(nameOf({ level, index }))
    if (node === undefined) throw new Error('A proof asked for another node the second time.')
    return node
  })
}

async function readNodes(
  db: Sql,
  size: number,
  places: readonly NodePlace[],
): Promise<readonly (readonly [name: string, node: Uint8Array])[]> {
  const spans = places.map((place) => {
    const { tile, first, count } = tileOf(place, size)
    return { level: Number(tile.level), first: tile.index * tileWidth + first, count }
  })
  const hashes = await selectSpans(db, spans)
  return places.map((place, i) => [nameOf(place), nodeOf(hashes[i] ?? [])] as const)
}

/**
 * The perfect subtrees a log of this size consists of, largest first. A proof needs nearly all of them, and their roots are
 * remembered with the head: half of the hashes less to look up.
 */
function peaksOf(size: number): readonly NodePlace[] {
  const places: NodePlace[] = []
  let start = 0
  for (let level = Math.floor(Math.log2(Math.max(1, size))); level >= 0; level--) {
    const width = 2 ** level
    if (size - start < width) continue
    places.push({ level, index: start / width })
    start += width
  }
  return places
}

const nameOf = ({ level, index }: NodePlace): string => `${level}/${index}`
