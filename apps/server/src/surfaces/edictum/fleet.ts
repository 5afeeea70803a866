import { identifier, Type } from '@countersign/wire'
import type { AssignAgents } from '../../features/assignments/index.ts'
import {
  type ChangeAgents,
  type FleetReader,
  listAgentHistory,
  listRegistrations,
  type Registration,
  type WriteDown,
} from '../../features/fleet/index.ts'
import { type Route, route } from '../../features/roles/index.ts'
import { listRollouts } from '../../features/rollouts/index.ts'
import type { Sql } from '../../kernel/db.ts'
import { Problem, problems } from '../../kernel/problem.ts'

type Needs = {
  readonly db: Sql
  readonly fleet: FleetReader
  readonly change: ChangeAgents
  readonly assign: AssignAgents
  readonly writeDown: WriteDown
  /** The newest workflow an agent reported in a session. */
  readonly workflowOf: (
    tenant: string,
    environment: string,
    agentId: string,
    sessionId: string,
  ) => Promise<object | undefined>
}

const agentPath = Type.Object({ agent_id: Type.String({ minLength: 1, maxLength: 200 }) })
const listedMax = 10_000
const tags = Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.String({ maxLength: 256 }), {
  maxProperties: 64,
})
const orNull = <T extends ReturnType<typeof Type.String> | typeof tags>(schema: T) => Type.Union([schema, Type.Null()])
// `""` clears the assignment; a null says nothing, as it always did.
const registrationChange = Type.Object({
  display_name: Type.Optional(orNull(Type.String({ maxLength: 255 }))),
  tags: Type.Optional(Type.Union([tags, Type.Null()])),
  bundle_name: Type.Optional(Type.Union([Type.Literal(''), identifier, Type.Null()])),
})

