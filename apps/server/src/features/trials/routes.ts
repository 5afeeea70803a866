import {
  promoteTrialBody,
  type RolloutTrial,
  rolloutTrial,
  rolloutTrialBody,
  rolloutTrialList,
  rolloutTrialListQuery,
  rolloutTrialParams,
  rulesetNameParams,
} from '@countersign/wire'
import type { Sql } from '../../kernel/db.ts'
import { invalidInput } from '../../kernel/problem.ts'
import { type Route, route } from '../roles/index.ts'
import { personRef } from '../rulesets/index.ts'
import type { Trials } from './run-trials.ts'
import { listTrials, type Trial } from './trials-table.ts'

export function trialRoutes({ db, trials }: { readonly db: Sql; readonly trials: Trials }): readonly Route[] {
  return [
    route({
      does: 'Roll a revision out with its new rules only observing, to enforce by a stated condition',
      method: 'POST',
      path: '/rulesets/:name/trials',
      needs: 'rollouts:write',
      status: 201,
      params: rulesetNameParams,
      body: rolloutTrialBody,
      answers: rolloutTrial,
      handle: async ({ who, params: { name }, body, facts }) => {
        const { would_block_max: wouldBlockMax = 0, ...order } = body
        return trialOnWire(await trials.start(who, { ...order, ruleset: name, wouldBlockMax }, facts))
      },
    }),
    route({
      does: 'List rollouts that observe first, newest first',
      method: 'GET',
      path: '/trials',
      needs: 'rulesets:read',
      query: rolloutTrialListQuery,
      answers: rolloutTrialList,
      handle: async ({ who, query: { limit = 50, cursor, ruleset } }) => {
        const rows = await listTrials(db, who.tenant, ruleset, numberIn(cursor), limit + 1)
        const page = rows.slice(0, limit)
        return {
          items: page.map(trialOnWire),
          next_cursor: rows.length > limit ? String(page.at(-1)?.number) : null,
        }
      },
    }),
    route({
      does: 'Keep a rollout that observes first from enforcing by itself; what is live stays',
      method: 'POST',
      path: '/trials/:id/cancellation',
      needs: 'rollouts:write',
      params: rolloutTrialParams,
      answers: rolloutTrial,
      handle: async ({ who, params: { id }, facts }) => trialOnWire(await trials.cancel(who, id, facts)),
    }),
    route({
      does: 'Let a rollout that observes first enforce now, whatever its condition says',
      method: 'POST',
      path: '/trials/:id/promotion',
      needs: 'rollouts:write',
      params: rolloutTrialParams,
      body: promoteTrialBody,
      answers: rolloutTrial,
      handle: async ({ who, params: { id }, body, facts }) =>
        trialOnWire(await trials.promote(who, id, body.note, facts)),
    }),
  ]
}

function trialOnWire(trial: Trial): RolloutTrial {
  return {
    id: trial.id,
    ruleset: trial.ruleset,
    environment: trial.environment,
    version: trial.version,
    trial_version: trial.trialVersion,
    rollout_id: trial.rolloutId,
    rules: [...trial.rules],
    would_block_max: trial.wouldBlockMax,
    would_blocks: trial.wouldBlocks,
    ends_at: trial.endsAt.toISOString(),
    status: trial.status,
    made_by: personRef(trial.madeBy, trial.madeByEmail),
    made_at: trial.madeAt.toISOString(),
    ended_at: trial.endedAt?.toISOString() ?? null,
  }
}

function numberIn(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (!/^\d{1,15}$/.test(cursor)) throw invalidInput('querystring.cursor', 'Take next_cursor of the page before.')
  return Number(cursor)
}
