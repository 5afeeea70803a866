import {
  type Anchor,
  anchorBytes,
  anchorBytesMax,
  anchorKeys,
  hexOf,
  isArchiveKey,
  type NoteSigner,
  readCheckpoint,
  readNote,
} from '@countersign/trail'
import type { Clock } from '../../kernel/clock.ts'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Db, Sql } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import {
  type AnchorRow,
  type ChainPlace,
  findLastWritten,
  findWaiting,
  insertAnchor,
  noteFailed,
  noteWritten,
  releaseAnchorLock,
  takeAnchorLock,
  type WaitingAnchor,
} from './anchors-table.ts'
import { type ObjectStore, type StoredObject, StoreFault } from './object-store.ts'

export type AnchorPolicy = { readonly intervalMinutes: number; readonly retentionDays: number }

type Needs = {
  readonly db: Pick<Db, 'query' | 'inTx' | 'withClient'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  readonly store: ObjectStore
  readonly place: ChainPlace & AnchorPolicy
  /** The log's newest signed checkpoint and its key. */
  readonly trail: {
    readonly findLastCheckpoint: (db: Sql) => Promise<{ readonly note: string } | undefined>
    readonly signer: (db: Sql) => Promise<NoteSigner | undefined>
  }
}

export type AnchorOutcome =
  | { readonly is: 'written'; readonly anchor: AnchorRow }
  | { readonly is: 'failed'; readonly anchor: AnchorRow; readonly fault: StoreFault }
  | { readonly is: 'nothing_new'; readonly anchor: AnchorRow | undefined }
  | { readonly is: 'not_due' }
  /** Another replica is at it. */
  | { readonly is: 'busy' }

export type WriteAnchors = {
  /** Periodic work of any replica: writes what is due. Never throws for what the store does. */
  readonly pass: () => Promise<AnchorOutcome>
  /** The same, now. */
  readonly writeNow: () => Promise<AnchorOutcome>
}

/** A server that was restarted a moment ago need not anchor again at once. */
const restartMs = 60_000
const backOffMs = { first: 10_000, most: 600_000 }
/** A store may cut off what is below a second. */
const roundingMs = 2_000

/**
 * Writes the newest checkpoint into the store, each linked to the one before. An anchor is first made and kept, then
 * written: whatever fails between is tried again with the same bytes, and the next begins where it ended, so that no
 * range is skipped. Nothing is written beside objects that we do not know.
 */
export function writeAnchors({ db, clock, log, store, place, trail }: Needs): WriteAnchors {
  let hasBegun = false

  const isDue = (last: AnchorRow | undefined): boolean => {
    const age = last === undefined ? Number.POSITIVE_INFINITY : clock.now().getTime() - last.madeAt.getTime()
    return age >= (hasBegun ? place.intervalMinutes * 60_000 : restartMs)
  }

  const make = async (last: AnchorRow | undefined): Promise<WaitingAnchor | undefined> => {
    const [checkpoint, signer] = [await trail.findLastCheckpoint(db), await trail.signer(db)]
    if (!checkpoint || !signer) return undefined
    const made = newAnchor(place, last, checkpoint.note, clock.now())
    if (!made) return undefined
    const { anchor, key } = made
    const bytes = Buffer.from(anchorBytes(anchor, signer))
    await insertAnchor(db, place, {
      sequence: anchor.sequence,
      key,
      bytes,
      sha256: Buffer.from(sha256Hex(bytes), 'hex'),
      firstNumber: anchor.first_seq,
      size: anchor.last_seq + 1,
      root: Buffer.from(anchor.root, 'hex'),
      madeAt: new Date(anchor.created_at),
      nextAttemptAt: new Date(anchor.created_at),
    })
    return findWaiting(db, place)
  }

  /** Answers until when the store has locked it. */
  const put = async (anchor: WaitingAnchor, last: AnchorRow | undefined): Promise<Date> => {
    await store.requireLock()
    await refuseStrangers(store, place, anchor, last)
    const wanted = new Date(anchor.madeAt.getTime() + place.retentionDays * 86_400_000)
    let stored = await store.get(anchor.key, anchorBytesMax)
    if (stored === undefined) {
      const now = new Date(Math.max(clock.now().getTime(), anchor.madeAt.getTime()))
      const until = new Date(now.getTime() + place.retentionDays * 86_400_000)
      await store.put(anchor.key, anchor.bytes, until, 'application/json')
      stored = await store.get(anchor.key, anchorBytesMax)
    }
    return requireAsWritten(anchor, stored, wanted)
  }

  const settle = async (anchor: WaitingAnchor, last: AnchorRow | undefined): Promise<AnchorOutcome> => {
    const facts = { sequence: anchor.sequence, object: anchor.key, size: anchor.size }
    try {
      const lockedUntil = await put(anchor, last)
      await noteWritten(db, place, anchor.sequence, clock.now(), lockedUntil)
      log.info(facts, 'The trail was anchored')
      const written = await findLastWritten(db, place)
      return { is: 'written', anchor: written ?? anchor }
    } catch (cause) {
      if (!(cause instanceof StoreFault)) throw cause
      const attempts = anchor.attempts + 1
      const wait = Math.min(backOffMs.first * 2 ** (attempts - 1), backOffMs.most)
      await noteFailed(db, place, anchor.sequence, cause.message, new Date(clock.now().getTime() + wait))
      const write = cause.is === 'away' && attempts < 3 ? log.warn : log.error
      if ((attempts & (attempts - 1)) === 0) {
        write(
          { ...facts, attempts, why: cause.message, cause: String(cause.cause ?? '') },
          'The trail could not be anchored',
        )
      }
      return { is: 'failed', anchor: { ...anchor, attempts, lastError: cause.message }, fault: cause }
    }
  }

  const run = async (isNow: boolean): Promise<AnchorOutcome> => {
    const last = await findLastWritten(db, place)
    const waiting = await findWaiting(db, place)
    if (waiting) {
      if (!isNow && waiting.nextAttemptAt.getTime() > clock.now().getTime()) return { is: 'not_due' }
      return settle(waiting, last)
    }
    if (!isNow && !isDue(last)) return { is: 'not_due' }
    const made = await make(last)
    return made ? settle(made, last) : { is: 'nothing_new', anchor: last }
  }

  const alone = (isNow: boolean): Promise<AnchorOutcome> =>
    db.withClient(async (client) => {
      const session: Sql = { query: async (text, values) => (await client.query(text, values && [...values])).rows }
      if (!(await takeAnchorLock(session))) return { is: 'busy' }
      try {
        return await run(isNow)
      } finally {
        hasBegun = true
        await releaseAnchorLock(session)
      }
    })

  return { pass: () => alone(false), writeNow: () => alone(true) }
}

