import type { AgentCoverageRow, FleetCoverage } from '@countersign/wire'

type Ungoverned = FleetCoverage['ungoverned'][number]

/** Where a rule for a tool would belong: what the agents that use it run, the most common first. */
export function likelyRulesets({ agents }: Ungoverned, rows: readonly AgentCoverageRow[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { agent_id, environment } of agents) {
    const row = rows.find((one) => one.agent_id === agent_id && one.environment === environment)
    const ruleset = row?.running?.ruleset
    if (ruleset) counts.set(ruleset, (counts.get(ruleset) ?? 0) + 1)
  }
  return [...counts].toSorted(([, a], [, b]) => b - a).map(([ruleset]) => ruleset)
}
