import {
  previewRolloutBody,
  rollout,
  rolloutBody,
  rolloutDetail,
  rolloutList,
  rolloutListQuery,
  rolloutParams,
  rolloutPreview,
  rulesetNameParams,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput, notFound } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import type { previewRollout } from './preview-rollout.ts'
import { type readRollout, rolloutOnWire } from './read-rollout.ts'
import type { RollOut } from './roll-out.ts'
import { findRollout, listRollouts } from './rollouts-table.ts'

type Needs = {
  readonly db: Sql
  readonly rollOut: RollOut
  readonly preview: ReturnType<typeof previewRollout>
  readonly read: ReturnType<typeof readRollout>
}

export function rolloutRoutes({ db, rollOut, preview, read }: Needs): readonly Route[] {
  return [
    route({
      does: 'Show what a rollout would change and whom it would reach',
      method: 'POST',
      path: '/rulesets/:name/rollouts/preview',
      needs: 'rulesets:read',
      params: rulesetNameParams,
      body: previewRolloutBody,
      answers: rolloutPreview,
      handle: ({ who, params: { name }, body }) => preview(who.tenant, { ruleset: name, ...body }),
    }),
    route({
      does: 'Make a revision live in an environment',
      method: 'POST',
      path: '/rulesets/:name/rollouts',
      needs: 'rollouts:write',
      status: 201,
      params: rulesetNameParams,
      body: rolloutBody,
      answers: rollout,
      handle: async ({ who, params: { name }, body, facts }) => {
        const { version, environment, kind, note, expected_current_version: expectedVersion } = body
        const order = { ruleset: name, version, environment, kind, note, expectedVersion }
        const { id } = await rollOut(who, order, facts)
        const made = await findRollout(db, who.tenant, id)
        if (!made) throw notFound('rollout')
        return rolloutOnWire(made)
      },
    }),
    route({
      does: 'List rollouts, newest first',
      method: 'GET',
      path: '/rollouts',
      needs: 'rulesets:read',
      query: rolloutListQuery,
      answers: rolloutList,
      handle: async ({ who, query: { limit = 50, cursor, since, until, ruleset, environment, by } }) => {
        const filter = {
          ruleset,
          environment,
          by,
          since: since === undefined ? undefined : new Date(since),
          until: until === undefined ? undefined : new Date(until),
          below: numberIn(cursor),
        }
        const rows = await listRollouts(db, who.tenant, filter, limit + 1)
        const page = rows.slice(0, limit)
        return {
          items: page.map(rolloutOnWire),
          next_cursor: rows.length > limit ? String(page.at(-1)?.number) : null,
        }
      },
    }),
    route({
      does: 'Show a rollout and how far each agent came with it',
      method: 'GET',
      path: '/rollouts/:id',
      needs: 'rulesets:read',
      params: rolloutParams,
      answers: rolloutDetail,
      handle: ({ who, params: { id } }) => read(who.tenant, id),
    }),
  ]
}

function numberIn(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (!/^\d{1,15}$/.test(cursor)) throw invalidInput('querystring.cursor', 'Take next_cursor of the page before.')
  return Number(cursor)
}
