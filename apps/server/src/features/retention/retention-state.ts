import type { SignedStub } from '@countersign/trail'
import type { RemovedSpan, RetentionState } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { findHolds } from './holds-table.ts'
import { dueAt, type Span } from './removal.ts'
import { removalHealth } from './removal-health.ts'
import { countRemoved } from './removals-table.ts'
import type { RemoveExpired, RetentionPolicy } from './remove-expired.ts'

export type Retention = { readonly policy: RetentionPolicy; readonly remove: RemoveExpired }

/** What the policy is, what it did, and what it will do next. */
export async function retentionState(db: Sql, retention: Retention | undefined): Promise<RetentionState> {
  const [removed, holds, health] = [await countRemoved(db), await findHolds(db), await removalHealth({ db })]
  return {
    is_on: retention !== undefined,
    days: retention?.policy.retentionDays ?? null,
    archive_days: retention?.policy.place.retentionDays ?? null,
    removed,
    holds: holds.length,
    next: retention ? await nextOf(retention) : null,
    failures: health.failures,
    error: health.error,
  }
}

async function nextOf({ policy, remove }: Retention): Promise<RetentionState['next']> {
  const { spans, waiting } = await remove.plan(1)
  const [span] = spans
  if (span) return { is: span.is, ...onWire(span), due_at: dueAt(span, policy.retentionDays).toISOString() }
  if (waiting?.is === 'young') return { is: 'young', ...onWire(waiting.span), due_at: waiting.dueAt.toISOString() }
  return waiting ? { is: waiting.is } : null
}

function onWire({ first, beyond, oldestAt, newestAt }: Span) {
  return {
    first,
    last: beyond - 1,
    count: beyond - first,
    oldest_at: oldestAt.toISOString(),
    newest_at: newestAt.toISOString(),
  }
}

export function removedOnWire({ signature: _, version: __, ...span }: SignedStub): RemovedSpan {
  return span
}
