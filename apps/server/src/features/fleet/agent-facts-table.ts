import type { Sql } from '../../kernel/db.ts'
import type { AssignmentSource, Dialect, Tags } from './agent.ts'

export type AgentFacts = { readonly runningHash: string | null; readonly dialect: Dialect | null }

export async function findAgentFacts(
  db: Sql,
  tenant: string,
  environment: string,
  agentId: string,
): Promise<AgentFacts | undefined> {
  const [row] = await db.query<AgentFacts>(
    `select a.running_hash as "runningHash", a.dialect from agents as a
      where a.tenant_id = $1 and a.environment = $2 and a.agent_id = $3`,
    [tenant, environment, agentId],
  )
  return row
}

/** Answers whether there is such an agent. What is not given stays. */
export async function updateAgentRow(
  tx: Sql,
  tenant: string,
  environment: string,
  agentId: string,
  change: { readonly displayName?: string | null | undefined; readonly tags?: Tags | undefined },
): Promise<boolean> {
  const rows = await tx.query(
    `update agents as a
        set display_name = case when $4 then $5 else a.display_name end, tags = coalesce($6::jsonb, a.tags)
      where a.tenant_id = $1 and a.environment = $2 and a.agent_id = $3
      returning a.agent_id`,
    [
      tenant,
      environment,
      agentId,
      change.displayName !== undefined,
      change.displayName ?? null,
      change.tags === undefined ? null : JSON.stringify(change.tags),
    ],
  )
  return rows.length > 0
}

export async function hasOpenStream(tx: Sql, tenant: string, environment: string, agentId: string): Promise<boolean> {
  const rows = await tx.query(
    `select s.id from agent_streams as s
      where s.tenant_id = $1 and s.environment = $2 and s.agent_id = $3 limit 1`,
    [tenant, environment, agentId],
  )
  return rows.length > 0
}

export async function deleteAgentRow(tx: Sql, tenant: string, environment: string, agentId: string): Promise<boolean> {
  const rows = await tx.query(
    `delete from agents as a where a.tenant_id = $1 and a.environment = $2 and a.agent_id = $3 returning a.agent_id`,
    [tenant, environment, agentId],
  )
  await tx.query(`delete from agent_history as h where h.tenant_id = $1 and h.environment = $2 and h.agent_id = $3`, [
    tenant,
    environment,
    agentId,
  ])
  return rows.length > 0
}

export type Registration = {
  readonly id: string
  readonly agentId: string
  readonly environment: string
  readonly displayName: string | null
  readonly tags: Tags
  readonly ruleset: string | null
  readonly rulesetSource: AssignmentSource
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

export function listRegistrations(db: Sql, tenant: string, agentId?: string): Promise<Registration[]> {
  return db.query<Registration>(
    `select a.id, a.agent_id as "agentId", a.environment, a.display_name as "displayName",
            a.reported_tags || a.tags as tags, a.ruleset, a.ruleset_source as "rulesetSource",
            a.first_seen_at as "firstSeenAt", a.last_seen_at as "lastSeenAt"
       from agents as a where a.tenant_id = $1 and ($2::text is null or a.agent_id = $2)
      order by a.agent_id, a.last_seen_at desc, a.environment`,
    [tenant, agentId ?? null],
  )
}
