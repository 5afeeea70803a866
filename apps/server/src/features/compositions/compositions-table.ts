import type { Sql } from '../../kernel/db.ts'
import type { Composition, CompositionItem, Mode, PlacedItem } from './composition.ts'

const columns = `c.id, c.name, c.description, c.default_mode as "defaultMode", c.tools, c.observability, c.edit,
  (select count(*) from composition_items as i
    where i.tenant_id = c.tenant_id and i.composition = c.name)::int8 as "ruleCount",
  (select count(*) from composition_items as i
     join library_rules as r on r.tenant_id = i.tenant_id and r.rule_id = i.rule_id
    where i.tenant_id = c.tenant_id and i.composition = c.name and r.latest_version > i.version)::int8 as "newerVersions",
  c.made_by as "madeBy", m.email as "madeByEmail", c.changed_by as "changedBy", p.email as "changedByEmail",
  c.changed_at as "changedAt"`
const from = `compositions as c
  left join principals as m on m.tenant_id = c.tenant_id and m.id = c.made_by
  left join principals as p on p.tenant_id = c.tenant_id and p.id = c.changed_by`

export function listCompositions(
  db: Sql,
  tenant: string,
  after: string | undefined,
  limit: number,
): Promise<Composition[]> {
  return db.query<Composition>(
    `select ${columns} from ${from} where c.tenant_id = $1 and ($2::text is null or c.name collate "C" > $2)
      order by c.name collate "C" limit $3`,
    [tenant, after ?? null, limit],
  )
}

export async function findComposition(db: Sql, tenant: string, name: string): Promise<Composition | undefined> {
  const [row] = await db.query<Composition>(`select ${columns} from ${from} where c.tenant_id = $1 and c.name = $2`, [
    tenant,
    name,
  ])
  return row
}

export function listItems(db: Sql, tenant: string, name: string): Promise<CompositionItem[]> {
  return db.query<CompositionItem>(
    `select i.rule_id as "ruleId", i.version, i.mode, i.is_enabled as "isEnabled", i.position, v.name, v.type,
            v.ruleset_text as text, r.latest_version as "latestVersion"
       from composition_items as i
       join library_rule_versions as v
         on v.tenant_id = i.tenant_id and v.rule_id = i.rule_id and v.version = i.version
       join library_rules as r on r.tenant_id = i.tenant_id and r.rule_id = i.rule_id
      where i.tenant_id = $1 and i.composition = $2 order by i.position`,
    [tenant, name],
  )
}

type Words = {
  readonly description: string | null
  readonly defaultMode: Mode
  readonly tools: unknown
  readonly observability: unknown
}

/** Answers false when the name is taken. */
export async function insertComposition(
  tx: Sql,
  one: Words & {
    readonly tenant: string
    readonly id: string
    readonly name: string
    readonly by: string
    readonly at: Date
  },
): Promise<boolean> {
  const rows = await tx.query(
    `insert into compositions as c (tenant_id, name, id, description, default_mode, tools, observability, edit, made_by,
       made_at, changed_by, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9, $8, $9)
     on conflict (tenant_id, name) do nothing returning c.name`,
    [
      one.tenant,
      one.name,
      one.id,
      one.description,
      one.defaultMode,
      json(one.tools),
      json(one.observability),
      one.by,
      one.at,
    ],
  )
  return rows.length > 0
}

/** Only as it was read: undefined when somebody changed it meanwhile, or it is gone. */
export async function updateComposition(
  tx: Sql,
  tenant: string,
  name: string,
  expectedEdit: number,
  words: Words & { readonly by: string; readonly at: Date },
): Promise<boolean> {
  const rows = await tx.query(
    `update compositions as c
        set description = $4, default_mode = $5, tools = $6, observability = $7, changed_by = $8, changed_at = $9,
            edit = c.edit + 1
      where c.tenant_id = $1 and c.name = $2 and c.edit = $3
     returning c.name`,
    [
      tenant,
      name,
      expectedEdit,
      words.description,
      words.defaultMode,
      json(words.tools),
      json(words.observability),
      words.by,
      words.at,
    ],
  )
  return rows.length > 0
}

export async function replaceItems(tx: Sql, tenant: string, name: string, items: readonly PlacedItem[]): Promise<void> {
  await tx.query(`delete from composition_items as i where i.tenant_id = $1 and i.composition = $2`, [tenant, name])
  await tx.query(
    `insert into composition_items (tenant_id, composition, position, rule_id, version, mode, is_enabled)
     select $1, $2, i.position, i.rule_id, i.version, i.mode, i.is_enabled
       from unnest($3::int[], $4::text[], $5::int[], $6::text[], $7::boolean[])
         as i (position, rule_id, version, mode, is_enabled)`,
    [
      tenant,
      name,
      items.map(({ position }) => position),
      items.map(({ ruleId }) => ruleId),
      items.map(({ version }) => version),
      items.map(({ mode }) => mode),
      items.map(({ isEnabled }) => isEnabled),
    ],
  )
}

export async function deleteComposition(tx: Sql, tenant: string, name: string): Promise<boolean> {
  const rows = await tx.query(`delete from compositions as c where c.tenant_id = $1 and c.name = $2 returning c.name`, [
    tenant,
    name,
  ])
  return rows.length > 0
}

/** The newest versions of these rules; those that are not there are missing. Holds them until the end of the transaction. */
export async function holdRules(tx: Sql, tenant: string, ruleIds: readonly string[]): Promise<Map<string, number>> {
  const rows = await tx.query<{ ruleId: string; version: number }>(
    `select r.rule_id as "ruleId", r.latest_version as version from library_rules as r
      where r.tenant_id = $1 and r.rule_id = any($2) order by r.rule_id for share`,
    [tenant, ruleIds],
  )
  return new Map(rows.map(({ ruleId, version }) => [ruleId, version]))
}

function json(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value)
}
