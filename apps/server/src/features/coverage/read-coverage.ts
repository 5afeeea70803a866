import type { AgentCoverage, AgentCoverageRow, CoveredTool, FleetCoverage } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import type { Events } from '../events/index.ts'
import type { Cover, CoverOrder, ReadRulesets } from '../rulesets/index.ts'
import { type KnownAgent, listKnownAgents, listRunRevisions, type RunRevision } from './coverage-table.ts'

type Needs = {
  readonly db: Sql
  readonly clock: { readonly now: () => Date }
  readonly events: Pick<Events, 'scope' | 'usedTools'>
  readonly read: Pick<ReadRulesets, 'cover'>
}

type Used = Awaited<ReturnType<Events['usedTools']>>[number]

/** One agent with all its tools; what lists and older clients show is made of it. */
export type CoveredAgent = {
  readonly agent: KnownAgent
  readonly source: AgentCoverageRow['source']
  readonly revision: RunRevision | undefined
  readonly tools: readonly (CoveredTool & { readonly used: Used | undefined })[]
  readonly sessionLimits: Cover['sessionLimits']
}

export type Window = { readonly since: Date; readonly until: Date }

/** A fleet this large is looked at in full; beyond it the agents last seen are. */
const agentsMax = 20_000
const shownAgentsMax = 1_000
const shownToolsMax = 200
const namedAgentsMax = 20
export const usualWindowMs = 24 * 3_600_000

export type ReadCoverage = ReturnType<typeof readCoverage>

/** What every agent's tools are governed by: the rules of the very revision it was last seen to run. */
export function readCoverage({ db, clock, events, read }: Needs) {
  const windowOf = (since: Date | undefined): Window => {
    const until = clock.now()
    return { since: since ?? new Date(until.getTime() - usualWindowMs), until }
  }

  const agents = async (
    tenant: string,
    { since, until }: Window,
    environment: string | undefined,
    agentId?: string,
  ): Promise<readonly CoveredAgent[]> => {
    const filter = {
      ...(environment === undefined ? {} : { environment: [environment] }),
      ...(agentId === undefined || agentId.includes('*') ? {} : { agent: [agentId] }),
    }
    const scope = {
      ...(await events.scope(tenant, filter)),
      since: since.getTime() * 1_000,
      until: until.getTime() * 1_000 + 60_000_000,
    }
    const [known, used] = await Promise.all([
      listKnownAgents(db, tenant, environment, agentId, agentsMax),
      events.usedTools(scope),
    ])
    const hashes = [...new Set(known.flatMap(({ runningHash }) => runningHash ?? []))]
    const revisions = new Map((await listRunRevisions(db, tenant, hashes)).map((one) => [one.hash, one]))
    const byAgent = Map.groupBy(used, (one) => keyOf(one.environment, one.agent))
    const covers = await coverAll(tenant, known, revisions, byAgent)
    return known.map((agent) => {
      const revision = agent.runningHash === null ? undefined : revisions.get(agent.runningHash)
      const cover = covers.get(placeOf(agent, revision))
      const tools = byAgent.get(keyOf(agent.environment, agent.agentId)) ?? []
      return coveredAgent(agent, revision, tools, cover)
    })
  }

  /** One look at each revision for all agents that run it, at each report for its agent. */
  const coverAll = async (
    tenant: string,
    known: readonly KnownAgent[],
    revisions: ReadonlyMap<string, RunRevision>,
    byAgent: ReadonlyMap<string, readonly Used[]>,
  ): Promise<ReadonlyMap<string, Cover>> => {
    const orders = new Map<string, { readonly rules: CoverOrder['rules']; readonly tools: Set<string> }>()
    for (const agent of known) {
      const revision = agent.runningHash === null ? undefined : revisions.get(agent.runningHash)
      const rules: CoverOrder['rules'] = revision
        ? { is: 'text', text: revision.text }
        : { is: 'reported', rules: agent.manifest?.rules ?? [] }
      const place = placeOf(agent, revision)
      const order = orders.get(place) ?? { rules, tools: new Set<string>() }
      orders.set(place, order)
      for (const { tool } of byAgent.get(keyOf(agent.environment, agent.agentId)) ?? []) order.tools.add(tool)
    }
    const covers = new Map<string, Cover>()
    for (const [place, { rules, tools }] of orders) {
      covers.set(place, await read.cover(tenant, { rules, tools: [...tools] }))
    }
    return covers
  }

  return {
    windowOf,
    agents,
    fleet: async (tenant: string, environment: string | undefined, since: Date | undefined): Promise<FleetCoverage> => {
      const window = windowOf(since)
      return fleetOf(await agents(tenant, window, environment), window)
    },
    agent: async (
      tenant: string,
      agentId: string,
      environment: string,
      since: Date | undefined,
    ): Promise<AgentCoverage> => {
      const window = windowOf(since)
      const [found] = await agents(tenant, window, environment, agentId)
      if (!found) throw notFound('agent')
      return {
        ...rowOf(found),
        since: window.since.toISOString(),
        until: window.until.toISOString(),
        items: found.tools.map(({ used: _, ...tool }) => tool),
        session_limits: [...found.sessionLimits],
      }
    },
  }
}

