import type { TrialStatus } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'

export type Trial = {
  readonly tenant: string
  readonly id: string
  readonly number: number
  readonly ruleset: string
  readonly environment: string
  readonly version: number
  readonly trialVersion: number
  readonly rolloutId: string
  readonly rules: readonly string[]
  readonly wouldBlockMax: number
  readonly wouldBlocks: number
  readonly endsAt: Date
  readonly status: TrialStatus
  readonly madeBy: string
  readonly madeByEmail: string | null
  readonly madeAt: Date
  readonly endedAt: Date | null
}

export type NewTrial = Pick<
  Trial,
  | 'tenant'
  | 'id'
  | 'ruleset'
  | 'environment'
  | 'version'
  | 'trialVersion'
  | 'rolloutId'
  | 'rules'
  | 'wouldBlockMax'
  | 'endsAt'
  | 'madeBy'
  | 'madeAt'
>

export async function insertTrial(tx: Sql, one: NewTrial): Promise<void> {
  await tx.query(
    `insert into rollout_trials (tenant_id, id, ruleset, environment, version, trial_version, rollout_id, rules,
       would_block_max, ends_at, status, made_by, made_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'observing', $11, $12)`,
    [
      one.tenant,
      one.id,
      one.ruleset,
      one.environment,
      one.version,
      one.trialVersion,
      one.rolloutId,
      one.rules,
      one.wouldBlockMax,
      one.endsAt,
      one.madeBy,
      one.madeAt,
    ],
  )
}

const columns = `t.tenant_id as tenant, t.id, t.number, t.ruleset, t.environment, t.version,
  t.trial_version as "trialVersion", t.rollout_id as "rolloutId", t.rules, t.would_block_max as "wouldBlockMax",
  t.would_blocks as "wouldBlocks", t.ends_at as "endsAt", t.status, t.made_by as "madeBy", p.email as "madeByEmail",
  t.made_at as "madeAt", t.ended_at as "endedAt"`
const from = `rollout_trials as t left join principals as p on p.tenant_id = t.tenant_id and p.id = t.made_by`

export async function findTrial(db: Sql, tenant: string, id: string): Promise<Trial | undefined> {
  const [row] = await db.query<Trial>(`select ${columns} from ${from} where t.tenant_id = $1 and t.id = $2`, [
    tenant,
    id,
  ])
  return row
}

/** Newest first. */
export function listTrials(
  db: Sql,
  tenant: string,
  ruleset: string | undefined,
  below: number | undefined,
  limit: number,
): Promise<Trial[]> {
  return db.query<Trial>(
    `select ${columns} from ${from}
      where t.tenant_id = $1 and ($2::text is null or t.ruleset = $2) and ($3::int8 is null or t.number < $3)
      order by t.number desc limit $4`,
    [tenant, ruleset ?? null, below ?? null, limit],
  )
}

/** Every trial that is not at its end, of all tenants: for the worker. */
export function listOpenTrials(db: Sql): Promise<Trial[]> {
  return db.query<Trial>(
    `select ${columns} from ${from} where t.status in ('observing', 'enforcing') order by t.ends_at limit 1000`,
  )
}

/** Ends what still observed at this place, since another rollout takes it: answers which. */
export function supersedeTrials(
  tx: Sql,
  { tenant, ruleset, environment, madeAt }: Pick<NewTrial, 'tenant' | 'ruleset' | 'environment' | 'madeAt'>,
): Promise<{ readonly id: string; readonly version: number }[]> {
  return tx.query(
    `update rollout_trials as t set status = 'superseded', ended_at = $4
      where t.tenant_id = $1 and t.ruleset = $2 and t.environment = $3 and t.status in ('observing', 'stopped')
      returning t.id, t.version`,
    [tenant, ruleset, environment, madeAt],
  )
}

/** Moves it on, unless somebody else has: answers whether this call did. */
export async function moveTrial(
  db: Sql,
  { tenant, id }: Pick<Trial, 'tenant' | 'id'>,
  from: readonly TrialStatus[],
  to: TrialStatus,
  wouldBlocks: number | undefined,
  now: Date,
): Promise<boolean> {
  const rows = await db.query(
    `update rollout_trials as t
        set status = $4, would_blocks = coalesce($5, t.would_blocks), checked_at = $6,
            ended_at = case when $4 in ('observing', 'enforcing') then null else $6::timestamptz end
      where t.tenant_id = $1 and t.id = $2 and t.status = any($3) returning t.id`,
    [tenant, id, from, to, wouldBlocks ?? null, now],
  )
  return rows.length > 0
}
