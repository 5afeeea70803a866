import { Type } from '@countersign/wire'
import type { ReadApprovals } from '../../features/approvals/index.ts'
import { type Events, isoOf } from '../../features/events/index.ts'
import { countAgents } from '../../features/overview/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Sql } from '../../kernel/db.ts'

type Needs = {
  readonly db: Sql
  readonly clock: Pick<Clock, 'now'>
  readonly events: Pick<Events, 'scope' | 'facets' | 'coverage'>
  readonly approvals: ReadApprovals
}

const hourMicros = 3_600_000_000
const dayMicros = 24 * hourMicros

/** Figures in the words of the older console (console §16). */
export function statRoutes({ db, clock, events, approvals }: Needs): readonly Route[] {
  return [
    route({
      does: 'Tell the figures of the last 24 hours',
      method: 'GET',
      path: '/stats/overview',
      needs: 'agent-key or overview:read',
      handle: async ({ who }) => {
        const environment = who.is === 'agent' ? who.environment : undefined
        const filter = environment === undefined ? {} : { environment: [environment] }
        const now = clock.now().getTime() * 1_000
        const lately = async (more: object, micros: number) =>
          events.facets({
            ...(await events.scope(who.tenant, { ...filter, ...more })),
            since: now - micros,
            until: now,
          })
        const [hour, day, denied, observed, pending, agents] = await Promise.all([
          lately({}, hourMicros),
          lately({}, dayMicros),
          lately({ verdict: ['call_blocked'] }, dayMicros),
          lately({ verdict: ['call_would_block'], mode: ['observe'] }, dayMicros),
          approvals(who.tenant, { status: 'pending', environment }, { limit: 1 }),
          countAgents(db, who.tenant, environment),
        ])
        const { agent } = hour.facets
        const { rule } = day.facets
        return {
          pending_approvals: pending.pendingTotal,
          active_agents: agent.values.length + agent.more,
          total_agents: agents,
          events_24h: day.total.count,
          denials_24h: denied.total.count,
          observe_findings_24h: observed.total.count,
          contracts_triggered_24h: rule.values.filter(({ value }) => value !== null).length + rule.more,
        }
      },
    }),
    route({
      does: 'Tell how often each rule was named',
      method: 'GET',
      path: '/stats/contracts',
      needs: 'overview:read',
      query: Type.Object({ since: Type.Optional(Type.String()), until: Type.Optional(Type.String()) }),
      handle: async ({ who, query }) => {
        const given = await events.scope(who.tenant, query)
        const until = given.until ?? clock.now().getTime() * 1_000
        const scope = { ...given, until, since: given.since ?? until - dayMicros }
        const [rules, all] = await Promise.all([events.coverage(scope), events.facets(scope)])
        return {
          coverage: rules.map(({ rule, total, blocked, warned, lastAt }) => ({
            decision_name: rule,
            total_evaluations: total,
            total_denials: blocked,
            total_warnings: warned,
            last_triggered: lastAt.toISOString(),
          })),
          total_events: all.total.count,
          period_start: isoOf(scope.since),
          period_end: isoOf(scope.until),
        }
      },
    }),
  ]
}