/** The fleet in the words of older clients (console §17, §18.1). */
export function fleetRoutes({ db, fleet, change, assign, writeDown, workflowOf }: Needs): readonly Route[] {
  const find = async (tenant: string, agentId: string): Promise<readonly Registration[]> => {
    let rows = await listRegistrations(db, tenant, agentId)
    if (rows.length === 0) {
      // It may have connected this moment.
      await writeDown(tenant, [agentId])
      rows = await listRegistrations(db, tenant, agentId)
    }
    if (rows.length === 0) throw new Problem(problems.notFound, `Agent '${agentId}' not found.`)
    return rows
  }
  return [
    route({
      does: 'List connected agents with their drift',
      method: 'GET',
      path: '/agents/status',
      needs: 'fleet:read',
      query: Type.Object({ bundle_name: Type.Optional(identifier) }),
      handle: async ({ who, query: { bundle_name: ruleset } }) => {
        const rows = await fleet.page(who.tenant, { ruleset, isConnected: true }, { limit: listedMax })
        return {
          agents: rows.map((row) => ({
            agent_id: row.agentId,
            env: row.environment,
            bundle_name: row.ruleset,
            policy_version: row.runningHash,
            status: driftOf(row.status),
            connected_at: (row.onlineSince ?? row.connectedAt)?.toISOString() ?? null,
          })),
        }
      },
    }),
    route({
      does: 'Show the timeline of an agent, newest first',
      method: 'GET',
      path: '/agents/:agent_id/history',
      needs: 'fleet:read',
      params: agentPath,
      query: Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }),
      handle: async ({ who: { tenant }, params: { agent_id: agentId }, query: { limit = 50 } }) => {
        const [newest] = await find(tenant, agentId)
        const environment = newest?.environment ?? ''
        const history = await listAgentHistory(db, tenant, environment, agentId, { limit })
        const rollouts =
          newest?.ruleset == null ? [] : await listRollouts(db, tenant, { ruleset: newest.ruleset, environment }, limit)
        const events = [
          ...history.map(({ at, kind, facts }) => ({
            type: kind,
            timestamp: at.toISOString(),
            environment,
            ...(kind === 'revision' && { policy_version: facts['revision_hash'] }),
            ...(kind === 'assignment' && { bundle_name: facts['ruleset'], source: facts['source'] }),
          })),
          ...rollouts.map((one) => ({
            type: 'deployment',
            timestamp: one.at.toISOString(),
            bundle_name: one.ruleset,
            bundle_version: one.version,
            deployed_by: one.byEmail ?? one.by,
            revision_hash: one.hash,
          })),
        ]
        events.sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))
        return { agent_id: agentId, environment, events: events.slice(0, limit) }
      },
    }),
    route({
      does: 'List known agents',
      method: 'GET',
      path: '/agent-registrations',
      needs: 'fleet:read',
      handle: async ({ who }) => newestOfEach(await listRegistrations(db, who.tenant)).map(registrationOf),
    }),
    route({
      does: 'Name or tag an agent, or give it a ruleset',
      method: 'PATCH',
      path: '/agent-registrations/:agent_id',
      needs: 'fleet:manage',
      params: agentPath,
      body: registrationChange,
      handle: async ({ who, params: { agent_id: agentId }, body, facts }) => {
        await find(who.tenant, agentId)
        const { display_name: name, tags: given, bundle_name: ruleset } = body
        if (name != null || given != null) {
          const wanted = { displayName: name ?? undefined, tags: given ?? undefined }
          await change.changeEverywhere(who, agentId, wanted, facts)
        }
        if (ruleset != null) await assign.everywhere(who, [agentId], ruleset === '' ? null : ruleset, facts)
        const [row] = await find(who.tenant, agentId)
        // What is meant for it is written a moment later; what was asked for is known.
        return (
          row && { ...registrationOf(row), ...(ruleset != null && { bundle_name: ruleset === '' ? null : ruleset }) }
        )
      },
    }),
    route({
      does: 'Give agents a ruleset by name',
      method: 'POST',
      path: '/agent-registrations/bulk-assign',
      needs: 'assignments:write',
      body: Type.Object({
        agent_ids: Type.Array(identifier, { minItems: 1, maxItems: 100 }),
        bundle_name: identifier,
      }),
      handle: async ({ who, body: { agent_ids, bundle_name }, facts }) => {
        return { updated: await assign.everywhere(who, [...new Set(agent_ids)], bundle_name, facts) }
      },
    }),
    route({
      does: 'Show the newest workflow an agent reported in a session',
      method: 'GET',
      path: '/agents/:agent_id/workflow-state',
      needs: 'agent-key',
      params: agentPath,
      query: Type.Object({ session_id: Type.String({ minLength: 1, maxLength: 16_384 }) }),
      handle: async ({ who, params: { agent_id: agentId }, query: { session_id: sessionId } }) => {
        const workflow = await workflowOf(who.tenant, who.environment, agentId, sessionId)
        if (!workflow) throw new Problem(problems.notFound, 'No workflow was reported in this session.')
        return workflow
      },
    }),
  ]
}

/** Older clients know three words. */
function driftOf(status: string): 'current' | 'drift' | 'unknown' {
  if (status === 'current') return 'current'
  return status === 'drifting' || status === 'updating' ? 'drift' : 'unknown'
}

/** They know no environments here: an agent id is one registration, told by where it was seen last. */
function newestOfEach(rows: readonly Registration[]): readonly Registration[] {
  return [...Map.groupBy(rows, ({ agentId }) => agentId).values()].flatMap((one) => one.slice(0, 1))
}

function registrationOf(row: Registration) {
  return {
    id: row.id,
    agent_id: row.agentId,
    display_name: row.displayName,
    tags: row.tags,
    bundle_name: row.rulesetSource === 'explicit' ? row.ruleset : null,
    resolved_bundle: row.ruleset,
    last_seen_at: row.lastSeenAt.toISOString(),
    created_at: row.firstSeenAt.toISOString(),
  }
}
