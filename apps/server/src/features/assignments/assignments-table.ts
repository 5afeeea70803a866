import type { Sql } from '../../kernel/db.ts'
import type { AssignmentRule, Tags } from './assignment.ts'

const columns = `a.id, a.priority, a.pattern, a.tag_match as "tagMatch", a.environment, a.ruleset`

export type RuleRow = AssignmentRule & {
  readonly madeBy: string
  readonly madeByEmail: string | null
  readonly madeAt: Date
  readonly changedAt: Date
  readonly isRolledOut: boolean
}

const isRolledOut = `exists (select from current_rollouts as c
  where c.tenant_id = a.tenant_id and c.environment = a.environment and c.ruleset = a.ruleset) as "isRolledOut"`

export function listRules(db: Sql, tenant: string): Promise<AssignmentRule[]> {
  return db.query<AssignmentRule>(
    `select ${columns} from assignment_rules as a where a.tenant_id = $1 order by a.priority`,
    [tenant],
  )
}

export function listRuleRows(db: Sql, tenant: string, environment?: string): Promise<RuleRow[]> {
  return db.query<RuleRow>(
    `select ${columns}, a.made_by as "madeBy", p.email as "madeByEmail", a.made_at as "madeAt",
            a.changed_at as "changedAt", ${isRolledOut}
       from assignment_rules as a left join principals as p on p.tenant_id = a.tenant_id and p.id = a.made_by
      where a.tenant_id = $1 and ($2::text is null or a.environment = $2)
      order by a.priority`,
    [tenant, environment ?? null],
  )
}

export async function findRuleForUpdate(tx: Sql, tenant: string, id: string): Promise<AssignmentRule | undefined> {
  const [row] = await tx.query<AssignmentRule>(
    `select ${columns} from assignment_rules as a where a.tenant_id = $1 and a.id = $2 for update`,
    [tenant, id],
  )
  return row
}

type Written = AssignmentRule & { readonly tenant: string; readonly at: Date }

export async function insertRule(tx: Sql, rule: Written & { readonly by: string }): Promise<void> {
  await tx.query(
    `insert into assignment_rules (tenant_id, id, priority, pattern, tag_match, environment, ruleset, made_by, made_at, changed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)`,
    [
      rule.tenant,
      rule.id,
      rule.priority,
      rule.pattern,
      tagsText(rule.tagMatch),
      rule.environment,
      rule.ruleset,
      rule.by,
      rule.at,
    ],
  )
}

export async function updateRule(tx: Sql, rule: Written): Promise<void> {
  await tx.query(
    `update assignment_rules as a
        set priority = $3, pattern = $4, tag_match = $5, environment = $6, ruleset = $7, changed_at = $8
      where a.tenant_id = $1 and a.id = $2`,
    [
      rule.tenant,
      rule.id,
      rule.priority,
      rule.pattern,
      tagsText(rule.tagMatch),
      rule.environment,
      rule.ruleset,
      rule.at,
    ],
  )
}

export async function deleteRule(tx: Sql, tenant: string, id: string): Promise<void> {
  await tx.query(`delete from assignment_rules as a where a.tenant_id = $1 and a.id = $2`, [tenant, id])
}

function tagsText(tags: Tags | null): string | null {
  return tags === null ? null : JSON.stringify(tags)
}

export type Explicit = { readonly environment: string; readonly agentId: string; readonly ruleset: string }

export function listExplicit(db: Sql, tenant: string): Promise<Explicit[]> {
  return db.query<Explicit>(
    `select a.environment, a.agent_id as "agentId", a.ruleset from agent_assignments as a where a.tenant_id = $1`,
    [tenant],
  )
}

export type ExplicitRow = Explicit & {
  readonly by: string
  readonly byEmail: string | null
  readonly at: Date
  readonly isRolledOut: boolean
}

export type ExplicitFilter = {
  readonly environment?: string | undefined
  readonly ruleset?: string | undefined
  /** The last one of the page before. */
  readonly after?: { readonly environment: string; readonly agentId: string } | undefined
}

