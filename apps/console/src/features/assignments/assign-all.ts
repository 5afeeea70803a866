import { api } from '../../api/client.ts'

export type Assignment = { readonly agent_id: string; readonly environment: string; readonly ruleset: string | null }

/** What one request takes. */
const agentsMax = 1_000

/** One request names one environment and one ruleset, so a mixed choice is sent in as many as it takes. */
export async function assignAll(assignments: readonly Assignment[]): Promise<number> {
  const groups = Map.groupBy(assignments, ({ environment, ruleset }) => JSON.stringify([environment, ruleset]))
  let changed = 0
  for (const group of groups.values()) {
    const [first] = group
    if (!first) continue
    const { environment, ruleset } = first
    for (let at = 0; at < group.length; at += agentsMax) {
      const agent_ids = [...new Set(group.slice(at, at + agentsMax).map(({ agent_id }) => agent_id))]
      const answer = await api.put<{ readonly changed: number }>('/assignments', { agent_ids, environment, ruleset })
      changed += answer.changed
    }
  }
  return changed
}
