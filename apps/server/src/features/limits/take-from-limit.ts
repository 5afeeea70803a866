import type { Sql } from '../../kernel/db.ts'

type Needs = { readonly db: Sql; readonly clock: { readonly now: () => Date } }

export type Limit = {
  /** What is limited: `sign-in-address`, `approval-agent` … */
  readonly scope: string
  /** Who is counted. */
  readonly subject: string
  readonly max: number
  readonly windowSeconds: number
}

export type LimitAnswer = { readonly isAllowed: boolean; readonly retryAfterSeconds: number }

export type TakeFromLimit = (limit: Limit) => Promise<LimitAnswer>

/**
 * Counts one more, unless the window is full. PostgreSQL counts, so no restart, replica or lost cache gives anybody a
 * second helping. The window slides: what counts is this window and the part of the last one that still overlaps.
 */
export function takeFromLimit({ db, clock }: Needs): TakeFromLimit {
  return async ({ scope, subject, max, windowSeconds }) => {
    const now = clock.now().getTime()
    const length = windowSeconds * 1000
    const start = now - (now % length)
    const overlap = 1 - (now - start) / length
    // One statement: the row's lock makes racing callers wait for each other, so max + 1 never get through.
    const [row] = await db.query<{ count: number }>(
      `insert into limits as l (scope, subject, window_start, count)
       select $1, $2, $3, 1
        where 1 + coalesce((select ceil(p.count * $6::float8) from limits as p where p.scope = $1 and p.subject = $2 and p.window_start = $4), 0) <= $5
       on conflict (scope, subject, window_start) do update set count = l.count + 1
         where l.count + 1 + coalesce((select ceil(p.count * $6::float8) from limits as p where p.scope = $1 and p.subject = $2 and p.window_start = $4), 0) <= $5
       returning l.count`,
      [scope, subject, new Date(start), new Date(start - length), max, overlap],
    )
    return {
      isAllowed: row !== undefined,
      retryAfterSeconds: row ? 0 : Math.max(1, Math.ceil((start + length - now) / 1000)),
    }
  }
}

/** Forgets windows that no limit looks at any more. */
export function sweepLimits({ db, clock }: Needs): () => Promise<void> {
  return async () => {
    await db.query(`delete from limits as l where l.window_start < $1`, [
      new Date(clock.now().getTime() - 2 * 86_400_000),
    ])
  }
}
