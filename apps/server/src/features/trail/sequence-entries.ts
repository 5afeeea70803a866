import { emptyFrontier, extendFrontier, type Frontier, frontierRoot, hashBytes } from '@countersign/trail'
import type { Clock } from '../../kernel/clock.ts'
import type { Db, Sql } from '../../kernel/db.ts'
import {
  insertHead,
  numberEntries,
  readHorizon,
  readState,
  type SequencerState,
  type StoredHead,
  takeSequencerLock,
  takeTransactionId,
} from './sequence-table.ts'

type Needs = {
  readonly db: Pick<Db, 'query' | 'inTx'>
  readonly clock: Pick<Clock, 'now'>
  readonly batchMax?: number
}

/** Numbers what is committed and answers how many entries got a number. Any replica may call it at any time. */
export type SequencePass = () => Promise<number>

/**
 * Gives committed entries their gapless numbers and remembers the new head, in one transaction under one
 * lock: several replicas make one log without gaps or forks, and being killed anywhere loses nothing.
 */
export function makeSequencer({ db, clock, batchMax = 5000 }: Needs): SequencePass {
  /** Everything that arrived up to it is numbered or was never committed. */
  let floor = 0
  let marks: readonly Mark[] = []
  let lastArrival = 0
  let lastSize = 0

  /** One transaction. Undefined when another replica is at it. */
  const numberBatch = (): Promise<number | undefined> =>
    db.inTx(async (tx) => {
      if (!(await takeSequencerLock(tx))) return undefined
      const state = await readState(tx)
      const { head } = state
      if ((head?.size ?? 0) < lastSize) forget()
      lastSize = head?.size ?? 0
      floor = Math.max(floor, head?.floor ?? 0)
      return append(tx, state, floor, batchMax, clock.now())
    })

  /** The database is an older one than a moment ago (restored from a backup): what is known of it no longer holds. */
  const forget = (): void => {
    floor = 0
    marks = []
    lastArrival = 0
    lastSize = 0
  }

  return async () => {
    const horizon = await readHorizon(db)
    if (horizon.lastArrival < lastArrival) forget()
    if (horizon.lastArrival > lastArrival) {
      marks = [...marks, { arrival: horizon.lastArrival, xid: await takeTransactionId(db) }]
      lastArrival = horizon.lastArrival
    }
    if (horizon.lastArrival <= floor) return 0
    let numbered = 0
    for (;;) {
      const batch = await numberBatch()
      if (batch === undefined) return numbered
      numbered += batch
      if (batch < batchMax) break
    }
    // What those transactions committed was visible before the last batch was read, so it has its number.
    floor = Math.max(floor, ...marks.filter((mark) => mark.xid < horizon.xmin).map((mark) => mark.arrival))
    marks = thin(marks.filter((mark) => mark.xid >= horizon.xmin))
    return numbered
  }
}

/**
 * "Every transaction that holds an arrival up to this one has an id below xid." True since the arrival was read before
 * that id was taken, and an arrival is handed out only to a transaction that already has its id.
 */
type Mark = { readonly arrival: number; readonly xid: bigint }

/** While a long transaction runs marks pile up, all waiting for the same; a few of them say enough. */
function thin(marks: readonly Mark[]): readonly Mark[] {
  return marks.length > 64 ? marks.filter((_, i) => i % 2 === 1) : marks
}

async function append(
  tx: Sql,
  { head, next }: SequencerState,
  floor: number,
  batchMax: number,
  at: Date,
): Promise<number> {
  const frontier = readFrontier(head)
  if (next !== frontier.size) {
    throw new Error(
      `The trail has ${next} numbers but its head counts ${frontier.size}: rows were put in or taken out by hand. Run "countersign trail verify".`,
    )
  }
  const leaves = hashesIn(await numberEntries(tx, next, floor, batchMax))
  if (leaves.length === 0) return 0
  const extended = extendFrontier(frontier, leaves)
  const peaks = Buffer.concat(extended.peaks)
  await insertHead(
    tx,
    { size: extended.size, root: frontierRoot(extended), peaks, floor: Math.max(floor, head?.floor ?? 0) },
    at,
  )
  return leaves.length
}

function readFrontier(head: StoredHead | undefined): Frontier {
  return head === undefined ? emptyFrontier : { size: head.size, peaks: hashesIn(head.peaks) }
}

function hashesIn(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: bytes.length / hashBytes }, (_, i) => bytes.subarray(i * hashBytes, (i + 1) * hashBytes))
}
