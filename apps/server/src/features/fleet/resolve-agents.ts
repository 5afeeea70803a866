import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Bus } from '../../kernel/bus.ts'
import type { Db } from '../../kernel/db.ts'
import type { Log } from '../../kernel/log.ts'
import type { AgentName, AssignmentSource, Tags } from './agent.ts'
import { listForAssignment, type Resolvable } from './agents-table.ts'
import type { Notebook } from './notebook.ts'

export type ResolveAssignment = (
  tenant: string,
  ask: {
    readonly environment: string
    readonly agentId: string
    readonly tags: Tags
    readonly asked?: string | undefined
  },
) => Promise<{
  readonly ruleset: string | null
  readonly source: AssignmentSource
  readonly ruleId?: string
  readonly rulePattern?: string
}>

type Needs = {
  readonly db: Db
  readonly bus: Pick<Bus, 'on'>
  readonly log: Log
  readonly notebook: Notebook
  readonly resolveAssignment: ResolveAssignment
}

/** So many are resolved before others have a turn. */
const turnMax = 500

/**
 * Keeps what is meant for each agent in its row, connected or not, when assignments change and when an agent is first
 * heard of, so that status is one question to the database. Every replica does it; the row that says so already is not
 * written again.
 */
export function resolveAgents({ db, bus, log, notebook, resolveAssignment }: Needs): {
  /** All there are, for what no message told of. */
  readonly resolveAll: () => Promise<void>
} {
  const wanted = new Set<string>()
  let isRunning = false

  const resolve = async (tenant: string): Promise<void> => {
    await resolveEach(tenant, await listForAssignment(db, tenant), () => false)
  }

  const resolveEach = async (
    tenant: string,
    agents: readonly Resolvable[],
    isOvertaken: (agentId: string) => boolean,
  ): Promise<void> => {
    for (const [n, agent] of agents.entries()) {
      const { environment, agentId } = agent
      const ask = {
        environment,
        agentId,
        tags: { ...agent.tags, ...agent.reportedTags },
        asked: agent.askedRuleset ?? undefined,
      }
      const { ruleset, source, ruleId = null } = await resolveAssignment(tenant, ask)
      if (isOvertaken(agentId)) continue
      const name = { tenant, environment, agentId }
      // What is about to be written counts, or a change that is taken back at once would stay.
      const pending = notebook.unwritten(name)?.assignment
      const known = pending ?? { ruleset: agent.ruleset, source: agent.rulesetSource }
      if (ruleset !== known.ruleset || source !== known.source) {
        notebook.note(name, { assignment: { ruleset, source, ruleId } })
      }
      if (n % turnMax === turnMax - 1) await nextTurn()
    }
  }

  const work = async (): Promise<void> => {
    if (isRunning) return
    isRunning = true
    try {
      for (const tenant of wanted) {
        wanted.delete(tenant)
        // One that connected this moment has its row before the rows are gone through.
        await notebook.write()
        await resolve(tenant)
      }
    } catch (err) {
      log.warn({ err }, 'What is meant for agents could not be worked out anew; it is as they connect')
    } finally {
      isRunning = false
    }
    if (wanted.size > 0) await work()
  }

  const resolveNewcomers = async (names: readonly AgentName[]): Promise<void> => {
    for (const here of Map.groupBy(names, ({ tenant, environment }) => `${tenant} ${environment}`).values()) {
      const [first] = here
      if (!first) continue
      // One that connects meanwhile says what it asks for, which its row did not say yet.
      const watches = new Map(here.map((name) => [name.agentId, notebook.watchAssignment(name)]))
      try {
        const agents = await listForAssignment(db, first.tenant, first.environment, [...watches.keys()])
        await resolveEach(first.tenant, agents, (agentId) => watches.get(agentId)?.() ?? false)
      } finally {
        for (const end of watches.values()) end()
      }
    }
  }
  notebook.onNewcomers((names) => {
    resolveNewcomers(names).catch((err: unknown) => {
      log.warn({ err }, 'What is meant for new agents could not be worked out; the next round over all of them does it')
    })
  })

  for (const topic of ['assignment.changed', 'agent.changed', 'settings.changed']) {
    bus.on(topic, ({ tenant, body }) => {
      if (tenant === null || (topic === 'settings.changed' && body['name'] !== 'assignments.order')) return
      wanted.add(tenant)
      // What is kept of assignments hears the same news first.
      queueMicrotask(() => void work())
    })
  }
  return {
    resolveAll: async () => {
      const tenants = await db.query<{ id: string }>(`select t.id from tenants as t order by t.id`)
      for (const { id } of tenants) await resolve(id)
    },
  }
}
