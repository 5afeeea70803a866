import { environmentName, Type } from '@countersign/wire'
import { type CoveredAgent, type ReadCoverage, usualWindowMs } from '../../features/coverage/index.ts'
import type { FleetReader } from '../../features/fleet/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly clock: Pick<Clock, 'now'>
  readonly coverage: ReadCoverage
  readonly fleet: FleetReader
}

const listedMax = 10_000

/** Coverage in the words of the older console (console §17.2), computed as ours is. */
export function coverageRoutes({ clock, coverage, fleet }: Needs): readonly Route[] {
  const since = Type.Optional(Type.String({ maxLength: 100 }))
  return [
    route({
      does: 'Tell which tools of the fleet are governed by rules',
      method: 'GET',
      path: '/agents/fleet-coverage',
      needs: 'fleet:read',
      query: Type.Object({ since, env: Type.Optional(environmentName) }),
      handle: async ({ who: { tenant }, query: { since: text, env } }) => {
        const window = coverage.windowOf(sinceOf(text, clock.now()))
        const [agents, rows] = await Promise.all([
          coverage.agents(tenant, window, env),
          fleet.page(tenant, { environment: env }, { limit: listedMax }),
        ])
        const drift = new Map(rows.map(({ environment, agentId, status }) => [`${environment} ${agentId}`, status]))
        const listed = agents.map((one) => fleetRow(one, drift.get(`${one.agent.environment} ${one.agent.agentId}`)))
        return {
          time_window: shownWindow(window),
          agents: listed,
          fleet_summary: {
            total_agents: listed.length,
            fully_enforced: listed.filter(({ coverage_pct: share }) => share === 100).length,
            with_ungoverned: listed.filter(({ ungoverned }) => ungoverned > 0).length,
            with_drift: listed.filter(({ drift_status: word }) => word === 'drift').length,
            ...ungovernedOf(agents),
          },
        }
      },
    }),
    route({
      does: 'Tell which tools of an agent are governed by rules',
      method: 'GET',
      path: '/agents/:agent_id/coverage',
      needs: 'fleet:read',
      params: Type.Object({ agent_id: Type.String({ minLength: 1, maxLength: 200 }) }),
      query: Type.Object({ since, include_verdicts: Type.Optional(Type.Boolean()) }),
      handle: async ({ who: { tenant }, params: { agent_id: agentId }, query }) => {
        const window = coverage.windowOf(sinceOf(query.since, clock.now()))
        // Known in several environments, the one it was last seen in is meant.
        const [found] = await coverage.agents(tenant, window, undefined, agentId)
        if (!found) throw new Problem(problems.notFound, `Agent '${agentId}' not found.`)
        const { revision } = found
        return {
          agent_id: agentId,
          environment: found.agent.environment,
          time_window: shownWindow(window),
          deployed_bundle: revision
            ? { name: revision.ruleset, version: revision.version, revision_hash: revision.hash }
            : null,
          tools: found.tools.map((tool) => toolRow(found, tool, query.include_verdicts === true)),
          summary: summaryOf(found),
        }
      },
    }),
  ]
}

type Tool = CoveredAgent['tools'][number]

function toolRow({ source, revision }: CoveredAgent, tool: Tool, withVerdicts: boolean) {
  const [rule] = tool.rules
  const counted = {
    deny_count: tool.used?.blocked ?? 0,
    allow_count: tool.used?.allowed ?? 0,
    observe_count: tool.used?.observed ?? 0,
  }
  return {
    tool_name: tool.tool,
    status: tool.status,
    contract_name: rule?.id ?? null,
    contract_type: rule?.type ?? null,
    mode: rule?.mode ?? null,
    bundle_name: rule ? (revision?.ruleset ?? null) : null,
    source: rule ? (source === 'revision' ? 'console' : 'local') : null,
    event_count: tool.calls,
    last_used: tool.last_used_at,
    ...(withVerdicts ? counted : {}),
  }
}

function summaryOf({ tools }: CoveredAgent) {
  const count = (status: Tool['status']): number => tools.filter((tool) => tool.status === status).length
  const enforced = count('enforced')
  return {
    total_tools: tools.length,
    enforced,
    observed: count('observed'),
    ungoverned: count('ungoverned'),
    coverage_pct: tools.length === 0 ? 100 : Math.round((enforced / tools.length) * 100),
  }
}

function fleetRow(covered: CoveredAgent, status: string | undefined) {
  return {
    agent_id: covered.agent.agentId,
    environment: covered.agent.environment,
    ...summaryOf(covered),
    drift_status: status === 'current' ? 'current' : status === 'drifting' ? 'drift' : 'unknown',
    last_seen: covered.agent.lastSeenAt.toISOString(),
    event_count_24h: covered.tools.reduce((sum, { calls }) => sum + calls, 0),
  }
}

function ungovernedOf(agents: readonly CoveredAgent[]) {
  const found = new Map<string, Set<string>>()
  for (const { agent, tools } of agents) {
    for (const { tool, status } of tools) {
      if (status !== 'ungoverned') continue
      found.set(tool, (found.get(tool) ?? new Set<string>()).add(agent.agentId))
    }
  }
  return {
    total_ungoverned_tools: found.size,
    ungoverned_tools: [...found]
      .map(([tool, ids]) => ({ tool_name: tool, agent_count: ids.size, agent_ids: [...ids] }))
      .sort((a, b) => b.agent_count - a.agent_count || (a.tool_name < b.tool_name ? -1 : 1)),
  }
}

function shownWindow({ since, until }: { readonly since: Date; readonly until: Date }) {
  return { since: since.toISOString(), until: until.toISOString() }
}

const units = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const unitsMax = 3_650

/** `15m`, `24h`, `7d` or a time; anything else is refused as it always was. */
function sinceOf(text: string | undefined, now: Date): Date {
  if (text === undefined) return new Date(now.getTime() - usualWindowMs)
  const [, count, unit] = /^(\d{1,4})([mhd])$/.exec(text) ?? []
  if (count !== undefined && (unit === 'm' || unit === 'h' || unit === 'd') && Number(count) <= unitsMax) {
    return new Date(now.getTime() - Number(count) * units[unit])
  }
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text.replace(' ', '+')) : Number.NaN
  if (Number.isNaN(at)) {
    throw new Problem(problems.malformed, `Invalid since: '${text.slice(0, 40)}'. Use 15m, 24h, 7d or ISO 8601.`)
  }
  return new Date(at)
}
