import type { Bus } from '../../kernel/bus.ts'
import type { Db, Tx } from '../../kernel/db.ts'
import { notFound, Problem, problems } from '../../kernel/problem.ts'
import { type Caller, demand, type RequestFacts } from '../roles/index.ts'
import { actorOf, type RecordAct } from '../trail/index.ts'
import type { Tags } from './agent.ts'
import { deleteAgentRow, hasOpenStream, listRegistrations, updateAgentRow } from './agent-facts-table.ts'
import type { WriteDown } from './write-down.ts'

type Needs = {
  readonly db: Db
  readonly recordAct: RecordAct
  readonly bus: Pick<Bus, 'announce'>
  readonly writeDown: WriteDown
}

export type AgentChange = { readonly displayName?: string | null | undefined; readonly tags?: Tags | undefined }

/** What people may say of agents. Tags decide which rules match, so connected agents are looked up anew. */
export function changeAgents({ db, recordAct, bus, writeDown }: Needs) {
  const tell = async (
    tx: Tx,
    who: Caller,
    act: 'agent.changed' | 'agent.removed',
    place: { readonly environment: string; readonly agentId: string },
    facts: RequestFacts,
    details: Readonly<Record<string, string | Tags | null>>,
  ): Promise<void> => {
    const { environment, agentId } = place
    await recordAct(tx, {
      ...actorOf(who),
      tenant: who.tenant,
      act,
      subject: { kind: 'agent', id: agentId },
      request: facts,
      details: { environment, ...details },
    })
    const body = { environment, agent_id: agentId }
    await bus.announce(tx, { topic: 'agent.changed', tenant: who.tenant, body })
  }

  const change = async (
    tx: Tx,
    who: Caller,
    place: { readonly environment: string; readonly agentId: string },
    { displayName, tags }: AgentChange,
    facts: RequestFacts,
  ): Promise<void> => {
    const { environment, agentId } = place
    demand(who, 'fleet:manage', { environment })
    if (!(await updateAgentRow(tx, who.tenant, environment, agentId, { displayName, tags }))) throw notFound('agent')
    await tell(tx, who, 'agent.changed', place, facts, {
      ...(displayName !== undefined && { display_name: displayName }),
      ...(tags !== undefined && { tags }),
    })
  }

  return {
    change: async (
      who: Caller,
      environment: string,
      agentId: string,
      wanted: AgentChange,
      facts: RequestFacts,
    ): Promise<void> => {
      demand(who, 'fleet:manage', { environment })
      await writeDown(who.tenant, [agentId])
      await db.inTx((tx) => change(tx, who, { environment, agentId }, wanted, facts))
    },

    /** As older clients mean it, who know no environment here: wherever the agent was seen. */
    changeEverywhere: async (who: Caller, agentId: string, wanted: AgentChange, facts: RequestFacts): Promise<void> => {
      await writeDown(who.tenant, [agentId])
      await db.inTx(async (tx) => {
        for (const { environment } of await listRegistrations(tx, who.tenant, agentId)) {
          await change(tx, who, { environment, agentId }, wanted, facts)
        }
      })
    },

    /** Forgets an agent that is gone. One that comes back is a new one. */
    remove: async (who: Caller, environment: string, agentId: string, facts: RequestFacts): Promise<void> => {
      demand(who, 'fleet:manage', { environment })
      await writeDown(who.tenant, [agentId])
      await db.inTx(async (tx) => {
        if (await hasOpenStream(tx, who.tenant, environment, agentId)) {
          throw new Problem(
            problems.conflict,
            `${agentId} has a stream open and would be back at once. Stop it, or revoke its key, then remove it.`,
          )
        }
        if (!(await deleteAgentRow(tx, who.tenant, environment, agentId))) throw notFound('agent')
        await tell(tx, who, 'agent.removed', { environment, agentId }, facts, {})
      })
    },
  }
}

export type ChangeAgents = ReturnType<typeof changeAgents>
