import type { AgentSort } from '@countersign/wire'
import { readSort, type Sort } from '../../ui/data-table/columns.ts'
import { type AgentStatus, agentStatuses } from './words.ts'

/** The columns that the server can put the fleet in order by. */
const sortable: readonly AgentSort[] = ['agent', 'environment', 'status', 'ruleset', 'event', 'seen', 'first']

export type FleetSearch = {
  readonly sort?: Sort
  readonly status?: AgentStatus
  /** Words in the agent's id, name or tags. */
  readonly q?: string
  readonly ruleset?: string
}

export function readSearch(search: Record<string, unknown>): FleetSearch {
  const { q, ruleset } = search
  const { sort } = readSort(search['sort'])
  const status = agentStatuses.find((one) => one === search['status'])
  return {
    ...(status !== undefined && { status }),
    ...((typeof q === 'string' || typeof q === 'number') && q !== '' && { q: String(q) }),
    ...(sort !== undefined && sortable.some((by) => by === sort.replace('-', '')) && { sort }),
    ...((typeof ruleset === 'string' || typeof ruleset === 'number') && ruleset !== '' && { ruleset: String(ruleset) }),
  }
}