export function listExplicitRows(
  db: Sql,
  tenant: string,
  filter: ExplicitFilter,
  limit: number,
): Promise<ExplicitRow[]> {
  return db.query<ExplicitRow>(
    `select a.environment, a.agent_id as "agentId", a.ruleset, a.made_by as by, p.email as "byEmail", a.made_at as at,
            ${isRolledOut}
       from agent_assignments as a left join principals as p on p.tenant_id = a.tenant_id and p.id = a.made_by
      where a.tenant_id = $1
        and ($2::text is null or a.environment = $2)
        and ($3::text is null or a.ruleset = $3)
        and ($4::text is null or (a.environment, a.agent_id) > ($4, $5))
      order by a.environment, a.agent_id limit $6`,
    [
      tenant,
      filter.environment ?? null,
      filter.ruleset ?? null,
      filter.after?.environment ?? null,
      filter.after?.agentId ?? '',
      limit,
    ],
  )
}

/** Answers which agents follow another ruleset by name now than before. */
export async function assignAgentRows(
  tx: Sql,
  to: { tenant: string; environment: string; agentIds: readonly string[]; ruleset: string; by: string; at: Date },
): Promise<readonly string[]> {
  const rows = await tx.query<{ agentId: string }>(
    `insert into agent_assignments as a (tenant_id, environment, agent_id, ruleset, made_by, made_at)
     select $1, $2, n.agent_id, $4, $5, $6 from unnest($3::text[]) as n (agent_id) order by n.agent_id
     on conflict (tenant_id, environment, agent_id) do update
        set ruleset = excluded.ruleset, made_by = excluded.made_by, made_at = excluded.made_at
      where a.ruleset <> excluded.ruleset
     returning a.agent_id as "agentId"`,
    [to.tenant, to.environment, to.agentIds, to.ruleset, to.by, to.at],
  )
  return rows.map(({ agentId }) => agentId)
}

export async function clearAgentRows(
  tx: Sql,
  tenant: string,
  environment: string,
  agentIds: readonly string[],
): Promise<readonly string[]> {
  const rows = await tx.query<{ agentId: string }>(
    `delete from agent_assignments as a
      where a.tenant_id = $1 and a.environment = $2 and a.agent_id = any($3::text[])
      returning a.agent_id as "agentId"`,
    [tenant, environment, agentIds],
  )
  return rows.map(({ agentId }) => agentId)
}

/** Answers whether the environment exists; it cannot be removed until the transaction ends. */
export async function holdEnvironment(tx: Sql, tenant: string, environment: string): Promise<boolean> {
  const rows = await tx.query(
    `select e.name from environments as e where e.tenant_id = $1 and e.name = $2 for key share`,
    [tenant, environment],
  )
  return rows.length > 0
}

export async function rulesetExists(db: Sql, tenant: string, name: string): Promise<boolean> {
  const rows = await db.query(`select s.name from rulesets as s where s.tenant_id = $1 and s.name = $2`, [tenant, name])
  return rows.length > 0
}

export type KnownAgent = {
  readonly environment: string
  readonly agentId: string
  readonly tags: Tags
  readonly reportedTags: Tags
  readonly asked: string | null
  readonly isConnected: boolean
}

const agentColumns = `g.environment, g.agent_id as "agentId", g.tags, g.reported_tags as "reportedTags",
  g.asked_ruleset as asked, g.online_since is not null as "isConnected"`

/** Connected ones first. */
export function listKnownAgents(db: Sql, tenant: string, environments: readonly string[]): Promise<KnownAgent[]> {
  return db.query<KnownAgent>(
    `select ${agentColumns} from agents as g
      where g.tenant_id = $1 and g.environment = any($2::text[])
      order by g.online_since is null, g.environment, g.agent_id`,
    [tenant, environments],
  )
}

export async function findKnownAgent(
  db: Sql,
  tenant: string,
  environment: string,
  agentId: string,
): Promise<KnownAgent | undefined> {
  const [row] = await db.query<KnownAgent>(
    `select ${agentColumns} from agents as g where g.tenant_id = $1 and g.environment = $2 and g.agent_id = $3`,
    [tenant, environment, agentId],
  )
  return row
}

/** The environments each of these agents was seen in, or was given a ruleset in before it was. */
export function listEnvironmentsOfAgents(
  db: Sql,
  tenant: string,
  agentIds: readonly string[],
): Promise<{ readonly environment: string; readonly agentId: string }[]> {
  return db.query(
    `select g.environment, g.agent_id as "agentId" from agents as g
      where g.tenant_id = $1 and g.agent_id = any($2::text[])
     union
     select a.environment, a.agent_id from agent_assignments as a
      where a.tenant_id = $1 and a.agent_id = any($2::text[])
      order by 1, 2`,
    [tenant, agentIds],
  )
}
