import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { type Caller, demand, type RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import { assignAgentRows, clearAgentRows, holdEnvironment, listEnvironmentsOfAgents } from './assignments-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly recordAct: RecordAct
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly forget: (tenant: string) => void }
  /** Has agents that were heard of this moment, on whatever replica, written down. */
  readonly writeDown: (tenant: string, agentIds: readonly string[]) => Promise<void>
}

export type AssignAgents = ReturnType<typeof assignAgents>

/** What one entry of the trail can name; a larger act is written as several. */
const namedMax = 100

/** Gives agents a ruleset by name, or with null lets them follow the rules again. Answers how many changed. */
export function assignAgents({ db, clock, recordAct, tell: { bus, forget }, writeDown }: Needs) {
  const assign = async (
    tx: Tx,
    who: Caller,
    environment: string,
    agentIds: readonly string[],
    ruleset: string | null,
    facts: RequestFacts,
  ): Promise<number> => {
    const { tenant } = who
    demand(who, 'assignments:write', { environment })
    if (!(await holdEnvironment(tx, tenant, environment))) {
      throw invalidInput('body.environment', `There is no environment ${environment}.`)
    }
    const changed =
      ruleset === null
        ? await clearAgentRows(tx, tenant, environment, agentIds)
        : await assignAgentRows(tx, { tenant, environment, agentIds, ruleset, by: who.id, at: clock.now() })
    for (let from = 0; from < changed.length; from += namedMax) {
      const some = changed.slice(from, from + namedMax)
      await recordAct(tx, {
        ...actorOf(who),
        tenant,
        act: ruleset === null ? 'assignment.cleared' : 'assignment.made',
        subject: { kind: 'ruleset', id: ruleset ?? '-' },
        request: facts,
        details: { environment, agents: some, ruleset },
      })
      await bus.announce(tx, {
        topic: 'assignment.changed',
        tenant,
        body: { environment, agent_ids: some, ruleset },
      })
    }
    if (changed.length > 0) tx.afterCommit(() => forget(tenant))
    return changed.length
  }

  return {
    inEnvironment: (
      who: Caller,
      environment: string,
      agentIds: readonly string[],
      ruleset: string | null,
      facts: RequestFacts,
    ): Promise<number> => db.inTx((tx) => assign(tx, who, environment, agentIds, ruleset, facts)),

    /**
     * As older clients mean it, who know no environment here: wherever each agent was seen. Answers how many of them
     * were seen anywhere.
     */
    everywhere: async (
      who: Caller,
      agentIds: readonly string[],
      ruleset: string | null,
      facts: RequestFacts,
    ): Promise<number> => {
      await writeDown(who.tenant, agentIds)
      return db.inTx(async (tx) => {
        const places = await listEnvironmentsOfAgents(tx, who.tenant, agentIds)
        for (const [environment, here] of Map.groupBy(places, (place) => place.environment)) {
          const ids = here.map(({ agentId }) => agentId)
          await assign(tx, who, environment, ids, ruleset, facts)
        }
        return new Set(places.map(({ agentId }) => agentId)).size
      })
    },
  }
}
