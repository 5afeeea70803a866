import type { JobKind, JobStatus } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'

export type JobRow = {
  readonly id: string
  readonly kind: JobKind
  readonly status: JobStatus
  readonly ruleset: string
  readonly version: number | null
  readonly environment: string | null
  readonly progress: number | null
  readonly attempts: number
  readonly isCancelling: boolean
  readonly failure: string | null
  readonly madeBy: string
  readonly madeByLabel: string | null
  readonly madeAt: Date
  readonly startedAt: Date | null
  readonly endedAt: Date | null
}

type Filter = {
  readonly status?: JobStatus | undefined
  readonly kind?: JobKind | undefined
  readonly below?: { readonly at: string; readonly id: string } | undefined
}

/** What people ordered, of both kinds, under one set of words. Texts and arguments stay where they are. */
const jobs = `
  select r.tenant_id, r.id, 'replay' as kind, r.status, r.ruleset, r.version, r.environment,
         case when r.rows_total > 0 then least(1, r.rows_read::float8 / r.rows_total) end as progress,
         r.attempts::integer as attempts, r.is_cancelling, r.failure, r.made_by, r.made_at, r.started_at, r.ended_at
    from replays as r where r.tenant_id = $1
  union all
  select t.tenant_id, t.id, 'trial',
         case t.status when 'observing' then 'running' when 'enforcing' then 'running' when 'stopped' then 'waiting'
                       when 'enforced' then 'done' else 'cancelled' end,
         t.ruleset, t.version, t.environment,
         case when t.ended_at is null and t.ends_at > t.made_at
              then greatest(0, least(1, extract(epoch from $2::timestamptz - t.made_at)
                                        / extract(epoch from t.ends_at - t.made_at)))::float8 end,
         1, false, null, t.made_by, t.made_at, t.made_at, case when t.status <> 'stopped' then t.ended_at end
    from rollout_trials as t where t.tenant_id = $1`

const columns = `j.id, j.kind, j.status, j.ruleset, j.version, j.environment, j.progress, j.attempts,
  j.is_cancelling as "isCancelling", j.failure, j.made_by as "madeBy", p.email as "madeByLabel", j.made_at as "madeAt",
  j.started_at as "startedAt", j.ended_at as "endedAt"`
const from = `(${jobs}) as j left join principals as p on p.tenant_id = j.tenant_id and p.id = j.made_by`

/** Newest first. */
export function listJobs(db: Sql, tenant: string, now: Date, filter: Filter, limit: number): Promise<JobRow[]> {
  const { status, kind, below } = filter
  return db.query<JobRow>(
    `select ${columns} from ${from}
      where j.tenant_id = $1 and ($3::text is null or j.status = $3) and ($4::text is null or j.kind = $4)
        and ($5::timestamptz is null or (j.made_at, j.id) < ($5, $6::uuid))
      order by j.made_at desc, j.id desc limit $7`,
    [tenant, now, status ?? null, kind ?? null, below?.at ?? null, below?.id ?? null, limit],
  )
}

export async function findJob(db: Sql, tenant: string, now: Date, id: string): Promise<JobRow | undefined> {
  const [row] = await db.query<JobRow>(`select ${columns} from ${from} where j.tenant_id = $1 and j.id = $3`, [
    tenant,
    now,
    id,
  ])
  return row
}
