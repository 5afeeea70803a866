import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { type Caller, demand, type RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import {
  assignAgentRows,
  clearAgentRows,
  holdEnvironment,
  listEnvironmentNames,
  listEnvironmentsOfAgents,
} from './assignments-table.ts'

type Needs = {
  readonly db: Db
  readonly clock: { readonly now: () => Date }
  readonly recordAct: RecordAct
  readonly tell: { readonly bus: Pick<Bus, 'announce'>; readonly forget: (tenant: string) => void }
  /** Whether an agent was heard of whose row is not written yet. */
  readonly isNoted: (name: {
    readonly tenant: string
    readonly environment: string
    readonly agentId: string
  }) => boolean
}

export type AssignAgents = ReturnType<typeof assignAgents>

/** What one entry of the trail can name; a larger act is written as several. */
const namedMax = 100

/** Gives agents a ruleset by name, or with null lets them follow the rules again. Answers how many changed. */
export function assignAgents({ db, clock, recordAct, tell: { bus, forget }, isNoted }: Needs) {
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

  // An agent that connected this moment has no row yet, and is assigned like any other.
  const placesOf = async (tx: Tx, tenant: string, agentIds: readonly string[]) => {
    const places = new Map<string, Set<string>>()
    const add = (environment: string, agentId: string): void => {
      places.set(environment, (places.get(environment) ?? new Set()).add(agentId))
    }
    for (const environment of await listEnvironmentNames(tx, tenant)) {
      for (const agentId of agentIds) if (isNoted({ tenant, environment, agentId })) add(environment, agentId)
    }
    for (const { environment, agentId } of await listEnvironmentsOfAgents(tx, tenant, agentIds))
      add(environment, agentId)
    return places
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
    everywhere: (
      who: Caller,
      agentIds: readonly string[],
      ruleset: string | null,
      facts: RequestFacts,
    ): Promise<number> =>
      db.inTx(async (tx) => {
        const places = await placesOf(tx, who.tenant, agentIds)
        for (const [environment, ids] of places) await assign(tx, who, environment, [...ids], ruleset, facts)
        return new Set([...places.values()].flatMap((ids) => [...ids])).size
      }),
  }
}
