import {
  type Replay,
  replay,
  replayBody,
  replayDetail,
  replayList,
  replayListQuery,
  replayParams,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { personRef } from '../rulesets/index.ts'
import type { ReplayRow } from './replay.ts'
import { findReplay, listReplays } from './replays-table.ts'
import type { RequestReplay, StopReplay } from './request-replay.ts'

type Needs = { readonly db: Sql; readonly request: RequestReplay; readonly stop: StopReplay }

/** A document of 1 MiB with every character escaped. */
const bodyBytesMax = 5 * 1_048_576

export function replayRoutes({ db, request, stop }: Needs): readonly Route[] {
  const shown = async (tenant: string, id: string): Promise<Replay> => {
    const row = await findReplay(db, tenant, id)
    if (!row) throw notFound('replay')
    return replayOnWire(row)
  }
  return [
    route({
      does: 'Replay recorded calls against a ruleset, in the background',
      method: 'POST',
      path: '/replays',
      needs: 'replays:write',
      status: 201,
      bodyBytesMax,
      body: replayBody,
      answers: replay,
      handle: async ({ who, body, facts }) => {
        const { baseline = null, until, environment = null, agents = [], tools = [], ...draft } = body
        const id = await request(who, { ...draft, baseline, until, environment, agents, tools }, facts)
        return shown(who.tenant, id)
      },
    }),
    route({
      does: 'List replays, newest first',
      method: 'GET',
      path: '/replays',
      needs: 'events:read',
      query: replayListQuery,
      answers: replayList,
      handle: async ({ who, query: { limit = 50, cursor, ruleset, version } }) => {
        const filter = { ruleset, version, below: numberIn(cursor) }
        const rows = await listReplays(db, who.tenant, filter, limit + 1)
        const page = rows.slice(0, limit)
        return {
          items: page.map(replayOnWire),
          next_cursor: rows.length > limit ? String(page.at(-1)?.number) : null,
        }
      },
    }),
    route({
      does: 'Show a replay: how far it is, then what would change',
      method: 'GET',
      path: '/replays/:id',
      needs: 'events:read',
      params: replayParams,
      answers: replayDetail,
      handle: async ({ who, params: { id } }) => {
        const row = await findReplay(db, who.tenant, id)
        if (!row) throw notFound('replay')
        return { ...replayOnWire(row), result: row.result }
      },
    }),
    route({
      does: 'Cancel a replay that waits or runs',
      method: 'POST',
      path: '/replays/:id/cancellation',
      needs: 'replays:write',
      params: replayParams,
      answers: replay,
      handle: async ({ who, params: { id }, facts }) => {
        await shown(who.tenant, id)
        await stop(who, id, facts)
        return shown(who.tenant, id)
      },
    }),
  ]
}

export function replayOnWire(row: ReplayRow): Replay {
  return {
    id: row.id,
    ruleset: row.ruleset,
    version: row.version,
    draft_hash: row.draftHash,
    baseline:
      row.baselineRuleset === null || row.baselineVersion === null
        ? null
        : { ruleset: row.baselineRuleset, version: row.baselineVersion },
    since: row.since.toISOString(),
    until: row.until.toISOString(),
    environment: row.environment,
    agents: [...row.agents],
    tools: [...row.tools],
    status: row.status,
    progress: { rows_read: row.rowsRead, rows_total: row.rowsTotal, distinct_calls: row.distinctCalls },
    counts: row.counts,
    failure: row.failure,
    made_by: personRef(row.madeBy, row.madeByEmail),
    made_at: row.madeAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    ended_at: row.endedAt?.toISOString() ?? null,
    is_cancelling: row.isCancelling,
  }
}

function numberIn(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (!/^\d{1,15}$/.test(cursor)) throw invalidInput('querystring.cursor', 'Take next_cursor of the page before.')
  return Number(cursor)
}
