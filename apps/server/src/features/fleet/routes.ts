import {
  type AgentDetail,
  type AgentHistoryEntry,
  type AgentRow,
  agentChange,
  agentDetail,
  agentHistoryPage,
  agentHistoryQuery,
  agentOfEnvironment,
  agentSorts,
  agentsPage,
  agentsQuery,
  Type,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { ChangeAgents } from './change-agent.ts'
import {
  type FleetOrder,
  type FleetPlace,
  type FleetRow,
  findAgentFile,
  isPlaceIn,
  listAgentHistory,
  listLiveStreams,
} from './fleet-table.ts'
import type { Manifest } from './manifest.ts'
import type { FleetReader } from './read-fleet.ts'
import type { ResolveAssignment } from './resolve-agents.ts'

type Needs = {
  readonly db: Sql
  readonly fleet: FleetReader
  readonly change: ChangeAgents
  readonly revisionOfHash: (
    tenant: string,
    hash: string,
  ) => Promise<{ readonly ruleset: string; readonly version: number } | undefined>
  readonly resolveAssignment: ResolveAssignment
}

const params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 200 }) })

export function fleetRoutes({ db, fleet, change, revisionOfHash, resolveAssignment }: Needs): readonly Route[] {
  const rowOnWire = async (tenant: string, row: FleetRow): Promise<AgentRow> => ({
    agent_id: row.agentId,
    environment: row.environment,
    display_name: row.displayName,
    status: row.status,
    is_connected: row.streams > 0,
    connected_since: row.streams > 0 ? ((row.onlineSince ?? row.connectedAt)?.toISOString() ?? null) : null,
    streams: row.streams,
    ruleset: row.ruleset,
    ruleset_source: row.rulesetSource,
    expected:
      row.expectedVersion === null || row.expectedAt === null
        ? null
        : { version: row.expectedVersion, rolled_out_at: row.expectedAt.toISOString() },
    running: await runningOnWire(tenant, row),
    cannot_follow: row.cannotFollow ? cannotFollow(row.fetchedRuleset ?? '', row.ruleset ?? '') : null,
    first_seen_at: row.firstSeenAt.toISOString(),
    last_seen_at: row.lastSeenAt.toISOString(),
    last_event_at: row.lastEventAt?.toISOString() ?? null,
  })
  const runningOnWire = async (tenant: string, { runningHash, runningSource, runningAt }: FleetRow) => {
    if (runningHash === null || runningSource === null || runningAt === null) return null
    const revision = await revisionOfHash(tenant, runningHash)
    return {
      revision_hash: runningHash,
      ruleset: revision?.ruleset ?? null,
      version: revision?.version ?? null,
      source: runningSource,
      at: runningAt.toISOString(),
    }
  }

  const detail = async (tenant: string, environment: string, agentId: string): Promise<AgentDetail> => {
    const [row, file, streams] = await Promise.all([
      fleet.one(tenant, environment, agentId),
      findAgentFile(db, tenant, environment, agentId),
      listLiveStreams(db, tenant, environment, agentId),
    ])
    if (!row || !file) throw notFound('agent')
    const ask = {
      environment,
      agentId,
      tags: { ...file.tags, ...file.reportedTags },
      asked: file.askedRuleset ?? undefined,
    }
    const { ruleId, rulePattern } = await resolveAssignment(tenant, ask)
    const manifest = file.manifest as Manifest | null
    return {
      ...(await rowOnWire(tenant, row)),
      tags: file.tags,
      reported_tags: file.reportedTags,
      asks_for: file.askedRuleset,
      rule_id: ruleId ?? null,
      rule_pattern: rulePattern ?? null,
      client: file.client,
      dialect: file.dialect,
      live_streams: streams.map(({ id, connectedAt, keyId, keyLabel, address, client }) => ({
        id,
        connected_at: connectedAt.toISOString(),
        key_id: keyId,
        key_label: keyLabel,
        address,
        client,
      })),
      manifest:
        manifest && file.manifestAt
          ? {
              at: file.manifestAt.toISOString(),
              revision_hash: manifest.revisionHash,
              rules: manifest.rules.map((rule) => ({ ...rule, tools: [...rule.tools] })),
            }
          : null,
      other_environments: [...file.otherEnvironments],
    }
  }

  return [
    route({
      does: 'List agents with what they run and what they should run',
      method: 'GET',
      path: '/agents',
      needs: 'fleet:read',
      query: agentsQuery,
      answers: agentsPage,
      handle: async ({ who: { tenant }, query: { status, limit = 50, cursor, sort, connected, ...query } }) => {
        const filter = { environment: query.environment, ruleset: query.ruleset, isConnected: connected, q: query.q }
        const [rows, summary] = await Promise.all([
          fleet.page(tenant, filter, { status, order: orderOf(sort), after: placeIn(cursor, sort), limit: limit + 1 }),
          fleet.counts(tenant, filter),
        ])
        const items = await Promise.all(rows.slice(0, limit).map((row) => rowOnWire(tenant, row)))
        const last = rows[limit - 1]
        const next = rows.length > limit && last ? cursorAt(last, sort) : null
        return { items, next_cursor: next, total: status === undefined ? summary.total : summary[status], summary }
      },
    }),
    route({
      does: 'Show one agent',
      method: 'GET',
      path: '/agents/:id',
      needs: 'fleet:read',
      params,
      query: agentOfEnvironment,
      answers: agentDetail,
      handle: ({ who, params: { id }, query: { environment } }) => detail(who.tenant, environment, id),
    }),
    route({
      does: 'Show the timeline of an agent, newest first',
      method: 'GET',
      path: '/agents/:id/history',
      needs: 'fleet:read',
      params,
      query: agentHistoryQuery,
      answers: agentHistoryPage,
      handle: async ({ who: { tenant }, params: { id }, query: { environment, limit = 50, cursor } }) => {
        if (!(await findAgentFile(db, tenant, environment, id))) throw notFound('agent')
        const before = numberIn(cursor)
        const rows = await listAgentHistory(db, tenant, environment, id, { before, limit: limit + 1 })
        const items = await Promise.all(
          rows.slice(0, limit).map(async ({ number, at, kind, facts }): Promise<AgentHistoryEntry> => {
            const hash = facts['revision_hash']
            const revision = typeof hash === 'string' ? await revisionOfHash(tenant, hash) : undefined
            const known = revision && { ruleset: revision.ruleset, version: revision.version }
            return { id: String(number), at: at.toISOString(), kind, facts: { ...facts, ...known } }
          }),
        )
        return { items, next_cursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null }
      },
    }),
    route({
      does: 'Name an agent or tag it',
      method: 'PATCH',
      path: '/agents/:id',
      needs: 'fleet:manage',
      params,
      query: agentOfEnvironment,
      body: agentChange,
      answers: agentDetail,
      handle: async ({ who, params: { id }, query: { environment }, body: { display_name, tags }, facts }) => {
        await change.change(who, environment, id, { displayName: display_name, tags }, facts)
        return detail(who.tenant, environment, id)
      },
    }),
    route({
      does: 'Forget an agent that is gone',
      method: 'DELETE',
      path: '/agents/:id',
      needs: 'fleet:manage',
      params,
      query: agentOfEnvironment,
      answers: Type.Object({ agent_id: Type.String() }),
      handle: async ({ who, params: { id }, query: { environment }, facts }) => {
        await change.remove(who, environment, id, facts)
        return { agent_id: id }
      },
    }),
  ]
}

