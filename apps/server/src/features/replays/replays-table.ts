import type { ReplayResult } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { attemptsMax, type ClaimedReplay, type ReplayEnd, type ReplayRow } from './replay.ts'

export type NewReplay = {
  readonly tenant: string
  readonly id: string
  readonly ruleset: string
  readonly version: number | null
  readonly draftText: string
  readonly draftHash: string
  readonly baseline: { readonly ruleset: string; readonly version: number } | null
  readonly since: Date
  readonly until: Date
  readonly environment: string | null
  readonly agents: readonly string[]
  readonly tools: readonly string[]
  readonly madeBy: string
  readonly madeAt: Date
}

export async function insertReplay(tx: Sql, one: NewReplay): Promise<void> {
  await tx.query(
    `insert into replays (tenant_id, id, ruleset, version, draft_text, draft_hash, baseline_ruleset, baseline_version,
       since, until, environment, agents, tools, status, made_by, made_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'queued', $14, $15)`,
    [
      one.tenant,
      one.id,
      one.ruleset,
      one.version,
      one.draftText,
      one.draftHash,
      one.baseline?.ruleset ?? null,
      one.baseline?.version ?? null,
      one.since,
      one.until,
      one.environment,
      one.agents,
      one.tools,
      one.madeBy,
      one.madeAt,
    ],
  )
}

/** How many of a tenant wait or run. Requests take turns, so that no two see the same free place. */
export async function countOpenReplays(tx: Sql, tenant: string): Promise<number> {
  await tx.query(`select pg_advisory_xact_lock(hashtextextended('replays ' || $1::text, 0))`, [tenant])
  const [row] = await tx.query<{ count: number }>(
    `select count(*)::int8 as count from replays as r where r.tenant_id = $1 and r.status in ('queued', 'running')`,
    [tenant],
  )
  return row?.count ?? 0
}

/** Old replays of drafts go; what was replayed of a revision stays with it. */
export async function pruneReplays(tx: Sql, tenant: string, before: Date): Promise<void> {
  await tx.query(
    `delete from replays as r
      where r.tenant_id = $1 and r.ended_at < $2
        and not exists (select from revisions as v
                         where v.tenant_id = r.tenant_id
                           and (v.ruleset_hash = r.draft_hash or v.contract_bundle_hash = r.draft_hash))`,
    [tenant, before],
  )
}

const columns = `r.id, r.number, r.ruleset, r.version, r.draft_hash as "draftHash", r.baseline_ruleset as "baselineRuleset",
  r.baseline_version as "baselineVersion", r.since, r.until, r.environment, r.agents, r.tools, r.status,
  r.is_cancelling as "isCancelling", r.rows_read as "rowsRead", r.rows_total as "rowsTotal",
  r.distinct_calls as "distinctCalls", r.result -> 'counts' as counts, r.failure, r.made_by as "madeBy",
  p.email as "madeByEmail", r.made_at as "madeAt", r.started_at as "startedAt", r.ended_at as "endedAt"`
const from = `replays as r left join principals as p on p.tenant_id = r.tenant_id and p.id = r.made_by`

export async function findReplay(
  db: Sql,
  tenant: string,
  id: string,
): Promise<(ReplayRow & { readonly result: ReplayResult | null }) | undefined> {
  const [row] = await db.query<ReplayRow & { readonly result: ReplayResult | null }>(
    `select ${columns}, r.result from ${from} where r.tenant_id = $1 and r.id = $2`,
    [tenant, id],
  )
  return row
}

export type ReplayFilter = {
  readonly ruleset?: string | undefined
  readonly version?: number | undefined
  readonly below?: number | undefined
}

/** Newest first. A version's replays are those of its very text, also when they were made before it was uploaded. */
export function listReplays(db: Sql, tenant: string, filter: ReplayFilter, limit: number): Promise<ReplayRow[]> {
  return db.query<ReplayRow>(
    `select ${columns} from ${from}
      where r.tenant_id = $1 and ($2::text is null or r.ruleset = $2)
        and ($3::integer is null or exists (
              select from revisions as v
               where v.tenant_id = r.tenant_id and v.ruleset = r.ruleset and v.version = $3
                 and (v.ruleset_hash = r.draft_hash or v.contract_bundle_hash = r.draft_hash)))
        and ($4::int8 is null or r.number < $4)
      order by r.number desc limit $5`,
    [tenant, filter.ruleset ?? null, filter.version ?? null, filter.below ?? null, limit],
  )
}

/** The newest finished replay of a text, by either of its hashes. */
export async function findNewestReplay(
  db: Sql,
  tenant: string,
  hashes: readonly string[],
): Promise<ReplayRow | undefined> {
  const [row] = await db.query<ReplayRow>(
    `select ${columns} from ${from}
      where r.tenant_id = $1 and r.draft_hash = any($2) and r.status = 'done'
      order by r.number desc limit 1`,
    [tenant, hashes],
  )
  return row
}

