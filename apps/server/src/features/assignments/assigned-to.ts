import type { Sql } from '../../kernel/db.ts'
import type { Agent } from '../roles/index.ts'
import { findKnownAgent } from './assignments-table.ts'
import { askOf } from './preview-assignment-rule.ts'
import type { ResolveAssignment } from './resolve-assignment.ts'

type Needs = { readonly db: Sql; readonly resolveAssignment: ResolveAssignment }

/** The ruleset meant for an agent that names none in its request: as if it connected now as it did last. */
export function assignedTo({ db, resolveAssignment }: Needs): (agent: Agent) => Promise<string | null> {
  return async ({ tenant, environment, agentId }) => {
    if (agentId === undefined) return null
    const known = await findKnownAgent(db, tenant, environment, agentId)
    const { ruleset } = await resolveAssignment(tenant, known ? askOf(known) : { environment, agentId, tags: {} })
    return ruleset
  }
}
