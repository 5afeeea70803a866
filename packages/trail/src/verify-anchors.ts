import { anchorKeys, isSignedBy, NotAnAnchor, readAnchor, type SignedAnchor } from './anchor.ts'
import type { Checkpoint } from './checkpoint.ts'
import { hexOf } from './export-line.ts'
import { sha256 } from './sha256.ts'
import type { NoteVerifier } from './verifier-key.ts'
import type { RecordedHead } from './verify.ts'

/** An object as the store, or a folder of downloaded ones, gives it. */
export type AnchorFile = { readonly key: string; readonly bytes: Uint8Array }

export type AnchorFault = {
  readonly is: 'unreadable' | 'forged' | 'foreign' | 'unlinked' | 'missing' | 'misplaced' | 'contradicts'
  readonly key: string
  readonly says: string
}

export type AnchorVerification = {
  readonly ok: boolean
  readonly anchors: number
  readonly faults: readonly AnchorFault[]
  /** What the anchored checkpoints say of the log, to hold it against. */
  readonly heads: readonly RecordedHead[]
  readonly last:
    | { readonly key: string; readonly sequence: number; readonly size: number; readonly at: string }
    | undefined
}

type Known = {
  readonly key: string
  readonly digest: string
  readonly anchor: SignedAnchor
  readonly checkpoint: Checkpoint
}

/**
 * Checks a chain of anchors by itself: each is one, was signed by the key of the log, lies where its time says, and
 * names the one before and what it says. None may be missing between them; whether the end is, only somebody who has
 * seen a later one knows. `allOf` asks for the beginning too.
 */
export function verifyAnchors(
  files: Iterable<AnchorFile>,
  { chainId, verifier }: { readonly chainId: string | undefined; readonly verifier: NoteVerifier },
): AnchorVerification {
  const faults: AnchorFault[] = []
  const heads: RecordedHead[] = []
  const ordered = [...files].sort((a, b) => (a.key < b.key ? -1 : 1))
  let chain = chainId
  let previous: Known | undefined
  const known: Known[] = []
  for (const { key, bytes } of ordered) {
    const read = readFile({ key, bytes }, verifier, faults)
    if (!read) continue
    chain ??= read.anchor.chain_id
    if (read.anchor.chain_id !== chain) {
      faults.push({ is: 'foreign', key, says: `${key} belongs to the chain ${read.anchor.chain_id}, not to ${chain}.` })
      continue
    }
    known.push(read)
  }
  known.sort((a, b) => a.anchor.sequence - b.anchor.sequence)
  for (const one of known) {
    faults.push(...compareWithPrevious(previous, one))
    const { size, root } = one.checkpoint
    heads.push({ size, root, by: `Anchor ${one.anchor.sequence} of ${one.anchor.created_at}` })
    previous = one
  }
  const last = previous && {
    key: previous.key,
    sequence: previous.anchor.sequence,
    size: previous.checkpoint.size,
    at: previous.anchor.created_at,
  }
  return { ok: faults.length === 0, anchors: known.length, faults, heads, last }
}

function readFile({ key, bytes }: AnchorFile, verifier: NoteVerifier, faults: AnchorFault[]): Known | undefined {
  try {
    const { anchor, checkpoint } = readAnchor(bytes)
    if (!isSignedBy(anchor, verifier)) {
      faults.push({
        is: 'forged',
        key,
        says: `${key} does not bear the signature of ${verifier.name}: it was changed or forged.`,
      })
      return undefined
    }
    if (!anchorKeys(anchor.chain_id, new Date(anchor.created_at)).includes(key)) {
      faults.push({
        is: 'misplaced',
        key,
        says: `${key} was made at ${anchor.created_at}, which is not where it lies.`,
      })
    }
    return { key, digest: hexOf(sha256(bytes)), anchor, checkpoint }
  } catch (cause) {
    if (!(cause instanceof NotAnAnchor)) throw cause
    faults.push({ is: 'unreadable', key, says: `${key} is not an anchor: ${cause.message}` })
    return undefined
  }
}

function compareWithPrevious(previous: Known | undefined, one: Known): readonly AnchorFault[] {
  const { key, anchor } = one
  const expected = previous === undefined ? 0 : previous.anchor.sequence + 1
  if (anchor.sequence < expected) {
    return [
      {
        is: 'contradicts',
        key,
        says: `${key} and ${previous?.key ?? '-'} are both anchor ${anchor.sequence}: the log was forked.`,
      },
    ]
  }
  if (anchor.sequence > expected) {
    const which =
      anchor.sequence - 1 === expected ? `Anchor ${expected} is` : `Anchors ${expected} to ${anchor.sequence - 1} are`
    const where = anchor.prev_anchor_key === null ? '' : `; the last of them is ${anchor.prev_anchor_key}`
    return [{ is: 'missing', key, says: `${which} missing before ${key}${where}.` }]
  }
  if (previous === undefined) return []
  const faults: AnchorFault[] = []
  if (anchor.prev_anchor_key !== previous.key || anchor.prev_anchor_sha256 !== previous.digest) {
    faults.push({
      is: 'unlinked',
      key,
      says: `${key} follows another object than ${previous.key} as it is: one of them was replaced.`,
    })
  }
  if (anchor.first_seq !== previous.anchor.last_seq + 1) {
    const says = `${key} begins with entry ${anchor.first_seq}; the anchor before it ended with ${previous.anchor.last_seq}.`
    faults.push({ is: 'contradicts', key, says })
  }
  return faults
}
