import type { LibraryRule } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'

export type RuleType = LibraryRule['type']

/** One version of a reusable rule. */
export type RuleVersion = {
  readonly id: string
  readonly ruleId: string
  readonly version: number
  readonly type: RuleType
  readonly name: string
  readonly description: string | null
  readonly tags: readonly string[]
  readonly texts: { readonly ruleset: string; readonly contractBundle: string }
  readonly definition: unknown
  readonly latestVersion: number
  readonly usageCount: number
  readonly madeBy: string
  readonly madeByEmail: string | null
  readonly madeAt: Date
}

export type NewVersion = Pick<
  RuleVersion,
  'id' | 'ruleId' | 'version' | 'type' | 'name' | 'description' | 'tags' | 'texts' | 'definition' | 'madeBy' | 'madeAt'
> & { readonly tenant: string }

/** Makes the id, or answers false when it is taken. */
export async function insertRule(tx: Sql, tenant: string, ruleId: string, madeAt: Date): Promise<boolean> {
  const rows = await tx.query(
    `insert into library_rules as r (tenant_id, rule_id, latest_version, made_at) values ($1, $2, 1, $3)
     on conflict (tenant_id, rule_id) do nothing returning r.rule_id`,
    [tenant, ruleId, madeAt],
  )
  return rows.length > 0
}

/** Counts the versions up in the row itself: racing changes wait for each other and none is lost. */
export async function nextRuleVersion(tx: Sql, tenant: string, ruleId: string): Promise<number | undefined> {
  const [row] = await tx.query<{ version: number }>(
    `update library_rules as r set latest_version = r.latest_version + 1
      where r.tenant_id = $1 and r.rule_id = $2 returning r.latest_version as version`,
    [tenant, ruleId],
  )
  return row?.version
}

export async function insertVersion(tx: Sql, one: NewVersion): Promise<void> {
  await tx.query(
    `insert into library_rule_versions (tenant_id, rule_id, version, id, type, name, description, tags, ruleset_text,
       contract_bundle_text, contract_bundle_definition, made_by, made_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      one.tenant,
      one.ruleId,
      one.version,
      one.id,
      one.type,
      one.name,
      one.description,
      one.tags,
      one.texts.ruleset,
      one.texts.contractBundle,
      JSON.stringify(one.definition),
      one.madeBy,
      one.madeAt,
    ],
  )
}

const columns = `v.id, v.rule_id as "ruleId", v.version, v.type, v.name, v.description, v.tags,
  jsonb_build_object('ruleset', v.ruleset_text, 'contractBundle', v.contract_bundle_text) as texts,
  v.contract_bundle_definition as definition, r.latest_version as "latestVersion",
  (select count(distinct i.composition) from composition_items as i
    where i.tenant_id = v.tenant_id and i.rule_id = v.rule_id)::int8 as "usageCount",
  v.made_by as "madeBy", p.email as "madeByEmail", v.made_at as "madeAt"`
const from = `library_rules as r
  join library_rule_versions as v on v.tenant_id = r.tenant_id and v.rule_id = r.rule_id
  left join principals as p on p.tenant_id = v.tenant_id and p.id = v.made_by`

/** A version of a rule, the newest unless told. */
export async function findRuleVersion(
  db: Sql,
  tenant: string,
  ruleId: string,
  version?: number,
): Promise<RuleVersion | undefined> {
  const [row] = await db.query<RuleVersion>(
    `select ${columns} from ${from}
      where r.tenant_id = $1 and r.rule_id = $2 and v.version = coalesce($3, r.latest_version)`,
    [tenant, ruleId, version ?? null],
  )
  return row
}

export type RuleFilter = {
  readonly type?: RuleType | undefined
  readonly tag?: string | undefined
  readonly text?: string | undefined
  /** By id: behind this one. */
  readonly after?: string | undefined
}

const conditions = `r.tenant_id = $1 and v.version = r.latest_version and ($2::text is null or v.type = $2)
  and ($3::text is null or $3 = any(v.tags))
  and ($4::text is null or v.rule_id ilike $4 or v.name ilike $4 or v.description ilike $4)`

function valuesOf(tenant: string, { type, tag, text }: RuleFilter): unknown[] {
  const like = text === undefined || text === '' ? null : `%${text.replace(/[\\%_]/g, '\\$&').replaceAll('\0', '')}%`
  return [tenant, type ?? null, tag ?? null, like]
}

/** The newest version of every rule that fits, by id. */
export function listRules(db: Sql, tenant: string, filter: RuleFilter, limit: number): Promise<RuleVersion[]> {
  return db.query<RuleVersion>(
    `select ${columns} from ${from} where ${conditions} and ($5::text is null or v.rule_id collate "C" > $5)
      order by v.rule_id collate "C" limit $6`,
    [...valuesOf(tenant, filter), filter.after ?? null, limit],
  )
}

export async function countRules(db: Sql, tenant: string, filter: RuleFilter): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*)::int8 as count from ${from} where ${conditions}`,
    valuesOf(tenant, filter),
  )
  return row?.count ?? 0
}

export type VersionMark = Pick<RuleVersion, 'version' | 'madeBy' | 'madeByEmail' | 'madeAt'>

/** Newest first. */
export function listVersions(db: Sql, tenant: string, ruleId: string): Promise<VersionMark[]> {
  return db.query<VersionMark>(
    `select v.version, v.made_by as "madeBy", p.email as "madeByEmail", v.made_at as "madeAt"
       from library_rule_versions as v left join principals as p on p.tenant_id = v.tenant_id and p.id = v.made_by
      where v.tenant_id = $1 and v.rule_id = $2 order by v.version desc limit 500`,
    [tenant, ruleId],
  )
}

export type RuleUse = { readonly composition: string; readonly compositionId: string; readonly version: number }

/** Compositions that use any version of a rule. */
export function listUses(db: Sql, tenant: string, ruleId: string): Promise<RuleUse[]> {
  return db.query<RuleUse>(
    `select i.composition, c.id as "compositionId", min(i.version) as version
       from composition_items as i
       join compositions as c on c.tenant_id = i.tenant_id and c.name = i.composition
      where i.tenant_id = $1 and i.rule_id = $2
      group by i.composition, c.id order by i.composition`,
    [tenant, ruleId],
  )
}

/** With all its versions. A composition that uses one keeps the database from it. */
export async function deleteRule(tx: Sql, tenant: string, ruleId: string): Promise<boolean> {
  const rows = await tx.query(
    `delete from library_rules as r where r.tenant_id = $1 and r.rule_id = $2 returning r.rule_id`,
    [tenant, ruleId],
  )
  return rows.length > 0
}
