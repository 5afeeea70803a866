import type { overview, Static } from '@countersign/wire'
import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'
import type { ReadApprovals } from '../approvals/index.ts'
import type { Events } from '../events/index.ts'
import type { FleetReader } from '../fleet/index.ts'
import { type Change, selectChanges, selectFirstSteps } from './overview-table.ts'

type Overview = Static<typeof overview>

type Needs = {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
  readonly events: Pick<Events, 'scope' | 'facets' | 'histogram'>
  readonly approvals: ReadApprovals
  readonly fleet: Pick<FleetReader, 'counts'>
}

export type ReadOverview = (tenant: string, environment: string | undefined) => Promise<Overview>

const dayMs = 86_400_000
const bucketsShown = 24
const itemsShown = 5
const rulesShown = 10

/** The first page a person sees: what waits for them, and the last day at a glance. */
export function readOverview({ db, clock, events, approvals, fleet }: Needs): ReadOverview {
  return async (tenant, environment) => {
    const until = clock.now().getTime() * 1_000
    const since = until - dayMs * 1_000
    const filter = environment === undefined ? {} : { environment: [environment] }
    const scope = { ...(await events.scope(tenant, filter)), since, until }
    const blocked = { ...(await events.scope(tenant, { ...filter, verdict: ['call_blocked'] })), since, until }
    const [pending, histogram, facets, rules, changes, counts, steps] = await Promise.all([
      approvals(tenant, { status: 'pending', environment }, { limit: itemsShown }),
      events.histogram(scope, bucketsShown),
      events.facets(scope),
      events.facets(blocked),
      selectChanges(db, tenant),
      fleet.counts(tenant, { environment }),
      selectFirstSteps(db, tenant),
    ])
    const { agent } = facets.facets
    const sum = (series: 'allowed' | 'blocked' | 'held' | 'observed' | 'failed'): number =>
      histogram.buckets.reduce((total, bucket) => total + bucket[series], 0)
    return {
      needs_you: {
        pending: pending.pendingTotal,
        items: pending.items.map((one) => ({
          id: one.id,
          agent_id: one.agentId,
          tool: one.tool,
          environment: one.environment,
          message: one.message,
          asked_at: one.createdAt.toISOString(),
          deadline: one.deadline.toISOString(),
        })),
      },
      histogram: { ...histogram, buckets: [...histogram.buckets] },
      day: {
        events: histogram.total,
        allowed: sum('allowed'),
        blocked: sum('blocked'),
        held: sum('held'),
        observed: sum('observed'),
        failed: sum('failed'),
        active_agents: agent.values.length + agent.more,
      },
      changes: changes.map(showChange),
      fleet: {
        total: counts.total,
        connected: counts.connected,
        current: counts.current,
        updating: counts.updating,
        drifting: counts.drifting,
        silent: counts.silent,
        unknown: counts.unknown,
      },
      top_blocked_rules: rules.facets.rule.values
        .slice(0, rulesShown)
        .map(({ value, count }) => ({ rule: value, count })),
      start: {
        has_key: steps.hasKey,
        has_rollout: steps.hasRollout,
        has_agent: steps.hasAgent,
        has_event: steps.hasEvent,
        is_done: steps.hasKey && steps.hasRollout && steps.hasAgent && steps.hasEvent,
      },
    }
  }
}

function showChange(change: Change): Overview['changes'][number] {
  return {
    number: change.number,
    at: change.at.toISOString(),
    act: change.act,
    actor: { kind: kindOf(change.actorKind), id: change.actorId, label: change.actorLabel ?? change.actorId },
    subject: { kind: change.subjectKind, id: change.subjectId },
    details: change.details,
  }
}

function kindOf(kind: string): Overview['changes'][number]['actor']['kind'] {
  switch (kind) {
    case 'person':
    case 'agent':
    case 'agent_key':
    case 'anyone':
      return kind
    default:
      return 'system'
  }
}
