import type { Sql } from '../../kernel/db.ts'
import type { Dialect } from './agent.ts'

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
