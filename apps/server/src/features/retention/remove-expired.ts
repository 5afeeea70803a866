import { archiveKey, type NoteSigner, type SignedStub, signStub } from '@countersign/trail'
import type { Clock } from '../../kernel/clock.ts'
import { sha256Hex } from '../../kernel/crypto.ts'
import type { Db, Sql } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import { type AnchorRow, type ChainPlace, findLastWritten, type ObjectStore, StoreFault } from '../anchors/index.ts'
import { type Act, findOnlyTenant } from '../trail/index.ts'
import { archiveBytesMax, archiveSpan, isSameArchive, SpanDamaged } from './archive-span.ts'
import { type Candidate, findSpans, type Waiting } from './find-spans.ts'
import { findHolds } from './holds-table.ts'
import { dueAt, holdOn, type Removal } from './removal.ts'
import {
  findRemoval,
  findUnfinished,
  insertRemoval,
  noteArchived,
  noteFailed,
  planAnew,
  releaseRemovalLock,
  removeSpan,
  takeRemovalLock,
} from './removals-table.ts'

export type RetentionPolicy = {
  /** Entries are kept at least for so many days. */
  readonly retentionDays: number
  readonly place: ChainPlace & { readonly retentionDays: number }
}

type Needs = {
  readonly db: Pick<Db, 'query' | 'inTx' | 'withClient'>
  readonly clock: Pick<Clock, 'now'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  readonly store: ObjectStore
  readonly policy: RetentionPolicy
  readonly newId: () => string
  readonly trail: {
    readonly signer: (db: Sql) => Promise<NoteSigner | undefined>
    /** Writes the entry of an act under an id that is known before. */
    readonly write: (tx: Sql, act: Act, id: string) => Promise<void>
  }
}

/** Who removes, as the stub says. */
export type Remover = { readonly kind: 'system'; readonly id: string }

export type RemovalOutcome =
  | { readonly is: 'removed'; readonly spans: readonly SignedStub[]; readonly failures: readonly string[] }
  /** Another replica is at it. */
  | { readonly is: 'busy' }

export type RemoveExpired = {
  /** Archives and removes what has expired. Never throws for what the store does: that is noted and tried again. */
  readonly pass: (by?: Remover, isNow?: boolean) => Promise<RemovalOutcome>
  /** What a pass would do, and what comes after: changes nothing. */
  readonly plan: (spansMax?: number) => Promise<Plan>
}

export type Plan = {
  readonly spans: readonly Candidate[]
  /** True when there are more spans than were asked for. */
  readonly isCut: boolean
  readonly waiting: Waiting | undefined
}

const worker: Remover = { kind: 'system', id: 'retention' }
const backOffMs = { first: 60_000, most: 3_600_000 }
/** A pass ends after so many; the next goes on. */
const spansPerPass = 20
/** A store may cut off what is below a second. */
const roundingMs = 2_000

/**
 * Removes entries whose time is over: a span is planned and remembered, archived in the store under a lock and read back,
 * and then removed in one transaction with the signed stub that stands in its place. Killed anywhere between, the next
 * pass goes on with the same span and the same archive.
 */
