import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import type { AgentName } from './agent.ts'
import type { FleetReader } from './read-fleet.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly bus: Pick<Bus, 'announce'>
  readonly fleet: Pick<FleetReader, 'page'>
}

const pageSize = 1_000
const namedMax = 20

/**
 * Periodic work: announces agents that have begun to run another revision than is rolled out for them, once, whichever
 * replica looks first; one that became current and drifts anew is announced anew.
 */
export function tellDrift({ db, clock, bus, fleet }: Needs): () => Promise<void> {
  const drifting = async (tenant: string): Promise<readonly Pick<AgentName, 'environment' | 'agentId'>[]> => {
    const found: Pick<AgentName, 'environment' | 'agentId'>[] = []
    for (;;) {
      const after = found.at(-1)
      const page = await fleet.page(tenant, {}, { status: 'drifting', limit: pageSize, ...(after && { after }) })
      found.push(...page.map(({ environment, agentId }) => ({ environment, agentId })))
      if (page.length < pageSize) return found
    }
  }

  return async () => {
    const tenants = await db.query<{ id: string }>(`select t.id from tenants as t order by t.id`)
    for (const { id: tenant } of tenants) {
      const names = await drifting(tenant)
      await db.inTx(async (tx) => {
        const told = await markDrifting(tx, tenant, names, clock.now())
        if (told.length === 0) return
        const body = {
          count: told.length,
          agent_ids: told.slice(0, namedMax).map(({ agentId }) => agentId),
          environments: [...new Set(told.map(({ environment }) => environment))],
        }
        await bus.announce(tx, { topic: 'agent.drifting', tenant, body })
      })
    }
  }
}

/** Those of the names that were not told of yet. All others of the tenant drift no more. */
async function markDrifting(
  tx: Tx,
  tenant: string,
  names: readonly Pick<AgentName, 'environment' | 'agentId'>[],
  now: Date,
): Promise<readonly Pick<AgentName, 'environment' | 'agentId'>[]> {
  const given = [tenant, names.map(({ environment }) => environment), names.map(({ agentId }) => agentId)]
  await tx.query(
    `update agents as a set drift_told_at = null
      where a.tenant_id = $1 and a.drift_told_at is not null
        and not exists (select from unnest($2::text[], $3::text[]) as n (environment, agent_id)
                         where n.environment = a.environment and n.agent_id = a.agent_id)`,
    given,
  )
  return tx.query(
    `update agents as a set drift_told_at = $4
       from unnest($2::text[], $3::text[]) as n (environment, agent_id)
      where a.tenant_id = $1 and a.environment = n.environment and a.agent_id = n.agent_id and a.drift_told_at is null
      returning a.environment, a.agent_id as "agentId"`,
    [...given, now],
  )
}
