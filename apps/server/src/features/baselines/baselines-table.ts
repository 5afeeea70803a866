import type { Baseline } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'

/** What every other ruleset of an environment includes, in order. */
export async function findBaselines(db: Sql, tenant: string, environment: string): Promise<readonly Baseline[]> {
  const [row] = await db.query<{ baselines: readonly Baseline[] }>(
    `select b.baselines from environment_baselines as b where b.tenant_id = $1 and b.environment = $2`,
    [tenant, environment],
  )
  return row?.baselines ?? []
}

/** Answers false when there is no such environment. */
export async function writeBaselines(
  tx: Sql,
  tenant: string,
  environment: string,
  baselines: readonly Baseline[],
  by: string,
  at: Date,
): Promise<boolean> {
  const rows = await tx.query(
    `insert into environment_baselines as b (tenant_id, environment, baselines, changed_by, changed_at)
     select e.tenant_id, e.name, $3, $4, $5 from environments as e where e.tenant_id = $1 and e.name = $2
     on conflict (tenant_id, environment) do update
       set baselines = excluded.baselines, changed_by = excluded.changed_by, changed_at = excluded.changed_at
     returning b.environment`,
    [tenant, environment, JSON.stringify(baselines), by, at],
  )
  return rows.length > 0
}

export type Origin = { readonly fromVersion: number; readonly baselines: readonly Baseline[] }

/** What a revision was made of; a revision as its author uploaded it has no origin. */
export async function findOrigin(
  db: Sql,
  tenant: string,
  ruleset: string,
  version: number,
): Promise<Origin | undefined> {
  const [row] = await db.query<Origin>(
    `select b.from_version as "fromVersion", b.baselines from baseline_revisions as b
      where b.tenant_id = $1 and b.ruleset = $2 and b.version = $3`,
    [tenant, ruleset, version],
  )
  return row
}

/** The revision that is made of this one with these baselines, when there is one. */
export async function findMade(
  db: Sql,
  tenant: string,
  ruleset: string,
  { fromVersion, baselines }: Origin,
): Promise<number | undefined> {
  const [row] = await db.query<{ version: number }>(
    `select b.version from baseline_revisions as b
      where b.tenant_id = $1 and b.ruleset = $2 and b.from_version = $3 and b.baselines = $4::jsonb
      order by b.version desc limit 1`,
    [tenant, ruleset, fromVersion, JSON.stringify(baselines)],
  )
  return row?.version
}

export async function insertMade(
  db: Sql,
  tenant: string,
  ruleset: string,
  version: number,
  { fromVersion, baselines }: Origin,
): Promise<void> {
  await db.query(
    `insert into baseline_revisions (tenant_id, ruleset, version, from_version, baselines) values ($1, $2, $3, $4, $5)
     on conflict (tenant_id, ruleset, version) do nothing`,
    [tenant, ruleset, version, fromVersion, JSON.stringify(baselines)],
  )
}