export function removeExpired({ db, clock, log, store, policy, newId, trail }: Needs): RemoveExpired {
  const { retentionDays, place } = policy

  const agesNow = async (anchor: AnchorRow | undefined) => ({
    retentionDays,
    now: clock.now(),
    holds: await findHolds(db),
    anchoredSize: anchor?.size ?? 0,
  })

  const archive = async (removal: Removal, anchor: AnchorRow): Promise<void> => {
    await store.requireLock()
    const bytes = await archiveSpan(db, removal, anchor)
    const wanted = new Date(clock.now().getTime() + place.retentionDays * 86_400_000)
    let stored = await store.get(removal.key, archiveBytesMax)
    if (!stored) {
      await store.put(removal.key, bytes, wanted, 'application/gzip')
      stored = await store.get(removal.key, archiveBytesMax)
    }
    if (!stored) throw new StoreFault('away', `The store took ${removal.key} and does not have it. It is tried again.`)
    if (!(await isSameArchive(stored.bytes, bytes))) {
      throw new StoreFault(
        'unexpected',
        `The store holds something else under ${removal.key} than these entries. Nothing is removed. Find out who wrote it; then name another chain in COUNTERSIGN_ANCHOR_CHAIN_ID.`,
      )
    }
    const { lockedUntil } = stored
    // One that was written by a pass that was killed may be some days older.
    const leastUntil = wanted.getTime() - 30 * 86_400_000 - roundingMs
    if (lockedUntil === undefined || lockedUntil.getTime() < Math.max(leastUntil, clock.now().getTime())) {
      const how = lockedUntil === undefined ? 'without a lock' : `locked until ${lockedUntil.toISOString()} only`
      throw new StoreFault(
        'no_lock',
        `The store keeps ${removal.key} ${how}; it must be locked until ${wanted.toISOString()} in COMPLIANCE mode. Nothing is removed.`,
      )
    }
    const digest = { sha256: Buffer.from(sha256Hex(stored.bytes), 'hex'), bytes: stored.bytes.length, lockedUntil }
    await noteArchived(db, removal.id, digest, clock.now())
  }

  const remove = (removal: Removal, anchor: AnchorRow, by: Remover): Promise<SignedStub> =>
    db.inTx(async (tx) => {
      const signer = await trail.signer(tx)
      const { sha256, bytes, lockedUntil } = removal
      if (!signer || !sha256 || bytes === null || !lockedUntil)
        throw new Error('A span is removed that was not archived.')
      const stub = signStub(
        {
          version: 1,
          first: removal.first,
          last: removal.beyond - 1,
          count: removal.beyond - removal.first,
          oldest_at: removal.oldestAt.toISOString(),
          newest_at: removal.newestAt.toISOString(),
          retention_days: removal.retentionDays,
          removed_at: clock.now().toISOString(),
          removed_by: { kind: by.kind, id: by.id },
          bucket: removal.bucket,
          archive_key: removal.key,
          archive_sha256: sha256.toString('hex'),
          archive_bytes: bytes,
          archive_locked_until: lockedUntil.toISOString(),
          size: anchor.size,
          root: anchor.root.toString('hex'),
          anchor_key: anchor.key,
        },
        signer,
      )
      const id = newId()
      const act: Act = {
        tenant: await findOnlyTenant(tx),
        act: 'trail.span_removed',
        actor: by,
        subject: { kind: 'trail', id: `${stub.first}-${stub.last}` },
        details: { stub: { ...stub } },
      }
      await trail.write(tx, act, id)
      await removeSpan(tx, removal.id, id)
      return stub
    })

  const settle = async (removal: Removal, by: Remover): Promise<SignedStub | string> => {
    const span = { entries: `${removal.first}-${removal.beyond - 1}`, object: removal.key }
    try {
      const anchor = await findLastWritten(db, { bucket: removal.bucket, chainId: removal.chainId })
      if (!anchor || anchor.size < removal.beyond) return 'No anchor covers the span.'
      if (!removal.archivedAt) await archive(removal, anchor)
      const archived = await findRemoval(db, removal.id)
      if (!archived) throw new Error('A removal is gone while it is under way.')
      const stub = await remove(archived, anchor, by)
      log.info(span, 'Entries of the trail were archived and removed after their time')
      return stub
    } catch (cause) {
      const says = wordsOf(cause)
      if (says === undefined) throw cause
      const attempts = removal.attempts + 1
      const wait = Math.min(backOffMs.first * 2 ** (attempts - 1), backOffMs.most)
      await noteFailed(db, removal.id, says, new Date(clock.now().getTime() + wait))
      const write = cause instanceof StoreFault && cause.is === 'away' && attempts < 3 ? log.warn : log.error
      if ((attempts & (attempts - 1)) === 0)
        write({ ...span, attempts, why: says }, 'Expired entries could not be removed')
      return says
    }
  }

  /** The removal to go on with, or a new one; nothing when nothing is due. */
  const next = async (done: ReadonlySet<string>, isNow: boolean): Promise<Removal | undefined> => {
    const anchor = await findLastWritten(db, place)
    const ages = await agesNow(anchor)
    const unfinished = await findUnfinished(db)
    for (const begun of unfinished) {
      const isSettled = begun.archivedAt !== null || isSamePlan(begun, policy)
      if (!isSettled)
        await planAnew(db, begun.id, {
          ...place,
          retentionDays,
          key: archiveKey(place.chainId, begun.first, begun.beyond - 1),
        })
      // A policy that was made longer meanwhile holds.
      const isDue = dueAt(begun, Math.max(begun.retentionDays, retentionDays)) < ages.now
      if (done.has(begun.id) || !isDue || holdOn(begun, ages.holds)) continue
      // What failed a moment ago would fail with the next span too.
      if (!isNow && begun.nextAttemptAt > ages.now) return undefined
      return findRemoval(db, begun.id)
    }
    for await (const span of findSpans(db, ages)) {
      const isBegun = unfinished.some((one) => one.first < span.beyond && span.first < one.beyond)
      if (isBegun || span.is !== 'due') continue
      const id = newId()
      const key = archiveKey(place.chainId, span.first, span.beyond - 1)
      await insertRemoval(
        db,
        { ...span, id, retentionDays, bucket: place.bucket, chainId: place.chainId, key },
        ages.now,
      )
      return findRemoval(db, id)
    }
    return undefined
  }

  const run = async (by: Remover, isNow: boolean): Promise<RemovalOutcome> => {
    const spans: SignedStub[] = []
    const failures: string[] = []
    const done = new Set<string>()
    while (done.size < spansPerPass) {
      const removal = await next(done, isNow)
      if (!removal) break
      done.add(removal.id)
      const settled = await settle(removal, by)
      if (typeof settled === 'string') {
        failures.push(settled)
        break
      }
      spans.push(settled)
    }
    return { is: 'removed', spans, failures }
  }

  return {
    pass: (by = worker, isNow = false) =>
      db.withClient(async (client) => {
        const session: Sql = { query: async (text, values) => (await client.query(text, values && [...values])).rows }
        if (!(await takeRemovalLock(session))) return { is: 'busy' }
        try {
          return await run(by, isNow)
        } finally {
          await releaseRemovalLock(session)
        }
      }),
    plan: async (spansMax = 1000) => {
      const found = findSpans(db, await agesNow(await findLastWritten(db, place)))
      const spans: Candidate[] = []
      for (;;) {
        const step = await found.next()
        if (step.done) return { spans, isCut: false, waiting: step.value }
        if (spans.length >= spansMax) return { spans, isCut: true, waiting: undefined }
        spans.push(step.value)
      }
    },
  }
}

function isSamePlan({ retentionDays, bucket, chainId }: Removal, policy: RetentionPolicy): boolean {
  return retentionDays === policy.retentionDays && bucket === policy.place.bucket && chainId === policy.place.chainId
}

/** What may be shown of a failure that is no bug: a store's, a damaged span, a no of the database. */
function wordsOf(cause: unknown): string | undefined {
  if (cause instanceof StoreFault || cause instanceof SpanDamaged) return cause.message
  const isRefused = cause instanceof Error && 'code' in cause && cause.code === '23001'
  return isRefused ? cause.message : undefined
}
