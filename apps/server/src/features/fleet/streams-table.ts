import type { Sql } from '../../kernel/db.ts'

/** The open streams of one key, on every replica. */
export function listStreamsOfKey(
  db: Sql,
  tenant: string,
  keyId: string,
): Promise<{ readonly agentId: string; readonly environment: string }[]> {
  return db.query(
    `select s.agent_id as "agentId", s.environment from agent_streams as s
      where s.tenant_id = $1 and s.key_id = $2 order by s.environment, s.agent_id`,
    [tenant, keyId],
  )
}

/** A replica that has not said that it lives for longer than its beat is not waited for. */
const livingMs = 7_000

/** The other replicas that say that they live. */
export async function listLiveReplicas(db: Sql, except: string, now: Date): Promise<readonly string[]> {
  const rows = await db.query<{ id: string }>(
    `select r.id from replicas as r where r.id <> $1 and r.seen_at > $2 order by r.id`,
    [except, new Date(now.getTime() - livingMs)],
  )
  return rows.map(({ id }) => id)
}

/** Agents of the whole installation that have a stream on any replica. */
export async function countConnectedAgents(db: Sql): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select count(*) as count from (select distinct s.tenant_id, s.environment, s.agent_id from agent_streams as s) as agents`,
  )
  return row?.count ?? 0
}
