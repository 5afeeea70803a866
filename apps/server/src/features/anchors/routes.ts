import {
  type AnchorShown,
  type AnchorState,
  anchorPage,
  anchorQuery,
  anchorState,
  anchorWritten,
} from '@countersign/wire'
import type { Sql, Tx } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { actorOf, type NewestCheckpoint, type RecordAct, readNumberCursor } from '../trail/index.ts'
import type { AnchoringHealth } from './anchoring-health.ts'
import { type AnchorRow, type ChainPlace, listAnchors } from './anchors-table.ts'
import type { AnchorOutcome, AnchorPolicy, WriteAnchors } from './write-anchors.ts'

type Needs = {
  readonly db: Sql & { readonly inTx: <Result>(work: (tx: Tx) => Promise<Result>) => Promise<Result> }
  readonly recordAct: RecordAct
  readonly readNewestCheckpoint: (db: Sql) => Promise<NewestCheckpoint | undefined>
  /** Nothing while anchoring is off. */
  readonly anchoring:
    | {
        readonly place: ChainPlace & AnchorPolicy
        readonly write: Pick<WriteAnchors, 'writeNow'>
        readonly health: () => Promise<AnchoringHealth>
      }
    | undefined
}

export function anchorRoutes({ db, recordAct, anchoring, readNewestCheckpoint }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell the newest signed checkpoint, where the trail is anchored and how that goes',
      method: 'GET',
      path: '/trail/anchoring',
      needs: 'trail:read',
      answers: anchorState,
      handle: async () => {
        const newest = await readNewestCheckpoint(db)
        const checkpoint = newest ? { ...newest, at: newest.at.toISOString() } : null
        return { checkpoint, anchoring: await stateOf(anchoring) }
      },
    }),
    route({
      does: 'List the anchors of the trail, newest first',
      method: 'GET',
      path: '/trail/anchors',
      needs: 'trail:read',
      query: anchorQuery,
      answers: anchorPage,
      handle: async ({ query: { limit = 50, cursor } }) => {
        if (!anchoring) return { items: [], next_cursor: null }
        const rows = await listAnchors(db, anchoring.place, readNumberCursor(cursor), limit + 1)
        const items = rows.slice(0, limit).map(shown)
        return { items, next_cursor: rows.length > limit ? String(items.at(-1)?.sequence ?? 0) : null }
      },
    }),
    route({
      does: 'Write an anchor of the trail now',
      method: 'POST',
      path: '/trail/anchors',
      needs: 'trail:manage',
      answers: anchorWritten,
      handle: async ({ who, facts }) => {
        if (!anchoring)
          throw new Problem(problems.conflict, 'The trail is not anchored. Set COUNTERSIGN_ANCHOR_BUCKET.')
        const { chainId, bucket } = anchoring.place
        await db.inTx((tx) =>
          recordAct(tx, {
            ...actorOf(who),
            tenant: who.tenant,
            act: 'anchor.requested',
            subject: { kind: 'anchor_chain', id: chainId },
            request: facts,
            details: { bucket },
          }),
        )
        return answerOf(await anchoring.write.writeNow())
      },
    }),
  ]
}

async function stateOf(anchoring: Needs['anchoring']): Promise<AnchorState['anchoring']> {
  if (!anchoring) return { is_on: false }
  const { bucket, chainId, intervalMinutes, retentionDays } = anchoring.place
  const { isHealthy, unanchored, waitingSeconds, failures, error } = await anchoring.health()
  return {
    is_on: true,
    bucket,
    chain_id: chainId,
    interval_minutes: intervalMinutes,
    retention_days: retentionDays,
    is_healthy: isHealthy,
    unanchored,
    waiting_seconds: Math.round(waitingSeconds),
    failures,
    error,
  }
}

function answerOf(outcome: AnchorOutcome): { is: 'written' | 'nothing_new'; anchor: AnchorShown | null } {
  switch (outcome.is) {
    case 'written':
      return { is: 'written', anchor: shown(outcome.anchor) }
    case 'nothing_new':
      return { is: 'nothing_new', anchor: outcome.anchor ? shown(outcome.anchor) : null }
    case 'failed':
      throw new Problem(problems.unavailable, `${outcome.fault.message} It is tried again by itself.`, {
        cause: outcome.fault,
      })
    case 'busy':
    case 'not_due':
      throw new Problem(problems.conflict, 'An anchor is being written at this moment. Look again in a few seconds.')
  }
}

function shown(row: AnchorRow): AnchorShown {
  return {
    sequence: row.sequence,
    key: row.key,
    sha256: row.sha256.toString('hex'),
    first_number: row.firstNumber,
    size: row.size,
    root: row.root.toString('hex'),
    made_at: row.madeAt.toISOString(),
    written_at: row.writtenAt?.toISOString() ?? null,
    locked_until: row.lockedUntil?.toISOString() ?? null,
    attempts: row.attempts,
    next_attempt_at: row.writtenAt ? null : row.nextAttemptAt.toISOString(),
    error: row.lastError,
  }
}