function cannotFollow(asks: string, assigned: string) {
  return {
    asks_for: asks,
    assigned,
    remedy: `The SDK of this agent (TypeScript 0.3 or newer) only runs the ruleset named in its own code, ${asks}. Name ${assigned} there and restart it, or assign ${asks} to it.`,
  }
}

function orderOf(sort: string | undefined): FleetOrder | undefined {
  const by = agentSorts.find((one) => one === sort?.replace('-', ''))
  return by && { by, isDescending: sort?.startsWith('-') === true }
}

/** None of its parts can hold a space. */
function cursorAt({ agentId, environment, sortedBy }: FleetPlace, sort = ''): string {
  return [agentId, environment, sort, ...(sortedBy == null ? [] : [sortedBy])].join(' ').trimEnd()
}

function placeIn(cursor: string | undefined, asked = ''): FleetPlace | undefined {
  if (cursor === undefined) return undefined
  const [agentId, environment, sort = '', sortedBy = null] = cursor.split(' ')
  if (agentId === undefined || environment === undefined || sort !== asked) throw badCursor()
  const place = { agentId, environment, sortedBy }
  if (!isPlaceIn(orderOf(sort), place)) throw badCursor()
  return place
}

function numberIn(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (!/^\d{1,15}$/.test(cursor)) throw badCursor()
  return Number(cursor)
}

function badCursor() {
  return invalidInput('querystring.cursor', 'Take next_cursor of the page before.')
}
