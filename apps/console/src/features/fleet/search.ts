import { type AgentStatus, agentStatuses } from './words.ts'

export type FleetSearch = {
  readonly status?: AgentStatus
  /** Words in the agent's id, name or tags. */
  readonly q?: string
  readonly ruleset?: string
}

export function readSearch(search: Record<string, unknown>): FleetSearch {
  const { q, ruleset } = search
  const status = agentStatuses.find((one) => one === search['status'])
  return {
    ...(status !== undefined && { status }),
    ...((typeof q === 'string' || typeof q === 'number') && q !== '' && { q: String(q) }),
    ...(typeof ruleset === 'string' && ruleset !== '' && { ruleset }),
  }
}