function newAnchor(
  { chainId }: ChainPlace,
  last: AnchorRow | undefined,
  note: string,
  now: Date,
): { readonly anchor: Anchor; readonly key: string } | undefined {
  const { size, root } = readCheckpoint(readNote(note).text)
  if (size <= (last?.size ?? 0)) return undefined
  // A clock that was set back must not put it among the older ones.
  const at = new Date(Math.max(now.getTime(), last === undefined ? 0 : last.madeAt.getTime() + 1))
  const key = anchorKeys(chainId, at).find((one) => last === undefined || one > last.key)
  if (key === undefined) throw new Error('No name for an anchor comes after the one before.')
  const first = last?.size ?? 0
  const anchor: Anchor = {
    version: 2,
    chain_id: chainId,
    sequence: last === undefined ? 0 : last.sequence + 1,
    first_seq: first,
    last_seq: size - 1,
    count: size - first,
    root: hexOf(root),
    checkpoint: note,
    prev_anchor_key: last?.key ?? null,
    prev_anchor_sha256: last === undefined ? null : hexOf(last.sha256),
    created_at: at.toISOString(),
  }
  return { anchor, key }
}

/** Later objects than the last we know mean another writer, or a database older than its anchors. */
async function refuseStrangers(
  store: ObjectStore,
  { chainId, bucket }: ChainPlace,
  anchor: AnchorRow,
  last: AnchorRow | undefined,
): Promise<void> {
  const later = await store.list(`${chainId}/`, last?.key ?? '', 3)
  // Archives come after every anchor in the order of names, so that they never hide one.
  const stranger = later.find((key) => key !== anchor.key && !isArchiveKey(chainId, key))
  if (stranger === undefined) return
  const known =
    last === undefined
      ? 'This installation has written no anchor there'
      : `The last anchor this database knows is ${last.key}`
  throw new StoreFault('unexpected', `${known}, but ${bucket} holds ${stranger}. ${whatToDo}`)
}

const whatToDo =
  'Either another installation uses this chain, or the database was set back to an older state. Find out which ("countersign trail anchors verify"); then begin a new chain with another COUNTERSIGN_ANCHOR_CHAIN_ID. The old one stays as evidence.'

function requireAsWritten(anchor: WaitingAnchor, stored: StoredObject | undefined, wanted: Date): Date {
  if (stored === undefined) {
    throw new StoreFault('away', `The store took ${anchor.key} and does not have it. It is tried again.`)
  }
  if (!anchor.bytes.equals(stored.bytes)) {
    const says = `The store holds something else under ${anchor.key} than was written. ${whatToDo}`
    throw new StoreFault('unexpected', says)
  }
  const { lockedUntil } = stored
  if (lockedUntil === undefined || lockedUntil.getTime() < wanted.getTime() - roundingMs) {
    const how = lockedUntil === undefined ? 'without a lock' : `locked until ${lockedUntil.toISOString()} only`
    throw new StoreFault(
      'no_lock',
      `The store keeps ${anchor.key} ${how}; it must be locked until ${wanted.toISOString()} in COMPLIANCE mode.`,
    )
  }
  return lockedUntil
}