/** Takes the oldest that waits, or whose runner was not heard of in time. */
export async function claimReplay(
  db: Sql,
  runner: string,
  now: Date,
  leaseUntil: Date,
): Promise<ClaimedReplay | undefined> {
  const [row] = await db.query<ClaimedReplay>(
    `with next as (
       select r.tenant_id, r.id from replays as r
        where r.status = 'queued' or (r.status = 'running' and r.lease_until < $2)
        order by r.number limit 1 for update skip locked
     )
     update replays as r
        set status = 'running', runner_id = $1, lease_until = $3, attempts = r.attempts + 1,
            started_at = coalesce(r.started_at, $2), rows_read = 0, distinct_calls = 0
       from next as n
      where r.tenant_id = n.tenant_id and r.id = n.id
     returning r.tenant_id as tenant, r.id, r.draft_text as "draftText", r.since, r.until, r.environment, r.agents,
       r.tools, r.attempts,
       (select case v.dialect when 'ruleset' then v.ruleset_text else v.contract_bundle_text end
          from revisions as v
         where v.tenant_id = r.tenant_id and v.ruleset = r.baseline_ruleset
           and v.version = r.baseline_version) as "baselineText"`,
    [runner, now, leaseUntil],
  )
  return row
}

export type Progress = { readonly rows: number; readonly distinct: number; readonly total: number | null }

/** Says that it is alive and how far it came; answers whether it should go on. */
export async function noteProgress(
  db: Sql,
  { tenant, id }: ClaimedReplay,
  runner: string,
  { rows, distinct, total }: Progress,
  leaseUntil: Date,
): Promise<'go on' | 'cancel' | 'lost'> {
  const [row] = await db.query<{ isCancelling: boolean }>(
    `update replays as r
        set rows_read = $4, distinct_calls = $5, rows_total = $6, lease_until = $7
      where r.tenant_id = $1 and r.id = $2 and r.status = 'running' and r.runner_id = $3
     returning r.is_cancelling as "isCancelling"`,
    [tenant, id, runner, rows, distinct, total, leaseUntil],
  )
  return !row ? 'lost' : row.isCancelling ? 'cancel' : 'go on'
}

export async function endReplay(
  db: Sql,
  { tenant, id }: ClaimedReplay,
  runner: string,
  end: ReplayEnd,
  now: Date,
): Promise<void> {
  await db.query(
    `update replays as r
        set status = $4, result = $5, failure = $6, ended_at = $7, lease_until = null, is_cancelling = false
      where r.tenant_id = $1 and r.id = $2 and r.status = 'running' and r.runner_id = $3`,
    [
      tenant,
      id,
      runner,
      end.is,
      end.is === 'done' ? JSON.stringify(end.result) : null,
      end.is === 'failed' ? end.failure : null,
      now,
    ],
  )
}

/** Gives what this runner was at back, so that another takes it up at once. */
export async function releaseReplay(db: Sql, { tenant, id }: ClaimedReplay, runner: string, now: Date): Promise<void> {
  await db.query(
    `update replays as r set status = case when r.is_cancelling then 'cancelled' else 'queued' end,
            ended_at = case when r.is_cancelling then $4::timestamptz end,
            is_cancelling = false, lease_until = null, runner_id = null, attempts = r.attempts - 1
      where r.tenant_id = $1 and r.id = $2 and r.status = 'running' and r.runner_id = $3`,
    [tenant, id, runner, now],
  )
}

/** What waits ends at once; what runs is told to, and nothing happens to what has ended. */
export async function cancelReplay(tx: Sql, tenant: string, id: string, now: Date): Promise<boolean> {
  const [row] = await tx.query<{ id: string }>(
    `update replays as r
        set status = case r.status when 'queued' then 'cancelled' else r.status end,
            is_cancelling = r.status = 'running',
            ended_at = case r.status when 'queued' then $3::timestamptz end
      where r.tenant_id = $1 and r.id = $2 and r.status in ('queued', 'running')
     returning r.id`,
    [tenant, id, now],
  )
  return row !== undefined
}

/** Begins one that failed or was cancelled again, from the start and with all its attempts. */
export async function requeueReplay(tx: Sql, tenant: string, id: string): Promise<boolean> {
  const rows = await tx.query(
    `update replays as r
        set status = 'queued', failure = null, ended_at = null, started_at = null, attempts = 0, rows_read = 0,
            rows_total = null, distinct_calls = 0, is_cancelling = false, runner_id = null, lease_until = null
      where r.tenant_id = $1 and r.id = $2 and r.status in ('failed', 'cancelled') returning r.id`,
    [tenant, id],
  )
  return rows.length > 0
}

/** Those that ended their process again and again fail; those that were to be cancelled when it ended are cancelled. */
export async function buryReplays(db: Sql, now: Date): Promise<void> {
  await db.query(
    `update replays as r
        set status = case when r.is_cancelling then 'cancelled' else 'failed' end,
            failure = case when r.is_cancelling then null else 'It ended the process that ran it, again and again.' end,
            is_cancelling = false, ended_at = $1, lease_until = null
      where r.status = 'running' and r.lease_until < $1 and (r.attempts >= $2 or r.is_cancelling)`,
    [now, attemptsMax],
  )
}
