import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import {
  exportLine,
  extendFrontier,
  type Frontier,
  frontierRoot,
  leafHash,
  type NodeSource,
  peaksOf,
  rootOf,
} from '@countersign/trail'
import type { Sql } from '../../kernel/db.ts'
import { proofOf } from '../trail/index.ts'
import type { Span } from './removal.ts'
import { readSpan } from './removals-table.ts'

/** The log no longer is what was anchored: nothing of it is removed. */
export class SpanDamaged extends Error {
  override readonly name = 'SpanDamaged'
}

/** The longest archive there is; a span is chosen to be far below. */
export const archiveBytesMax = 100_000_000
const rowsAtOnce = 1024
const lineEnd = Buffer.from('\n')
const pack = promisify(gzip)
const unpack = promisify(gunzip)

/**
 * The archive of a span: an export of it, which verifies by itself, compressed. Before that the span is recomputed from
 * its bytes and held against the anchored checkpoint, so that nothing forged takes the place of what was there.
 */
export async function archiveSpan(
  db: Sql,
  { first, beyond }: Pick<Span, 'first' | 'beyond'>,
  anchor: { readonly size: number; readonly root: Uint8Array },
): Promise<Buffer> {
  const nodesOf = (make: (nodes: NodeSource) => readonly Uint8Array[]) => proofOf(db, anchor.size, make)
  const [anchored] = await nodesOf((nodes) => [rootOf(anchor.size, nodes)])
  if (!anchored || Buffer.compare(anchored, anchor.root) !== 0) {
    throw new SpanDamaged(
      `The log of ${anchor.size} entries is not the one that was anchored. Run "countersign trail verify --anchors".`,
    )
  }
  const start: Frontier = { size: first, peaks: await nodesOf((nodes) => peaksOf(first, nodes)) }
  const [end] = await nodesOf((nodes) => [rootOf(beyond, nodes)])
  const lines: Uint8Array[] = [exportLine({ is: 'log', from: start }), lineEnd]
  let frontier = start
  for (let number = first; number < beyond; number += rowsAtOnce) {
    const rows = await readSpan(db, number, Math.min(number + rowsAtOnce, beyond))
    frontier = extendFrontier(
      frontier,
      rows.map(({ bytes }) => leafHash(bytes)),
    )
    for (const { mac, ...entry } of rows)
      lines.push(exportLine({ is: 'entry', entry: { ...entry, ...(mac && { mac }) } }), lineEnd)
  }
  const root = frontierRoot(frontier)
  if (frontier.size !== beyond || !end || Buffer.compare(root, end) !== 0) {
    throw new SpanDamaged(
      `Entries ${first} to ${beyond - 1} are not those that were anchored: one was changed, put in or taken out. Run "countersign trail verify".`,
    )
  }
  lines.push(exportLine({ is: 'head', head: { size: beyond, root } }), lineEnd)
  return pack(Buffer.concat(lines))
}

/** Two compressions of the same need not be the same bytes. */
export async function isSameArchive(a: Uint8Array, b: Uint8Array): Promise<boolean> {
  if (Buffer.compare(a, b) === 0) return true
  const limit = { maxOutputLength: archiveBytesMax }
  const [one, other] = await Promise.all([unpack(a, limit), unpack(b, limit)]).catch(() => [undefined, undefined])
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0
}
