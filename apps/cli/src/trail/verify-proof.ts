import { open } from 'node:fs/promises'
import {
  hexOf,
  NotAProof,
  type NoteVerifier,
  type RecordedHead,
  type TrailEntry,
  verifyContinuation,
  verifyEntryProof,
} from '@countersign/trail'

/** What a proof file was found to show, or why it shows nothing. */
export type ProofReport = {
  readonly ok: boolean
  readonly proves: 'entry' | 'continuation'
  readonly says: string
  readonly number?: number
  readonly leaf?: string
  readonly entry?: TrailEntry
  readonly from?: number
  readonly size?: number
  readonly root?: string
  readonly origin?: string
}

export type ProofKind = 'entry' | 'continuation'

/** What a file is by its beginning; undefined for an export and everything else. */
export async function proofKindOf(path: string): Promise<ProofKind | undefined> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(200), 0, 200, 0)
    const beginning = buffer.toString('utf8', 0, bytesRead)
    if (beginning.startsWith('c2sp.org/tlog-proof@')) return 'entry'
    return /^\s*\{\s*"countersign_continuation"/.test(beginning) ? 'continuation' : undefined
  } finally {
    await file.close()
  }
}

export function verifyProofText(
  text: string,
  kind: ProofKind,
  key: NoteVerifier | undefined,
  heads: readonly RecordedHead[],
): ProofReport {
  // Anybody can make a log of one entry and sign it.
  if (key === undefined) throw new Error('Give --key: without a key you trust, a proof proves nothing.')
  try {
    return kind === 'entry' ? entryReport(text, key, heads) : continuationReport(text, key, heads)
  } catch (cause) {
    if (cause instanceof NotAProof) return { ok: false, proves: kind, says: cause.message }
    throw cause
  }
}

function entryReport(text: string, key: NoteVerifier, heads: readonly RecordedHead[]): ProofReport {
  const { number, entry, leaf, checkpoint } = verifyEntryProof(text, key)
  const { size, root, origin } = checkpoint
  requireOrigin(origin, key)
  requireSame(checkpoint, heads)
  return {
    ok: true,
    proves: 'entry',
    says: `Entry ${number} is in the log ${origin}, as it stands here, under its checkpoint over ${size} entries.`,
    number,
    leaf: hexOf(leaf),
    entry,
    size,
    root: hexOf(root),
    origin,
  }
}

function continuationReport(text: string, key: NoteVerifier, heads: readonly RecordedHead[]): ProofReport {
  const { older, newer } = verifyContinuation(text, key)
  requireOrigin(newer.origin, key)
  for (const head of [older, newer]) requireSame(head, heads)
  const later = heads.find((head) => head.size > newer.size)
  if (later) {
    throw new NotAProof(
      `${later.by ?? 'The head you gave'} counts ${later.size} entries, the newer one in the proof ${newer.size}: an old checkpoint was replayed.`,
    )
  }
  return {
    ok: true,
    proves: 'continuation',
    says: `The log ${newer.origin} with ${newer.size} entries begins with the ${older.size} that were signed before, unchanged.`,
    from: older.size,
    size: newer.size,
    root: hexOf(newer.root),
    origin: newer.origin,
  }
}

function requireOrigin(origin: string, key: NoteVerifier): void {
  if (origin !== key.name)
    throw new NotAProof(`The checkpoint is of the log ${origin}, the key is that of ${key.name}.`)
}

/** A head kept elsewhere of the same size must be the same, or the log was forked. */
function requireSame(head: RecordedHead, heads: readonly RecordedHead[]): void {
  for (const kept of heads) {
    if (kept.size !== head.size || Buffer.compare(kept.root, head.root) === 0) continue
    throw new NotAProof(
      `${kept.by ?? 'The head you gave'} over ${kept.size} entries differs from the one in the proof: the log was forked.`,
    )
  }
}

export function proofText(report: ProofReport): string {
  if (report.entry === undefined) return `${report.says}\n`
  return `${report.says}\n${JSON.stringify(report.entry, null, 2)}\n`
}
