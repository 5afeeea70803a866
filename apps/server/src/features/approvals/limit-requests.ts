import { Problem, problems } from '../../kernel/problem.ts'
import type { TakeFromLimit } from '../limits/index.ts'
import type { Agent } from '../roles/index.ts'
import type { ReadSetting } from '../settings/index.ts'

const windowSeconds = 60
/** A key's agents together may ask this many times as often as one: naming another agent is no way around. */
const agentsPerKey = 10

/** How often approvals may be asked for. Counted in PostgreSQL, so neither a restart nor another replica forgets. */
export function limitRequests({ takeFromLimit, readSetting }: Needs): (who: Agent) => Promise<void> {
  return async ({ tenant, environment, keyId, agentId }) => {
    const max = await readSetting(tenant, 'approvals.per_minute')
    const agent = `${tenant}/${environment}/${agentId ?? `key:${keyId}`}`
    const limits = [
      { scope: 'approval-agent', subject: agent, max },
      { scope: 'approval-key', subject: keyId, max: max * agentsPerKey },
    ]
    for (const limit of limits) {
      const { isAllowed, retryAfterSeconds } = await takeFromLimit({ ...limit, windowSeconds })
      if (isAllowed) continue
      throw new Problem(problems.tooManyRequests, 'Too many approval requests. Please slow down.', {
        retryAfterSeconds,
      })
    }
  }
}

type Needs = { readonly takeFromLimit: TakeFromLimit; readonly readSetting: ReadSetting }