function keyOf(environment: string, agent: string): string {
  return `${environment} ${agent}`
}

function placeOf(agent: KnownAgent, revision: RunRevision | undefined): string {
  return revision ? revision.hash : `agent ${keyOf(agent.environment, agent.agentId)}`
}

const order = { ungoverned: 0, observed: 1, enforced: 2 } as const

function coveredAgent(
  agent: KnownAgent,
  revision: RunRevision | undefined,
  used: readonly Used[],
  cover: Cover | undefined,
): CoveredAgent {
  const uses = new Map(used.map((one) => [one.tool, one]))
  const mine = new Set([...uses.keys(), ...(cover?.declared ?? [])])
  const tools = (cover?.tools ?? []).flatMap(({ tool, status, rules }) => {
    if (!mine.has(tool)) return []
    const one = uses.get(tool)
    return [
      {
        tool,
        status,
        is_used: one !== undefined,
        calls: one ? callsOf(one) : 0,
        last_used_at: one?.lastAt.toISOString() ?? null,
        rules,
        used: one,
      },
    ]
  })
  return {
    agent,
    source: revision ? 'revision' : agent.manifest && agent.manifest.rules.length > 0 ? 'manifest' : 'nothing',
    revision,
    tools: tools.sort((a, b) => order[a.status] - order[b.status] || b.calls - a.calls || compare(a.tool, b.tool)),
    sessionLimits: cover?.sessionLimits ?? [],
  }
}

/** A call that was observed was also allowed, and is counted there. */
function callsOf({ allowed, blocked, held, observed }: Used): number {
  return allowed + blocked + held === 0 ? observed : allowed + blocked + held
}

function rowOf({ agent, source, revision, tools }: CoveredAgent): AgentCoverageRow {
  const count = (status: CoveredTool['status']): number => tools.filter((tool) => tool.status === status).length
  return {
    agent_id: agent.agentId,
    environment: agent.environment,
    display_name: agent.displayName,
    source,
    running:
      agent.runningHash === null
        ? null
        : {
            ruleset: revision?.ruleset ?? null,
            version: revision?.version ?? null,
            revision_hash: agent.runningHash,
          },
    tools: tools.length,
    enforced: count('enforced'),
    observed: count('observed'),
    ungoverned: count('ungoverned'),
    calls: tools.reduce((sum, { calls }) => sum + calls, 0),
    last_seen_at: agent.lastSeenAt.toISOString(),
  }
}

function fleetOf(covered: readonly CoveredAgent[], { since, until }: Window): FleetCoverage {
  const rows = covered.map(rowOf)
  const bare = new Map<string, { calls: number; agents: { agent_id: string; environment: string }[] }>()
  for (const { agent, tools } of covered) {
    for (const { tool, status, calls } of tools) {
      if (status !== 'ungoverned') continue
      const one = bare.get(tool) ?? { calls: 0, agents: [] }
      bare.set(tool, one)
      one.calls += calls
      one.agents.push({ agent_id: agent.agentId, environment: agent.environment })
    }
  }
  return {
    since: since.toISOString(),
    until: until.toISOString(),
    agents: rows
      .sort((a, b) => b.ungoverned - a.ungoverned || b.observed - a.observed || compare(a.agent_id, b.agent_id))
      .slice(0, shownAgentsMax),
    total_agents: rows.length,
    fully_enforced: rows.filter(({ tools, enforced }) => tools > 0 && enforced === tools).length,
    with_ungoverned: rows.filter(({ ungoverned }) => ungoverned > 0).length,
    ungoverned: [...bare]
      .map(([tool, { calls, agents }]) => ({
        tool,
        agent_count: agents.length,
        calls,
        agents: agents.slice(0, namedAgentsMax),
      }))
      .sort((a, b) => b.agent_count - a.agent_count || b.calls - a.calls || compare(a.tool, b.tool))
      .slice(0, shownToolsMax),
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
