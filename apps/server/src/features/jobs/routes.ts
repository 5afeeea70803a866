import { type Job, job, jobList, jobParams, jobQuery, recurringJobs } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound, Problem, problems } from '../../kernel/problem.ts'
import type { Workers } from '../../kernel/workers.ts'
import { type Caller, type RequestFacts, type Route, route } from '../roles/index.ts'
import { personRef } from '../rulesets/index.ts'
import { findJob, type JobRow, listJobs } from './jobs-table.ts'

type Act = (who: Caller, id: string, facts: RequestFacts) => Promise<unknown>

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly workers: Pick<Workers, 'health'>
  readonly replica: string
  /** What each kind does when it is told to end, or to begin again. */
  readonly acts: { readonly cancelReplay: Act; readonly retryReplay: Act; readonly cancelTrial: Act }
}

/** One list of what the server does in the background, whoever ordered it; each kind keeps its own page and its own rules. */
export function jobRoutes({ db, clock, workers, replica, acts }: Needs): readonly Route[] {
  const found = async (tenant: string, id: string): Promise<JobRow> => {
    const row = await findJob(db, tenant, clock.now(), id)
    if (!row) throw notFound('job')
    return row
  }
  return [
    route({
      does: 'List background jobs, newest first',
      method: 'GET',
      path: '/jobs',
      needs: 'jobs:read',
      query: jobQuery,
      answers: jobList,
      handle: async ({ who, query: { limit = 50, cursor, status, kind } }) => {
        const rows = await listJobs(db, who.tenant, clock.now(), { status, kind, below: placeIn(cursor) }, limit + 1)
        const page = rows.slice(0, limit)
        const last = page.at(-1)
        return {
          items: page.map(jobOnWire),
          next_cursor: rows.length > limit && last ? `${last.madeAt.toISOString()}_${last.id}` : null,
        }
      },
    }),
    route({
      does: 'Tell how the periodic work of this replica fares',
      method: 'GET',
      path: '/jobs/recurring',
      needs: 'jobs:read',
      answers: recurringJobs,
      handle: () =>
        Promise.resolve({
          replica,
          items: Object.entries(workers.health()).map(([name, one]) => ({
            name,
            state: one.state,
            every_seconds: one.everyMs / 1000,
            last_success_at: one.lastSuccessAt?.toISOString() ?? null,
            consecutive_failures: one.consecutiveFailures,
            failures: one.failuresInAll,
            restarts: one.restarts,
          })),
        }),
    }),
    route({
      does: 'Show a background job',
      method: 'GET',
      path: '/jobs/:id',
      needs: 'jobs:read',
      params: jobParams,
      answers: job,
      handle: async ({ who, params: { id } }) => jobOnWire(await found(who.tenant, id)),
    }),
    route({
      does: 'Cancel a background job that waits or runs',
      method: 'POST',
      path: '/jobs/:id/cancellation',
      needs: 'jobs:write',
      params: jobParams,
      answers: job,
      handle: async ({ who, params: { id }, facts }) => {
        const { kind } = await found(who.tenant, id)
        await (kind === 'replay' ? acts.cancelReplay : acts.cancelTrial)(who, id, facts)
        return jobOnWire(await found(who.tenant, id))
      },
    }),
    route({
      does: 'Begin a background job that failed or was cancelled again',
      method: 'POST',
      path: '/jobs/:id/retry',
      needs: 'jobs:write',
      params: jobParams,
      answers: job,
      handle: async ({ who, params: { id }, facts }) => {
        const { kind } = await found(who.tenant, id)
        if (kind !== 'replay') {
          throw new Problem(problems.conflict, 'A trial is not begun again from here: start it where it is rolled out.')
        }
        await acts.retryReplay(who, id, facts)
        return jobOnWire(await found(who.tenant, id))
      },
    }),
  ]
}

function jobOnWire(row: JobRow): Job {
  const { id, kind, status, ruleset, version, environment, progress, attempts, failure } = row
  const hasEnded = status === 'done' || status === 'failed' || status === 'cancelled'
  return {
    id,
    kind,
    status,
    ruleset,
    version,
    environment,
    progress,
    attempts,
    is_cancelling: row.isCancelling,
    failure,
    can_retry: kind === 'replay' && (status === 'failed' || status === 'cancelled'),
    can_cancel: !hasEnded && !row.isCancelling,
    made_by: personRef(row.madeBy, row.madeByLabel),
    made_at: row.madeAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    ended_at: row.endedAt?.toISOString() ?? null,
  }
}

const placePattern = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

function placeIn(cursor: string | undefined): { readonly at: string; readonly id: string } | undefined {
  if (cursor === undefined) return undefined
  const [, at, id] = placePattern.exec(cursor) ?? []
  if (at === undefined || id === undefined || Number.isNaN(Date.parse(at))) {
    throw invalidInput('querystring.cursor', 'Take next_cursor of the page before.')
  }
  return { at, id }
}
