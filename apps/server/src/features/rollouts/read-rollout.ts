import type { RolloutAgent, RolloutAgentState, RolloutCounts, RolloutDetail } from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { notFound } from '../../kernel/problem.ts'
import { personRef } from '../rulesets/index.ts'
import { type Progress, stateOf } from './rollout.ts'
import { listFollowers, listProgress } from './rollout-agents-table.ts'
import { findRollout, type RolloutRow } from './rollouts-table.ts'

type Needs = { readonly db: Sql; readonly clock: { readonly now: () => Date } }

const shownMax = 1_000
/** What needs a look comes first. */
const order: readonly RolloutAgentState[] = ['overdue', 'waiting', 'sent', 'fetched', 'offline', 'running']
const nothing = { sentAt: null, fetchedAt: null, runningAt: null }

/** A rollout with how far each agent came: those it is meant for and those that were seen to take it. */
export function readRollout({ db, clock }: Needs) {
  return async (tenant: string, id: string): Promise<RolloutDetail> => {
    const rollout = await findRollout(db, tenant, id)
    if (!rollout) throw notFound('rollout')
    const { environment, ruleset, isCurrent, at } = rollout
    const [progress, followers] = await Promise.all([
      listProgress(db, tenant, environment, id),
      // Who follows it now says nothing of a rollout that is over.
      isCurrent ? listFollowers(db, tenant, environment, ruleset) : [],
    ])
    const seen = new Map<string, Progress & { readonly isConnected: boolean }>()
    for (const { agentId, isConnected } of followers) seen.set(agentId, { ...nothing, isConnected })
    for (const { agentId, follows, ...one } of progress) {
      // One that was moved to another ruleset before it ran this one owes it nothing.
      const hasMoved = isCurrent && follows !== null && follows !== ruleset
      if (!hasMoved || one.runningAt) seen.set(agentId, one)
    }
    const now = clock.now()
    const agents = [...seen].map(([agentId, one]) => {
      return { agent_id: agentId, ...stateOf({ ...one, rolledOutAt: at, isCurrent }, now) }
    })
    const sorted = agents.toSorted(
      (a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (a.agent_id < b.agent_id ? -1 : 1),
    )
    return {
      ...rolloutOnWire(rollout),
      counts: countsOf(agents.map(({ state }) => state)),
      agents: sorted.slice(0, shownMax).map(({ since, ...agent }): RolloutAgent => {
        return { ...agent, since: since.toISOString() }
      }),
    }
  }
}

function countsOf(states: readonly RolloutAgentState[]): RolloutCounts {
  const counts = { total: states.length, waiting: 0, sent: 0, fetched: 0, running: 0, overdue: 0, offline: 0 }
  for (const state of states) counts[state] += 1
  return counts
}

export function rolloutOnWire(row: RolloutRow) {
  return {
    id: row.id,
    ruleset: row.ruleset,
    environment: row.environment,
    version: row.version,
    revision_id: row.revisionId,
    hash: row.hash,
    kind: row.kind,
    note: row.note,
    by: personRef(row.by, row.byEmail),
    at: row.at.toISOString(),
    previous_version: row.previousVersion,
    is_current: row.isCurrent,
  }
}
